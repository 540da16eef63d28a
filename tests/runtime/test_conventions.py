"""What spans are called and what they say, per version of the GenAI conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.trace import SpanKind
from runtime_specs import attribute

from autogpt_observe.names import (
    AGENT,
    ERROR_TYPE,
    MODEL,
    OUTCOME,
    PROVIDER,
    RESULT,
    TOOL,
    LabelName,
)
from autogpt_observe.runtime.events import LLMCall, Run, Step, ToolCall
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.journey import Budget, Journey
from autogpt_observe.runtime.llm import LLMScope
from autogpt_observe.runtime.runs import RunScope, StepScope, ToolScope
from autogpt_observe.runtime.scopes import Scope
from autogpt_observe.runtime.traces.conventions import (
    Beginning,
    Conventions,
    Version,
)
from autogpt_observe.runtime.traces.conventions.vocabulary import NAMES
from autogpt_observe.spec.load import load_spec
from autogpt_observe.spec.model import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

    from autogpt_observe.runtime.events import Event

LEGACY, RELEASED, MAIN = Version


def inside(scope: Scope, agent: str = "researcher") -> Scope:
    """``scope``, in a run of ``agent``."""
    scope.run = RunScope(agent)
    return scope


def called(model: str = "gpt-5", provider: str = "openai") -> LLMScope:
    call = LLMScope(model, provider=provider)
    call.run = RunScope("researcher")
    return call


CALL = LLMCall("researcher", "openai", "gpt-5", "ok", 0.5, None, None, 0, 0)
TOOL_CALL = ToolCall("researcher", "search", "ok", 0.5, None)
STEP = Step("researcher", "plan", "ok", 0.5, None)
RUN = Run("researcher", "success", 0.5, None)


@pytest.mark.parametrize("version", list(Version))
def test_a_run_begins_as_invoke_agent(version: Version) -> None:
    assert Conventions(version).begin(RunScope("researcher")) == Beginning(
        "invoke_agent researcher",
        SpanKind.INTERNAL,
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher"},
    )


@pytest.mark.parametrize("version", list(Version))
def test_a_tool_call_begins_as_execute_tool(version: Version) -> None:
    assert Conventions(version).begin(inside(ToolScope("search", arguments=("x",)))) == Beginning(
        "execute_tool search",
        SpanKind.INTERNAL,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.agent.name": "researcher",
            "gen_ai.tool.name": "search",
        },
    )


@pytest.mark.parametrize("version", list(Version))
def test_a_step_begins_under_a_name_of_our_own(version: Version) -> None:
    assert Conventions(version).begin(inside(StepScope("plan"))) == Beginning(
        "step plan",
        SpanKind.INTERNAL,
        {"gen_ai.agent.name": "researcher", "autogpt.step.name": "plan"},
    )


@pytest.mark.parametrize(
    ("version", "provider"),
    [(LEGACY, "gen_ai.system"), (RELEASED, "gen_ai.provider.name"), (MAIN, "gen_ai.provider.name")],
)
def test_a_model_call_begins_as_chat(version: Version, provider: str) -> None:
    assert Conventions(version).begin(called()) == Beginning(
        "chat gpt-5",
        SpanKind.CLIENT,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.agent.name": "researcher",
            provider: "openai",
            "gen_ai.request.model": "gpt-5",
        },
    )


def test_what_is_outside_of_every_run_has_no_agent() -> None:
    conventions = Conventions(MAIN)
    assert conventions.begin(StepScope("plan")).attributes == {"autogpt.step.name": "plan"}
    assert conventions.begin(inside(StepScope("plan"))).attributes == {
        "gen_ai.agent.name": "researcher",
        "autogpt.step.name": "plan",
    }


def test_another_kind_of_scope_is_a_plain_span() -> None:
    assert Conventions(MAIN).begin(Scope("warm-up")) == Beginning("warm-up", SpanKind.INTERNAL, {})


def test_equal_scopes_share_their_beginning_and_different_ones_do_not() -> None:
    conventions = Conventions(MAIN)
    same = [conventions.begin(called()) for _ in range(2)]
    assert same[0] is same[1]
    scopes = (
        called(),
        called(provider="azure"),
        called(model="gpt-6"),
        inside(StepScope("gpt-5")),
        inside(ToolScope("gpt-5")),
        inside(StepScope("gpt-5"), agent="writer"),
        StepScope("gpt-5"),
        RunScope("gpt-5"),
    )
    for _ in range(2):
        begun = {str(conventions.begin(scope)) for scope in scopes}
        assert len(begun) == len(scopes)


def test_names_without_end_take_no_memory_without_end() -> None:
    conventions = Conventions(MAIN)
    for number in range(5_000):
        begun = conventions.begin(StepScope(f"goal {number}"))
        assert begun.name == f"step goal {number}"
    assert len(conventions._known) <= 2_000  # noqa: SLF001  # nothing else shows it


def test_a_very_long_name_is_cut_between_words() -> None:
    begun = Conventions(MAIN).begin(StepScope("word " * 10_000))
    assert begun.name == f"step {('word ' * 51).rstrip()}…"
    assert begun.attributes == {"autogpt.step.name": f"{('word ' * 51).rstrip()}…"}


USAGE: Mapping[Version, Mapping[str, int]] = {
    LEGACY: {
        "gen_ai.usage.prompt_tokens": 1_100,
        "gen_ai.usage.cache_read.input_tokens": 900,
        "gen_ai.usage.cache_creation.input_tokens": 150,
        "gen_ai.usage.completion_tokens": 20,
    },
    RELEASED: {
        "gen_ai.usage.input_tokens": 1_100,
        "gen_ai.usage.cache_read.input_tokens": 900,
        "gen_ai.usage.cache_write.input_tokens": 150,
        "gen_ai.usage.output_tokens": 20,
    },
}


@pytest.mark.parametrize("version", list(Version))
def test_a_model_call_ends_with_what_it_used(version: Version) -> None:
    call = called()
    call.usage(
        input_tokens=50, output_tokens=20, cache_read_tokens=900, cache_write_tokens=150, usd=0.01
    )
    told = Conventions(version).finish(call, CALL._replace(context_share=0.25), None)
    assert told == {
        "autogpt.call.result": "ok",
        "autogpt.llm.attempts": 1,
        "autogpt.llm.cost_usd": 0.01,
        "autogpt.llm.context_share": 0.25,
        **USAGE[RELEASED if version is MAIN else version],
    }


def test_a_model_call_tells_no_usage_that_was_not_reported() -> None:
    call = called()
    call.usage(output_tokens=20)
    assert Conventions(MAIN).finish(call, CALL, None) == {
        "autogpt.call.result": "ok",
        "autogpt.llm.attempts": 1,
        "gen_ai.usage.output_tokens": 20,
    }


def test_a_failed_model_call_tells_why_and_how_often_it_was_tried() -> None:
    call = called()
    call.attempts = 3
    failed = CALL._replace(result="timeout")
    assert Conventions(MAIN).finish(call, failed, TimeoutError("10 s")) == {
        "autogpt.call.result": "timeout",
        "autogpt.llm.attempts": 3,
        "error.type": "TimeoutError",
    }


def test_steps_and_tools_end_with_their_result() -> None:
    conventions = Conventions(MAIN)
    ok = {"autogpt.call.result": "ok"}
    assert conventions.finish(inside(StepScope("plan")), STEP, None) == ok
    assert conventions.finish(inside(ToolScope("search")), TOOL_CALL, None) == ok


class NoHitsError(Exception):
    """Of the host."""


@pytest.mark.parametrize("version", list(Version))
def test_a_failed_step_or_tool_has_the_full_name_of_the_exception(version: Version) -> None:
    conventions = Conventions(version)
    expected = {"autogpt.call.result": "error", "error.type": f"{__name__}.NoHitsError"}
    step, tool = STEP._replace(result="error"), TOOL_CALL._replace(result="error")
    assert conventions.finish(StepScope("plan"), step, NoHitsError()) == expected
    assert conventions.finish(ToolScope("search"), tool, NoHitsError()) == expected
    # the mapping that spans without an exception share has not got it
    shared = {"autogpt.call.result": "error"}
    assert conventions.finish(StepScope("plan"), step, None) == shared
    assert conventions.finish(ToolScope("search"), tool, None) == shared


def test_what_is_cancelled_is_no_error() -> None:
    told = Conventions(MAIN).finish(
        StepScope("plan"), STEP._replace(result="cancelled"), GeneratorExit()
    )
    assert told == {"autogpt.call.result": "cancelled"}


def test_a_run_ends_with_its_outcome_its_budget_and_its_loop() -> None:
    run = RunScope("researcher", budget=Budget(steps=10))
    run.journey = Journey("researcher", run.budget, 0.0)
    run.journey.steps = 4
    run.journey.tokens, run.journey.usd = 1_000, 0.5
    run.journey.pattern = "repeat"
    assert Conventions(MAIN).finish(run, RUN._replace(outcome="max_steps"), None) == {
        "autogpt.run.outcome": "max_steps",
        "autogpt.run.budget_used": 0.4,
        "autogpt.loop.pattern": "repeat",
    }


def test_a_run_that_fails_has_an_error_type_with_an_exception_and_without() -> None:
    conventions, failed = Conventions(MAIN), RUN._replace(outcome="error")
    assert conventions.finish(RunScope("researcher"), failed, KeyError("x")) == {
        "autogpt.run.outcome": "error",
        "error.type": "KeyError",
    }
    assert conventions.finish(RunScope("researcher"), failed, None) == {
        "autogpt.run.outcome": "error",
        "error.type": "_OTHER",
    }
    assert conventions.finish(RunScope("researcher"), RUN, None) == {
        "autogpt.run.outcome": "success"
    }


class Traced:
    """The attributes of all spans, as the hub's tracing would put them on."""

    def __init__(self, conventions: Conventions) -> None:
        self.conventions = conventions
        self.spans: list[tuple[str, dict[str, AttributeValue]]] = []

    def start(self, scope: Scope, /) -> None: ...

    def pause(self, scope: Scope, /) -> None: ...

    def resume(self, scope: Scope, /) -> None: ...

    def fail(self, scope: Scope, error: BaseException, /) -> None: ...

    def end(self, scope: Scope, event: Event, error: BaseException | None, /) -> None:
        begun = self.conventions.begin(scope)
        told = self.conventions.complete(begun, begun.attributes, scope, event, error)
        self.spans.append((begun.name, dict(told)))


