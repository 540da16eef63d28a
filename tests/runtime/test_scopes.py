"""Steps, tool calls and model calls: what a scrape shows of them, and of runs in progress."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from runtime_specs import Clock, attribute, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.numbers import parse_count, parse_number, parse_seconds
from autogpt_observe.runtime.scopes import CURRENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

RESULTS = ("ok", "error", "timeout", "cancelled")
KINDS = ("rate_limit", "quota", "timeout", "other")
CALL = ("agent", "provider", "model")
EVERYTHING = spec(
    attributes={
        "tool": attribute(),
        "result": attribute(*RESULTS),
        "pattern": attribute("repeat", "cycle"),
        "provider": attribute(),
        "model": attribute(),
        "error_kind": attribute(*KINDS),
        "token_type": attribute("input", "output", "cache_read", "cache_write"),
        "limit": attribute("requests", "tokens"),
    },
    runs_total=metric("counter", "run.end", "agent", "outcome"),
    run_age=metric("gauge", "run.age", "agent"),
    progress_age=metric("gauge", "run.progress_age", "agent"),
    budget_used=metric("gauge", "run.budget_used", "agent"),
    loops_total=metric("counter", "run.loop", "agent", "pattern"),
    looping=metric("gauge", "run.looping", "agent"),
    steps_total=metric("counter", "step.end", "agent"),
    failures_total=metric("counter", "failure", "agent", "error_type"),
    tools_total=metric("counter", "tool.end", "agent", "tool", "result"),
    tool_time=metric("histogram", "tool.duration", "agent", "tool", buckets="coarse"),
    calls_total=metric("counter", "llm.end", *CALL, "result"),
    attempts_total=metric("counter", "llm.attempt", *CALL),
    retries_total=metric("counter", "llm.retry", *CALL),
    call_errors_total=metric("counter", "llm.error", *CALL, "error_kind"),
    tokens_total=metric("counter", "llm.tokens", "model", "token_type"),
    cost_total=metric("counter", "llm.cost", "model"),
    unreported_total=metric("counter", "llm.unreported", "model"),
    unpriced_total=metric("counter", "llm.unpriced", "model"),
    unparseable_total=metric("counter", "llm.unparseable", "model"),
    context_used=metric("histogram", "llm.context", "model", buckets="coarse"),
    headroom=metric("gauge", "llm.headroom", "provider", "limit"),
    demand=metric("gauge", "scaling.demand"),
)


def same(series: dict[str, float]) -> dict[str, float]:
    """With labels in the order of a scrape, that of the alphabet."""
    parted = {name: name.rstrip("}").partition("{") for name in series}
    return {
        f"{stem}{{{','.join(sorted(labels.split(',')))}}}": series[name]
        for name, (stem, _, labels) in parted.items()
    }


def moved(observer: obs.Observer, *prefixes: str) -> dict[str, float]:
    """What is not zero."""
    return {name: v for name, v in samples(observer.registry, *prefixes).items() if v}


def at(clock: Clock) -> None:
    """From now on the observer's time is that of ``clock``."""
    assert ACTIVE.hub is not None
    ACTIVE.hub.clock = clock


