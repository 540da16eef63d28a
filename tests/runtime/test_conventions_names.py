"""The names of the GenAI conventions: which there are, how they are chosen, where they stand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.traces.conventions import Choice, Version, read_choice
from autogpt_observe.runtime.traces.conventions.vocabulary import NAMES

LEGACY, RELEASED, MAIN = Version
PAGE = Path(__file__).parents[2] / "docs" / "genai.md"

REGISTRY = frozenset(
    (
        "gen_ai.agent.name",
        "gen_ai.input.messages",
        "gen_ai.operation.name",
        "gen_ai.output.messages",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.name",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.conversation.id",
        "gen_ai.agent.id",
        "gen_ai.response.model",
        "gen_ai.response.id",
        "gen_ai.response.finish_reasons",
        "gen_ai.tool.type",
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.system_instructions",
        "gen_ai.workflow.name",
        "error.type",
    )
)
"""Of the registry at e9de14bafd9725937c6b0c219897260074a2896c; `error.type` is from the core's:
https://github.com/open-telemetry/semantic-conventions-genai/blob/e9de14bafd9725937c6b0c219897260074a2896c/model/gen-ai/registry.yaml"""

RELEASE = REGISTRY
"""opentelemetry-util-genai 1.3b0 writes each of these too; its names stand in
opentelemetry.semconv._incubating.attributes.gen_ai_attributes 0.64b0 and, newer ones, in itself."""

ONCE = frozenset(
    (
        "gen_ai.system",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.request.model",
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.operation.name",
        "gen_ai.agent.name",
        "gen_ai.tool.name",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.response.model",
        "gen_ai.response.id",
        "gen_ai.response.finish_reasons",
        "error.type",
    )
)
"""Names of opentelemetry-semantic-conventions 0.47b0 (semconv 1.26), and of later ones where that
one had none (0.48b0: operation, 0.52b0: agent and tool, 0.60b0: arguments and results,
0.61b0: caches)."""


@pytest.mark.parametrize(
    ("version", "known"), [(MAIN, REGISTRY), (RELEASED, RELEASE), (LEGACY, ONCE)]
)
def test_every_name_is_one_of_the_conventions_or_our_own(
    version: Version, known: frozenset[str]
) -> None:
    names = asdict(NAMES[version])
    assert len(set(names.values())) == len(names)
    assert {name for name in names.values() if not name.startswith("autogpt.")} <= known


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Choice(version=RELEASED, captures_content=False)),
        ({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "legacy"}, Choice(version=LEGACY)),
        ({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "1.3b0"}, Choice(version=RELEASED)),
        ({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "main"}, Choice(version=MAIN)),
        ({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": ""}, Choice(version=RELEASED)),
        (
            {"OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental"},
            Choice(version=MAIN),
        ),
        ({"OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup"}, Choice(version=RELEASED)),
        (
            {
                "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
                "AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "legacy",
            },
            Choice(version=LEGACY),
        ),
    ],
)
def test_the_environment_chooses_the_version(environ: dict[str, str], expected: Choice) -> None:
    assert read_choice(environ) == expected


@pytest.mark.parametrize(
    ("text", "captures"),
    [
        ("", False),
        ("NO_CONTENT", False),
        ("SPAN_ONLY", True),
        ("span_and_event", True),
        ("EVENT_ONLY", False),
        ("true", True),
        ("True ", True),
        ("false", False),
        ("yes please", False),
    ],
)
def test_the_environment_chooses_whether_content_is_captured(text: str, captures: bool) -> None:  # noqa: FBT001  # a case
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": text}
    assert read_choice(environ).captures_content is captures


def test_arguments_come_before_the_environment() -> None:
    environ = {
        "AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "legacy",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    }
    assert read_choice(environ, version="main", capture_content=False) == Choice(version=MAIN)
    assert read_choice({}, capture_content=True) == Choice(captures_content=True)


def test_a_version_that_is_unknown_is_refused() -> None:
    expected = "expected one of `legacy`, `1.3b0`, `main`"
    with pytest.raises(UsageError) as caught:
        read_choice({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "1.26"})
    assert str(caught.value) == f"AUTOGPT_OBSERVE_GENAI_CONVENTIONS: got '1.26', {expected}"
    with pytest.raises(UsageError) as caught:
        read_choice({}, version="")
    assert str(caught.value) == f"genai_conventions: got '', {expected}"


MEANINGS = {
    "operation": "operation",
    "agent": "agent",
    "tool": "tool",
    "provider": "provider",
    "model": "model that was asked for",
    "input_tokens": "tokens of the input",
    "cache_read_tokens": "of these, from a cache",
    "cache_write_tokens": "of these, into a cache",
    "output_tokens": "tokens of the output",
    "arguments": "a tool's arguments",
    "returned": "a tool's result",
    "asked": "messages to the model",
    "answered": "messages of the model",
    "response_model": "model that answered",
    "response_id": "id of the answer",
    "finish_reasons": "why it stopped",
    "error_type": "class of the exception",
    "step": "step",
    "outcome": "how a run ended",
    "budget_used": "share of the run's budget",
    "pattern": "loop that a run ended in",
    "result": "how a step or call ended",
    "attempts": "attempts of a model call",
    "usd": "cost of a model call, US dollars",
    "context_share": "share of the context window",
}


def test_the_page_shows_the_names() -> None:
    columns = [asdict(NAMES[version]) for version in Version]
    rows = [
        " | ".join([f"| {meaning}", *(f"`{names[field]}`" for names in columns)]) + " |"
        for field, meaning in MEANINGS.items()
    ]
    assert list(MEANINGS) == list(columns[0])
    table = "\n".join(["| | `legacy` | `1.3b0` | `main` |", "|---|---|---|---|", *rows])
    begin, end = "<!-- begin names -->\n", "\n<!-- end names -->"
    text = PAGE.read_text("utf-8")
    assert text.partition(begin)[2].partition(end)[0] == table