def on_error(place: str, error: Exception) -> None:
    raise AssertionError(place) from error


def test_tokens_and_money_of_a_whole_run_are_counted_once() -> None:
    traced = Traced(Conventions(MAIN))
    hub = Hub((), on_error=on_error, tracing=traced)
    scopes = RunScope("outer"), RunScope("inner"), StepScope("plan"), ToolScope("ask"), called()
    for scope in scopes:
        scope.begin(hub)
    scopes[-1].usage(input_tokens=100, cache_read_tokens=5, output_tokens=20, usd=0.25)
    for scope in reversed(scopes):
        scope.end(None)
    ended = dict(traced.spans)
    assert list(ended) == [
        "chat gpt-5",
        "execute_tool ask",
        "step plan",
        "invoke_agent inner",
        "invoke_agent outer",
    ]
    counted = {
        name: {key: v for key, v in told.items() if "usage" in key or "cost" in key}
        for name, told in ended.items()
    }
    assert counted.pop("chat gpt-5") == {
        "gen_ai.usage.input_tokens": 105,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.output_tokens": 20,
        "autogpt.llm.cost_usd": 0.25,
    }
    assert not any(counted.values())


def named(span: str) -> Attribute:
    return Attribute(help="An attribute of the tests", span=span)


@pytest.mark.parametrize("version", list(Version))
def test_the_names_that_the_spec_gives_win(version: Version) -> None:
    names = {
        AGENT: named("crawler.agent"),
        TOOL: named("crawler.tool"),
        PROVIDER: named("crawler.provider"),
        MODEL: named("crawler.model"),
        OUTCOME: named("crawler.outcome"),
        RESULT: named("crawler.result"),
        ERROR_TYPE: named("crawler.error"),
        "queue": named("crawler.queue"),
    }
    spec = {LabelName(label): each for label, each in names.items()}
    conventions = Conventions(version, spec)
    assert conventions.begin(inside(ToolScope("search"))).attributes == {
        "gen_ai.operation.name": "execute_tool",
        "crawler.agent": "researcher",
        "crawler.tool": "search",
    }
    assert conventions.begin(called()).attributes == {
        "gen_ai.operation.name": "chat",
        "crawler.agent": "researcher",
        "crawler.provider": "openai",
        "crawler.model": "gpt-5",
    }
    assert conventions.finish(StepScope("plan"), STEP._replace(result="error"), KeyError()) == {
        "crawler.result": "error",
        "crawler.error": "KeyError",
    }
    assert conventions.finish(RunScope("x"), RUN, None) == {"crawler.outcome": "success"}


def test_an_attribute_without_a_span_name_has_the_one_of_the_version() -> None:
    begun = Conventions(MAIN, {LabelName(AGENT): attribute()}).begin(RunScope("researcher"))
    assert begun.attributes["gen_ai.agent.name"] == "researcher"


@pytest.mark.parametrize("version", list(Version))
def test_the_names_of_the_conventions_in_a_spec_follow_the_version(version: Version) -> None:
    spec = load_spec()
    assert {spec.attributes[LabelName(each)].span for each in (PROVIDER, MODEL)} == {
        "gen_ai.provider.name",
        "gen_ai.request.model",
    }
    assert Conventions(version, spec.attributes).names == NAMES[version]