def test_a_step_and_a_tool_belong_to_the_run_around_them() -> None:
    with observing(EVERYTHING) as observer, obs.agent("a"), obs.step("plan"):
        with obs.tool("search"):
            pass
        with obs.agent("b"), obs.tool("search"):
            pass
        assert moved(observer, "tools_total") == same(
            {
                "tools_total{agent=a,tool=search,result=ok}": 1,
                "tools_total{agent=b,tool=search,result=ok}": 1,
            }
        )
    with observing(EVERYTHING) as observer:
        with obs.agent("a"), obs.step("plan"):
            pass
        assert moved(observer, "steps_total") == {"steps_total{agent=a}": 1}
        with obs.step("outside of every run"):
            pass
        assert moved(observer, "steps_total") == {
            "steps_total{agent=a}": 1,
            "steps_total{agent=}": 1,
        }


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, "ok"),
        (ValueError(), "error"),
        (TimeoutError(), "timeout"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_how_a_tool_call_ends(error: BaseException | None, result: str) -> None:
    @obs.tool
    async def search() -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    with observing(EVERYTHING) as observer:
        with suppress(ValueError, TimeoutError, asyncio.CancelledError):
            asyncio.run(search())
        assert moved(observer, "tools_total", "tool_time_count") == same(
            {
                f"tools_total{{agent=,tool=search,result={result}}}": 1,
                "tool_time_count{agent=,tool=search}": 1,
            }
        )


def test_one_failure_through_many_scopes_is_one() -> None:
    with observing(EVERYTHING) as observer:
        with suppress(ValueError), obs.agent("a"), obs.step("s"), obs.tool("t"):
            raise ValueError
        assert moved(observer, "failures_total") == same(
            {"failures_total{agent=a,error_type=ValueError}": 1}
        )


@pytest.mark.parametrize("reason", ["max_steps", "budget", "empty", "truncated", "abandoned"])
def test_the_first_reason_a_run_gives_stands(reason: str) -> None:
    outcomes = {"outcome": attribute("success", "error", reason)}
    runs = metric("counter", "run.end", "agent", "outcome")
    with observing(spec(attributes=outcomes, runs_total=runs)) as observer:
        with suppress(ValueError), obs.agent("a") as run:
            run.finish(reason)
            run.finish("success")
            raise ValueError
        assert moved(observer, "runs") == {f"runs_total{{agent=a,outcome={reason}}}": 1}


def test_an_unknown_reason_is_refused() -> None:
    with (
        pytest.raises(obs.UsageError) as caught,
        observing(EVERYTHING),
        obs.agent("a") as run,
    ):
        run.finish("bored")
    assert str(caught.value) == (
        "run.finish: got 'bored', expected one of `success`, `error`, `cancelled`, `max_steps`,"
        " `budget`, `empty`, `truncated`, `abandoned`"
    )


# --- progress and loops ----------------------------------------------------------------------


def test_progress_is_what_is_new() -> None:
    clock = Clock()
    with observing(EVERYTHING) as observer:
        at(clock)
        with obs.agent("a"):
            clock.now += 60
            assert samples(observer.registry, "progress_age", "run_age") == same(
                {
                    "progress_age{agent=a}": 60,
                    "run_age{agent=a}": 60,
                }
            )
            with obs.tool("search", arguments="x") as call:
                call.returns(["hit"])
            assert samples(observer.registry, "progress_age") == {"progress_age{agent=a}": 0}
            clock.now += 5
            for _ in range(3):
                with obs.tool("search", arguments="x") as call:
                    call.returns(["hit"])
                with suppress(OSError), obs.tool("search", arguments="y"):
                    raise OSError
            assert samples(observer.registry, "progress_age") == {"progress_age{agent=a}": 5}
            with obs.tool("search", arguments="x") as call:
                call.returns(["another hit"])
            assert samples(observer.registry, "progress_age") == {"progress_age{agent=a}": 0}
        assert samples(observer.registry, "progress_age", "run_age") == {}


def test_the_progress_of_a_run_inside_is_that_of_the_run_around_it() -> None:
    clock = Clock()
    with observing(EVERYTHING) as observer:
        at(clock)
        with obs.agent("outer"), obs.agent("inner"):
            clock.now += 9
            with obs.step("s"):
                pass
            assert samples(observer.registry, "progress_age") == same(
                {
                    "progress_age{agent=outer}": 0,
                    "progress_age{agent=inner}": 0,
                }
            )


def test_while_a_generator_is_paused_no_progress_is_missed() -> None:
    clock = Clock()

    @obs.agent("a")
    def run() -> Generator[int, None, None]:
        clock.now += 2
        yield 1
        yield 2

    with observing(EVERYTHING) as observer:
        at(clock)
        items = run()
        next(items)
        clock.now += 1000
        assert samples(observer.registry, "progress_age") == {"progress_age{agent=a}": 2}
        next(items)
        assert samples(observer.registry, "progress_age") == {"progress_age{agent=a}": 2}
        items.close()


@pytest.mark.parametrize(
    ("calls", "pattern"),
    [
        ("aa", None),
        ("aaa", "repeat"),
        ("abab", None),
        ("ababab", "cycle"),
        ("xabcabcabc", "cycle"),
        ("abcdefghabcdefghabcdefgh", "cycle"),
        ("aabbaabb", None),
        ("abcabcabd", None),
    ],
)
def test_loops(calls: str, pattern: str | None) -> None:
    with observing(EVERYTHING) as observer, obs.agent("a"):
        for argument in calls:
            with obs.tool("search", arguments={"query": argument}) as call:
                call.returns([argument])
        found = {f"loops_total{{agent=a,pattern={pattern}}}": 1.0} if pattern else {}
        assert moved(observer, "loops_total") == found
        assert samples(observer.registry, "looping") == {"looping{agent=a}": int(bool(pattern))}


def test_a_loop_is_counted_once_until_it_is_left() -> None:
    with observing(EVERYTHING) as observer, obs.agent("a"):
        for argument in "aaaaaabaaaa":
            with obs.tool("search", arguments=argument):
                pass
        assert moved(observer, "loops_total") == {"loops_total{agent=a,pattern=repeat}": 2}


def test_other_results_are_no_loop() -> None:
    with observing(EVERYTHING) as observer, obs.agent("a"):
        for number in range(9):
            with obs.tool("poll", arguments="job") as call:
                call.returns({"percent": number})
        assert moved(observer, "loops_total") == {}


# --- models ----------------------------------------------------------------------------------


def test_a_model_call_that_is_retried() -> None:
    with observing(EVERYTHING) as observer:
        with obs.agent("a"), obs.llm("gpt", provider="openai") as call:
            call.attempt()
            call.fail("rate_limit")
            call.attempt()
            call.usage(input_tokens=700, output_tokens=30, cache_read_tokens=100, usd=0.25)
        labels = "agent=a,provider=openai,model=gpt"
        assert moved(
            observer, "calls", "attempts", "retries", "call_errors", "tokens", "cost"
        ) == same(
            {
                f"calls_total{{{labels},result=ok}}": 1,
                f"attempts_total{{{labels}}}": 2,
                f"retries_total{{{labels}}}": 1,
                f"call_errors_total{{{labels},error_kind=rate_limit}}": 1,
                "tokens_total{model=gpt,token_type=input}": 700,
                "tokens_total{model=gpt,token_type=output}": 30,
                "tokens_total{model=gpt,token_type=cache_read}": 100,
                "cost_total{model=gpt}": 0.25,
            }
        )


def test_a_call_nobody_described_is_one_attempt_without_usage() -> None:
    with observing(EVERYTHING) as observer:
        with suppress(TimeoutError), obs.llm("gpt", provider="openai"):
            raise TimeoutError
        labels = "agent=,provider=openai,model=gpt"
        assert moved(observer, "calls", "attempts", "call_errors", "unreported") == same(
            {
                f"calls_total{{{labels},result=timeout}}": 1,
                f"attempts_total{{{labels}}}": 1,
                f"call_errors_total{{{labels},error_kind=timeout}}": 1,
                "unreported_total{model=gpt}": 1,
            }
        )
        assert samples(observer.registry, "retries", "unparseable", "unpriced") == same(
            {
                f"retries_total{{{labels}}}": 0,
                "unparseable_total{model=gpt}": 0,
                "unpriced_total{model=gpt}": 0,
            }
        )


def test_usage_without_a_price_and_the_context_it_took() -> None:
    with observing(EVERYTHING) as observer:
        with obs.llm("gpt", provider="openai", window=1000) as call:
            call.usage(input_tokens=600, cache_read_tokens=300, output_tokens=99)
            call.unparseable()
        assert moved(observer, "unpriced", "unparseable", "context_used_sum", "unreported") == same(
            {
                "unpriced_total{model=gpt}": 1,
                "unparseable_total{model=gpt}": 1,
                "context_used_sum{model=gpt}": 0.9,
            }
        )


def test_headroom_lasts_until_the_reset() -> None:
    clock = Clock()
    with observing(EVERYTHING) as observer:
        at(clock)
        with obs.llm("gpt", provider="openai") as call:
            call.limit("requests", left=30, of=100, resets_in=20)
        assert samples(observer.registry, "headroom") == same(
            {"headroom{provider=openai,limit=requests}": 0.3}
        )
        clock.now += 21
        assert samples(observer.registry, "headroom") == {}


def test_the_budget_is_used_by_what_uses_most_of_it() -> None:
    budget = obs.Budget(usd=2.0, tokens=1000, steps=4)
    with observing(EVERYTHING) as observer, obs.agent("a", budget=budget):
        with obs.step("s"):
            pass
        assert samples(observer.registry, "budget_used") == {"budget_used{agent=a}": 0.25}
        with obs.agent("b"), obs.llm("gpt", provider="openai") as call:
            call.usage(input_tokens=300, output_tokens=200, usd=0.5)
        assert samples(observer.registry, "budget_used") == {"budget_used{agent=a}": 0.5}


# --- contexts --------------------------------------------------------------------------------


def test_a_consumer_between_yields_is_not_inside() -> None:
    seen = []

    @obs.agent("a")
    async def run() -> AsyncGenerator[int, None]:
        with obs.step("around the yield"):
            yield 1
            seen.append(CURRENT.get())
        yield 2

    async def consume() -> None:
        with obs.agent("consumer") as mine:
            async for _ in run():
                assert CURRENT.get() is mine
        assert CURRENT.get() is None

    with observing(EVERYTHING) as observer:
        asyncio.run(consume())
        assert [scope.name for scope in seen if scope is not None] == ["around the yield"]
        assert moved(observer, "steps_total") == {"steps_total{agent=a}": 1}


def test_tasks_inherit_and_do_not_leak() -> None:
    async def worker(name: str) -> str:
        with obs.agent(name):
            await asyncio.sleep(0)
            with obs.tool("t"):
                await asyncio.sleep(0)
            scope = CURRENT.get()
            assert scope is not None
            return scope.name

    async def main() -> list[str]:
        with obs.agent("main"):
            return await asyncio.gather(*(worker(f"w{n}") for n in range(20)))

    with observing(EVERYTHING) as observer:
        assert asyncio.run(main()) == [f"w{n}" for n in range(20)]
        assert CURRENT.get() is None
        assert len(moved(observer, "tools_total")) == 20


def test_a_run_that_is_forgotten_ends() -> None:
    def forget() -> None:
        obs.agent("a").__enter__()  # a `with` would not forget it

    with observing(EVERYTHING) as observer:
        thread = threading.Thread(target=forget)
        thread.start()
        thread.join()
        gc.collect()
        assert moved(observer, "runs_total") == {"runs_total{agent=a,outcome=cancelled}": 1}
        assert samples(observer.registry, "run_age") == {}


def test_what_nothing_emits_is_not_shown() -> None:
    with observing(EVERYTHING) as observer:
        assert b"demand" not in generate_latest(observer.registry)


def test_inert_without_init() -> None:
    with obs.agent("a") as run, obs.step("s"), obs.tool("t") as tool:
        run.finish("budget")
        tool.returns(object())
        with obs.llm("m", provider="p") as call:
            call.attempt()
            call.fail("quota")
            call.limit("tokens", left=1, of=2, resets_in=3)
            call.unparseable()
            call.usage(input_tokens=3)
    assert CURRENT.get() is None


WRONG = [
    (lambda: obs.step(""), '@step: got an empty name, expected one such as @step("plan")'),
    (
        lambda: obs.tool(3),  # type: ignore[call-overload]  # what the test is about
        '@tool: got 3, expected one such as @tool("web_search")',
    ),
    (
        lambda: obs.llm("gpt", provider=""),
        '@llm: got an empty name, expected one such as @llm("openai")',
    ),
    (
        lambda: obs.llm("gpt", provider="p", window="128k"),  # type: ignore[arg-type]  # as above
        "@llm: window: got '128k', expected a number of tokens",
    ),
    (
        lambda: obs.agent("a", budget=3),  # type: ignore[call-overload]  # as above
        "@agent: budget: got 3, expected one such as obs.Budget(usd=2.0, steps=200)",
    ),
    (
        lambda: obs.agent("a", budget=obs.Budget(usd=-1)),
        "@agent: budget: usd: got -1, expected a number, not negative",
    ),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_wrong_with_a_decorator_is_raised(make: Any, message: str) -> None:
    with pytest.raises(obs.UsageError) as caught:
        make()(len)
    assert str(caught.value) == message


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_wrong_with_a_block_is_counted(
    make: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with make():
        pass  # nobody listens
    with observing(EVERYTHING, strict=False) as observer:
        with make():
            pass
        counted = samples(observer.registry, "autogpt_observe_")
        assert counted["autogpt_observe_rejected_calls_total{call=block,reason=name}"] == 1
        assert [record.getMessage() for record in caplog.records] == [
            f"{message}; such calls are dropped"
        ]
        ends = ("runs_total", "steps_total", "tools_total", "calls_total")
        assert sum(samples(observer.registry, *ends).values()) == 1
    with observing(EVERYTHING), pytest.raises(obs.UsageError), make():
        pass


@pytest.mark.parametrize(
    ("told", "call", "message"),
    [
        (
            lambda call: call.usage(input_tokens="a few"),
            "llm.usage",
            "call.usage: input_tokens: got 'a few', expected a whole number, not negative",
        ),
        (
            lambda call: call.usage(output_tokens=-5),
            "llm.usage",
            "call.usage: output_tokens: got -5, expected a whole number, not negative",
        ),
        (
            lambda call: call.usage(usd=float("nan")),
            "llm.usage",
            "call.usage: usd: got nan, expected a number that is not negative",
        ),
        (
            lambda call: call.limit("tokens", left="some", of=1, resets_in=1),
            "llm.limit",
            "call.limit: left: got 'some', expected a number that is not negative",
        ),
        (
            lambda call: call.limit("tokens", left=1, of=0, resets_in=1),
            "llm.limit",
            "call.limit: of: got 0, expected a number above zero",
        ),
        (
            lambda call: call.limit("tokens", left=1, of=1, resets_in="soon"),
            "llm.limit",
            "call.limit: resets_in: got 'soon', expected seconds, or a text such as `6m0s`",
        ),
    ],
)
def test_what_a_model_call_is_told_wrongly_is_counted(told: Any, call: str, message: str) -> None:
    with observing(EVERYTHING, strict=False) as observer:
        with obs.agent("a"), obs.llm("m", provider="p") as made:
            told(made)
        series = f"autogpt_observe_rejected_calls_total{{call={call},reason=value}}"
        assert samples(observer.registry, "autogpt_observe_") == {series: 1}
        assert moved(observer, "runs_total") == {"runs_total{agent=a,outcome=success}": 1}
    strictly, block = pytest.raises(obs.UsageError), obs.llm("m", provider="p")
    with observing(EVERYTHING), strictly as caught, block as made:
        told(made)
    assert str(caught.value) == message


def test_headers_of_a_response_can_be_passed_as_they_are() -> None:
    with observing(EVERYTHING) as observer, obs.llm("m", provider="p") as call:
        call.limit("tokens", left="149", of="150", resets_in="6m0s")
        call.limit("requests", left=None, of="60", resets_in="1s")
        assert samples(observer.registry, "headroom") == {
            "headroom{limit=tokens,provider=p}": 149 / 150
        }


def test_usage_that_is_told_in_parts_adds_up() -> None:
    with observing(EVERYTHING) as observer:
        with obs.llm("m", provider="p") as call:
            call.usage(input_tokens=10, usd=1.0)
            call.usage(output_tokens=5, usd=Decimal("0.5"))
            call.usage(output_tokens=2)
        assert moved(observer, "tokens_total") == {
            "tokens_total{model=m,token_type=input}": 10,
            "tokens_total{model=m,token_type=output}": 7,
        }
        assert moved(observer, "cost_total") == {"cost_total{model=m}": 1.5}


def test_a_decorated_call_finds_itself() -> None:
    @obs.llm("m", provider="p")
    def ask() -> str:
        with obs.step("parse"):
            obs.current_call().usage(output_tokens=3)
        return "answer"

    with observing(EVERYTHING) as observer:
        with obs.agent("a"):
            ask()
            obs.current_run().finish("cancelled")
        assert moved(observer, "tokens_total") == {"tokens_total{model=m,token_type=output}": 3}
        assert moved(observer, "runs_total") == {"runs_total{agent=a,outcome=cancelled}": 1}
        obs.current_run().finish("bored")
        obs.current_call().usage(output_tokens=-1)
        assert samples(observer.registry, "autogpt_observe_") == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), (" 5 ", 5.0), (Decimal(2), 2.0)],
)
def test_durations_as_headers_say_them(text: object, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.binary(), st.booleans()))
def test_any_value_is_a_number_or_none(value: object) -> None:
    for number in (parse_number(value), parse_count(value), parse_seconds(value)):
        assert number is None or (number >= 0 and math.isfinite(number))
