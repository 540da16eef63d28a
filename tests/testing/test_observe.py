"""What the kit shows of the code under test."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import opentelemetry.trace as otel
import pytest
from agent_spec import AGENT, research
from opentelemetry.sdk.trace import TracerProvider

import autogpt_observe as obs
from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.logs.logger import log
from autogpt_observe.spec.model import Logging, LogLevel
from autogpt_observe.testing import (
    CountingIds,
    FakeClock,
    NotObservedError,
    Observed,
    events,
    observe,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def seen() -> Iterator[Observed]:
    with observe(AGENT) as observed:
        yield observed


# --- metrics ---


def test_what_moved_is_all_that_moved(seen: Observed) -> None:
    research(seen.clock)
    with pytest.raises(ValueError, match="no such page"):
        research(seen.clock, fails=True)
    obs.metric("pages_total").add(2, site='a"b')
    obs.metric("queue_length").set(7, site="docs")
    obs.metric("page_bytes").observe(0.1)
    obs.metric("page_bytes").observe(0.2)
    assert seen.moved() == {
        'failures_total{error_type="ValueError"}': 1,
        "page_bytes_count": 2,
        "page_bytes_sum": 0.3,
        'pages_total{site="a\\"b"}': 2,
        'queue_length{site="docs"}': 7,
        'run_seconds_count{agent="researcher"}': 2,
        'run_seconds_sum{agent="researcher"}': 0.4,
        'runs_total{agent="researcher",outcome="error"}': 1,
        'runs_total{agent="researcher",outcome="success"}': 1,
    }


def test_nothing_moved_where_nothing_happened(seen: Observed) -> None:
    assert seen.moved() == {}
    assert seen.events == []
    assert seen.spans == []
    assert seen.logs == []
    assert seen.tree() == ""
    assert seen.metric("memory_bytes") > 1_000_000  # it is the process's own
    assert repr(seen) == "<Observed: 0 spans, 0 events, 0 log lines>"


def test_moved_can_be_asked_of_some_metrics(seen: Observed) -> None:
    research(seen.clock)
    assert seen.moved("run_seconds", "runs_active") == {
        'run_seconds_count{agent="researcher"}': 1,
        'run_seconds_sum{agent="researcher"}': 0.3,
    }
    assert seen.moved("run_seconds_count") == {'run_seconds_count{agent="researcher"}': 1}


def test_a_metric_is_the_sum_of_the_series_asked_for(seen: Observed) -> None:
    for name in ("a", "b", "b"):
        with obs.agent(name):
            seen.clock.advance(3)
    assert seen.metric("runs_total") == 3
    assert seen.metric("runs_total", agent="b") == 2
    assert seen.metric("runs_total", agent="b", outcome="success") == 2
    assert seen.metric("runs_total", agent="b", outcome="error") == 0
    assert seen.metric("runs_total", agent="never seen") == 0
    assert seen.metric("run_seconds_sum") == 9
    assert seen.metric("run_seconds_bucket", agent="b", le="2.5") == 0
    assert seen.metric("run_seconds_bucket", agent="b", le="5.0") == 2
    assert isinstance(seen.metric("runs_total"), int)


def test_gauges_of_runs_in_progress(seen: Observed) -> None:
    with obs.agent("a"):
        seen.clock.advance(5)
        assert seen.metric("run_age_seconds", agent="a") == 5
        assert seen.moved() == {
            'run_age_seconds{agent="a"}': 5,
            'runs_active{agent="a"}': 1,
        }
    assert seen.moved("runs_active") == {}


def test_too_many_values_are_told(seen: Observed) -> None:
    for name in "abcd":
        with obs.agent(name):
            pass
    assert seen.metric("runs_total", agent="other") == 1
    assert seen.metric("autogpt_observe_replaced_values_total", attribute="agent") > 0


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        ("run_total", {}, "the spec declares no metric `run_total`; did you mean `runs_total`?"),
        (
            "run_seconds",
            {},
            (
                "`run_seconds` is a histogram; ask for `run_seconds_count`, `run_seconds_sum` or,"
                " with `le`, `run_seconds_bucket`"
            ),
        ),
        ("pods", {}, "`pods` is `from: external`, which is not seen in a test"),
        (
            "run_seconds_bucket",
            {"agent": "a"},
            'run_seconds_bucket: buckets are counted one in the other; say which: le="..."',
        ),
        (
            "runs_total",
            {"outcom": "success"},
            "runs_total: got the label `outcom`, expected some of `agent`, `outcome`",
        ),
        ("memory_bytes", {"a": "b"}, "memory_bytes: got the label `a`, expected none"),
        (
            "runs_total",
            {"outcome": "sucess"},
            "runs_total: outcome: no value is 'sucess'; did you mean `success`?",
        ),
        ("runs_total", {"agent": 1}, "runs_total: agent: got 1, expected text"),
    ],
)
def test_a_metric_that_can_not_be_asked_for(
    seen: Observed, name: str, labels: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        seen.metric(name, **labels)
    assert str(caught.value) == message


def test_a_gauge_without_the_series(seen: Observed) -> None:
    with pytest.raises(NotObservedError) as caught:
        seen.metric("queue_length", site="docs")
    assert str(caught.value) == (
        'the gauge has no series `queue_length{site="docs"}`, nor any other'
    )
    obs.metric("queue_length").set(1, site="news")
    with pytest.raises(NotObservedError) as caught:
        seen.metric("queue_length", site="docs")
    assert str(caught.value) == (
        'the gauge has no series `queue_length{site="docs"}`. There are:\n'
        '  queue_length{site="news"}'
    )
    obs.metric("queue_length").set(2, site="docs")
    assert seen.metric("queue_length", site="docs") == 2
    with pytest.raises(NotObservedError) as caught:
        seen.metric("queue_length")
    assert str(caught.value) == (
        "2 series of the gauge fit `queue_length`; say more of its labels. There are:\n"
        '  queue_length{site="docs"}\n'
        '  queue_length{site="news"}'
    )


# --- spans ---


def test_spans_tell_all_of_the_work(seen: Observed) -> None:
    with suppress(ValueError):
        research(seen.clock, fails=True)
    run = seen.span("invoke_agent researcher")
    tool = seen.span("execute_tool search")
    assert [span.name for span in seen.spans] == [
        "invoke_agent researcher",
        "step plan",
        "execute_tool search",
    ]
    assert tool.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.name": "researcher",
        "gen_ai.tool.name": "search",
        "autogpt.call.result": "error",
        "error.type": "ValueError",
    }
    assert (tool.kind, tool.status, tool.description, tool.seconds, tool.library) == (
        "internal",
        "error",
        "ValueError: no such page",
        0.1,
        "autogpt_observe",
    )
    (event,) = tool.events
    assert (event.name, event.attributes["exception.message"], event.seconds) == (
        "exception",
        "no such page",
        0.1,
    )
    assert (tool.trace_id, tool.span_id) == (f"{1:032x}", f"{3:016x}")
    assert tool.parent is not None
    assert tool.parent.parent == run
    assert run.children == (tool.parent,)
    assert (run.parent, tool.children) == (None, ())


def test_spans_that_are_open_are_seen(seen: Observed) -> None:
    with obs.agent("a"), obs.step("s"):
        assert seen.tree() == "invoke_agent a  (open)\n  step s  (open)"
        assert seen.span("step s").seconds is None
    assert seen.tree() == "invoke_agent a\n  step s"


def test_a_span_is_told_from_others_by_its_attributes(seen: Observed) -> None:
    with obs.agent("a"), obs.step("s"):
        pass
    with obs.agent("b"), obs.step("s"):
        pass
    found = seen.span("step s", {"gen_ai.agent.name": "b"})
    assert found.parent == seen.span("invoke_agent b")
    with pytest.raises(NotObservedError) as caught:
        seen.span("step s")
    assert str(caught.value) == (
        "there are 2 spans `step s`; say which by its `attributes`, or see `spans`. There are:\n"
        "  invoke_agent a\n"
        "    step s\n"
        "  invoke_agent b\n"
        "    step s"
    )
    with pytest.raises(NotObservedError) as caught:
        seen.span("step s", {"gen_ai.agent.name": "c"})
    assert str(caught.value) == (
        "there is no span `step s` with {'gen_ai.agent.name': 'c'}. There are:\n"
        "  invoke_agent a  gen_ai.agent.name=a\n"
        "    step s  gen_ai.agent.name=a\n"
        "  invoke_agent b  gen_ai.agent.name=b\n"
        "    step s  gen_ai.agent.name=b"
    )


def test_a_span_that_is_not_there(seen: Observed) -> None:
    with pytest.raises(NotObservedError) as caught:
        seen.span("step plan")
    assert str(caught.value) == "there is no span `step plan`, nor any other"
    research(seen.clock)
    with pytest.raises(NotObservedError) as caught:
        seen.span("step plam")
    assert str(caught.value) == (
        "there is no span `step plam`; did you mean `step plan`? There are:\n"
        "  invoke_agent researcher\n"
        "    step plan\n"
        "      execute_tool search\n"
        "    chat gpt-4o"
    )
    assert isinstance(caught.value, AssertionError)


def test_spans_of_other_libraries_are_timed_by_the_same_clock(seen: Observed) -> None:
    observer = obs.init(AGENT)
    assert observer.tracer_provider is not None
    tracer = observer.tracer_provider.get_tracer("httpx")
    with obs.agent("a"), tracer.start_as_current_span("GET") as span:
        seen.clock.advance(1.5)
        span.add_event("first byte", {"n": 1})
        seen.clock.advance(0.5)
    get = seen.span("GET")
    assert (get.seconds, get.library) == (2, "httpx")
    assert get.events == (("first byte", {"n": 1}, 1.5),)
    assert seen.tree() == "invoke_agent a\n  GET"


def test_secrets_are_out_of_spans_as_they_would_be_exported(seen: Observed) -> None:
    secret = "sk-" + "a" * 48
    with suppress(ValueError), obs.agent("a"):
        otel.get_current_span().set_attribute("header", f"Bearer {secret}")
        raise ValueError(f"bad key {secret}")
    run = seen.span("invoke_agent a")
    assert secret not in repr(run)
    assert run.attributes["header"] == "Bearer [redacted:openai-api-key]"
    assert run.description == "ValueError: bad key [redacted:openai-api-key]"


def test_content_is_captured_where_the_test_asks_for_it() -> None:
    for capture, arguments in ((False, None), (True, '{"q":"cats"}')):
        with observe(AGENT, capture_content=capture) as seen:
            _search("cats")
        (span,) = seen.spans
        assert span.attributes.get("gen_ai.tool.call.arguments") == arguments


@obs.tool("search")
def _search(q: str) -> str:
    return f"{q}!"


# --- events, clock, ids ---


def test_events_are_in_order_and_equal_to_ones_that_are_made(seen: Observed) -> None:
    with suppress(ValueError):
        research(seen.clock, fails=True)
    assert seen.events == [
        events.RunStarted("researcher"),
        events.Failure("researcher", "ValueError", None),
        events.ToolCall("researcher", "search", "error", 0.1, None),
        events.Step("researcher", "plan", "error", 0.1, None),
        events.Run("researcher", "error", 0.1, None),
    ]


def test_seconds_of_events_are_whole_nanoseconds(seen: Observed) -> None:
    research(seen.clock)
    assert 0.1 + 0.2 - 0.1 != 0.2
    assert [event.seconds for event in seen.events if isinstance(event, events.LLMCall)] == [0.2]
    assert seen.events[-1] == events.Run("researcher", "success", 0.3, None)


def test_the_clock_moves_by_hand() -> None:
    clock = FakeClock(datetime(2030, 5, 1, tzinfo=UTC))
    assert (clock(), clock.time_ns()) == (0.0, 1_903_824_000_000_000_000)
    for _ in range(3):
        clock.advance(0.1)
    assert clock() == 0.3
    assert clock.now() == datetime(2030, 5, 1, 0, 0, 0, 300_000, tzinfo=UTC)
    assert repr(clock) == "<FakeClock: 2030-05-01T00:00:00.300000+00:00>"
    with observe(AGENT, clock=clock) as seen:
        research(seen.clock)
    assert seen.clock is clock
    assert clock() == 0.6


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_the_clock_does_not_go_back(seconds: float) -> None:
    with pytest.raises(UsageError) as caught:
        FakeClock().advance(seconds)
    assert str(caught.value) == f"clock.advance: got {seconds!r}, expected seconds that can pass"


def test_a_clock_needs_a_zone() -> None:
    with pytest.raises(UsageError) as caught:
        FakeClock(datetime(2030, 5, 1))  # noqa: DTZ001  # what is refused
    assert str(caught.value) == (
        "FakeClock: got datetime.datetime(2030, 5, 1, 0, 0), expected a time with a zone, such as"
        " UTC"
    )


def test_ids_count() -> None:
    ids = CountingIds()
    assert [ids.bits(size) for size in (128, 64, 64, 128, 64)] == [1, 1, 2, 2, 3]


def test_the_same_test_sees_the_same() -> None:
    shown = []
    for _ in range(2):
        with observe(AGENT) as seen:
            research(seen.clock)
        shown.append((seen.spans, seen.events, seen.moved()))
    assert shown[0] == shown[1]
    assert len(shown[0][0]) == 4


# --- more ---


def test_clear_forgets_what_prepared_the_test(seen: Observed) -> None:
    research(seen.clock)
    obs.metric("queue_length").set(7, site="docs")
    seen.clear()
    assert (seen.moved(), seen.spans, seen.events, seen.logs) == ({}, [], [], [])
    research(seen.clock)
    assert seen.metric("runs_total") == 1
    assert seen.metric("queue_length", site="docs") == 7
    assert seen.moved("runs_total", "run_seconds_sum") == {
        'run_seconds_sum{agent="researcher"}': 0.3,
        'runs_total{agent="researcher",outcome="success"}': 1,
    }


def test_tasks_and_threads_are_seen(seen: Observed) -> None:
    async def work() -> None:
        async with obs.agent("a"):
            await asyncio.gather(*(step(name) for name in ("s1", "s2")))

    async def step(name: str) -> None:
        with obs.step(name):
            await asyncio.sleep(0)

    asyncio.run(work())
    thread = threading.Thread(target=research, args=(seen.clock,))
    thread.start()
    thread.join()
    assert seen.tree() == (
        "invoke_agent a\n"
        "  step s1\n"
        "  step s2\n"
        "invoke_agent researcher\n"
        "  step plan\n"
        "    execute_tool search\n"
        "  chat gpt-4o"
    )


def test_below_spans_of_the_host(seen: Observed) -> None:
    host = TracerProvider().get_tracer("host")
    with host.start_as_current_span("request") as request, obs.agent("a"):
        pass
    (run,) = seen.spans
    assert run.parent_id == f"{request.get_span_context().span_id:016x}"
    assert run.parent is None
    assert seen.tree() == "invoke_agent a  (in a span that is not observed here)"


# --- log lines ---


def test_lines_are_what_would_be_written() -> None:
    with observe(replace(AGENT, logging=Logging())) as seen:
        with obs.agent("researcher"):
            seen.clock.advance(1.25)
            log.bind(customer="acme").info("page read", site="docs", bytes=12)
        log.debug("too little")
    about = {
        "ecs.version": "8.11.0",
        "service.name": "crawler",
        "service.environment": "production",
        "event.dataset": "crawler",
    }
    assert seen.logs == [
        {
            "@timestamp": "2024-01-01T00:00:01.250Z",
            "log.level": "info",
            "message": "page read",
            "log.logger": __name__,
            "trace.id": f"{1:032x}",
            "span.id": f"{1:016x}",
            "labels": {"customer": "acme", "site": "docs"},
            "numeric_labels": {"bytes": 12},
            **about,
        },
        {
            "@timestamp": "2024-01-01T00:00:01.250Z",
            "log.level": "info",
            "message": "run ended",
            "log.logger": "autogpt_observe",
            "trace.id": f"{1:032x}",
            "span.id": f"{1:016x}",
            "event.action": "run.end",
            "event.outcome": "success",
            "event.duration": 1_250_000_000,
            "labels": {"agent": "researcher", "outcome": "success"},
            **about,
        },
    ]


def test_lines_of_pythons_logging_are_seen_where_the_spec_asks_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    factory = logging.getLogRecordFactory()
    asked = replace(AGENT, logging=Logging(stdlib=LogLevel.WARNING))
    with observe(asked) as seen:
        logging.getLogger("host").warning("disk %s", "full")
    with observe(AGENT) as other:
        logging.getLogger("host").warning("disk full")
    assert [line["message"] for line in seen.logs] == ["disk full"]
    assert other.logs == []
    assert caplog.messages == ["disk full", "disk full"]
    assert logging.getLogRecordFactory() is factory


def test_lines_carry_no_secrets_and_obey_the_variables(seen: Observed) -> None:
    secret = "sk-" + "a" * 48
    log.warning("key", value=secret)
    assert [line["labels"] for line in seen.logs] == [{"value": "[redacted:openai-api-key]"}]
    with observe(AGENT, variables={"AUTOGPT_OBSERVE_LOG_LEVEL": "error"}) as quiet:
        log.warning("key")
    assert quiet.logs == []


def test_what_is_logged_after_shutdown_is_not_seen(seen: Observed) -> None:
    log.info("before")
    obs.shutdown()
    log.info("after")
    obs.init(AGENT)
    log.info("again")
    assert [line["message"] for line in seen.logs] == ["before", "again"]
    seen.clear()
    assert seen.logs == []
