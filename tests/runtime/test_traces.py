"""The spans of runs, steps and calls: on the runtime's own provider and on the host's."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from textwrap import dedent
from typing import TYPE_CHECKING

import opentelemetry.trace as otel
import pytest
from opentelemetry.context import attach, detach, get_current
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from prometheus_client.openmetrics.exposition import generate_latest
from runtime_specs import RUNS, metric, spec

import autogpt_observe as obs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from opentelemetry.sdk.trace import ReadableSpan


class Collected:
    """The spans that arrived, after a flush."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.observer = obs.init(RUNS, serve=False, span_exporter=self._exporter)

    def spans(self) -> list[ReadableSpan]:
        assert obs.flush()
        return list(self._exporter.get_finished_spans())

    def by_name(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.spans()}


@pytest.fixture
def collected() -> Iterator[Collected]:
    yield Collected()
    obs.shutdown()


def ids_of(span: ReadableSpan | otel.Span) -> otel.SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan | otel.Span) -> int:
    return ids_of(span).span_id


def nothing_current() -> bool:
    return not otel.get_current_span().get_span_context().is_valid and not get_current()


# --- the tree ---


def test_spans_nest_as_the_work_does(collected: Collected) -> None:
    with obs.agent("researcher"), obs.step("plan"):
        with obs.tool("search"):
            pass
        with obs.llm("gpt-4o", provider="openai"):
            pass
    spans = collected.by_name()
    run, step = spans["invoke_agent researcher"], spans["step plan"]
    tool, call = spans["execute_tool search"], spans["chat gpt-4o"]
    assert [parent_of(each) for each in (run, step, tool, call)] == [
        None,
        id_of(run),
        id_of(step),
        id_of(step),
    ]
    assert len({ids_of(each).trace_id for each in spans.values()}) == 1
    assert [each.kind for each in (run, step, tool, call)] == [
        SpanKind.INTERNAL,
        SpanKind.INTERNAL,
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
    ]
    assert nothing_current()


def test_two_runs_are_two_traces(collected: Collected) -> None:
    for _ in range(2):
        with obs.agent("a"):
            pass
    first, second = collected.spans()
    assert ids_of(first).trace_id != ids_of(second).trace_id


def test_spans_begin_and_end_around_the_work(collected: Collected) -> None:
    before = time.time_ns()
    with obs.agent("a"):
        time.sleep(0.02)
    after = time.time_ns()
    (span,) = collected.spans()
    assert span.start_time is not None
    assert span.end_time is not None
    assert before <= span.start_time < span.end_time <= after
    assert span.end_time - span.start_time >= 20_000_000


def test_foreign_spans_nest_below_ours_and_ours_below_them(collected: Collected) -> None:
    foreign = TracerProvider()
    foreign_spans = InMemorySpanExporter()
    foreign.add_span_processor(SimpleSpanProcessor(foreign_spans))
    tracer = foreign.get_tracer("host")
    with (
        tracer.start_as_current_span("request"),
        obs.agent("a"),
        tracer.start_as_current_span("query"),
        obs.step("inner"),
    ):
        pass
    ours = collected.by_name()
    query, request = foreign_spans.get_finished_spans()
    assert parent_of(ours["invoke_agent a"]) == id_of(request)
    assert parent_of(query) == id_of(ours["invoke_agent a"])
    assert parent_of(ours["step inner"]) == id_of(query)
    assert nothing_current()


def test_the_run_is_the_current_span_of_whoever_asks(collected: Collected) -> None:
    with obs.agent("a"):
        span = otel.get_current_span()
        assert span.is_recording()
        span.set_attribute("customer", "acme")
        span.set_attributes({"sizes": [1, 2], "odd": object()})  # type: ignore[dict-item]
        span.add_event("cache", {"hit": True}, timestamp=5)
        span.add_link(otel.SpanContext(1, 2, is_remote=True), {"why": "test"})
        span.update_name("renamed")
        span.set_status(StatusCode.OK)
        span.set_status(Status(StatusCode.ERROR, "too late"))
    span.set_attribute("customer", "late")
    span.add_event("late")
    span.end()
    (seen,) = collected.spans()
    assert seen.name == "renamed"
    assert seen.attributes is not None
    assert (seen.attributes["customer"], seen.attributes["sizes"]) == ("acme", (1, 2))
    assert "odd" not in seen.attributes
    (event,) = seen.events
    assert (event.name, event.timestamp, dict(event.attributes or {})) == (
        "cache",
        5,
        {"hit": True},
    )
    assert [(link.context.span_id, dict(link.attributes or {})) for link in seen.links] == [
        (2, {"why": "test"})
    ]
    assert seen.status.status_code is StatusCode.OK


def test_attributes_of_one_span_do_not_show_on_the_next(collected: Collected) -> None:
    for name in ("acme", None):
        with obs.step("s"):
            if name:
                otel.get_current_span().set_attribute("customer", name)
    first, second = collected.spans()
    assert first.attributes is not None
    assert second.attributes is not None
    assert "customer" in first.attributes
    assert "customer" not in second.attributes


# --- contexts ---


def test_the_consumer_of_a_generator_is_not_inside_of_it(collected: Collected) -> None:
    @obs.agent("a")
    async def produce() -> AsyncGenerator[int, None]:
        with obs.step("around"):
            yield 1
            yield 2

    async def consume() -> None:
        async for _ in produce():
            assert nothing_current()
            with obs.step("of the consumer"):
                pass

    asyncio.run(consume())
    spans = collected.spans()
    consumer = [span for span in spans if span.name == "step of the consumer"]
    assert [parent_of(span) for span in consumer] == [None, None]
    around = next(span for span in spans if span.name == "step around")
    assert parent_of(around) == id_of(spans[-1])
    assert nothing_current()


def test_break_cancellation_and_errors_leave_nothing_behind(collected: Collected) -> None:
    @obs.agent("generator")
    def produce() -> Iterator[int]:
        with obs.step("s"):
            yield from range(10)

    for each in produce():
        if each == 3:
            break
    gc.collect()
    assert nothing_current()

    @obs.agent("task")
    async def wait() -> None:
        with obs.step("s"):
            await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    with suppress(ValueError), obs.agent("failing"), obs.step("s"):
        raise ValueError("no")
    assert nothing_current()
    names = [span.name for span in collected.spans()]
    runs = ("generator", "task", "failing")
    assert names == [n for run in runs for n in ("step s", f"invoke_agent {run}")]


def test_a_foreign_span_that_was_never_detached_does_not_stay(collected: Collected) -> None:
    with obs.agent("a"):
        attach(
            otel.set_span_in_context(otel.NonRecordingSpan(otel.SpanContext(1, 2, is_remote=False)))
        )
    assert nothing_current()
    assert len(collected.spans()) == 1


def test_a_remote_parent_is_continued(collected: Collected) -> None:
    remote = otel.SpanContext(
        0xABC,
        0xDEF,
        is_remote=True,
        trace_flags=otel.TraceFlags(1),
        trace_state=otel.TraceState([("k", "v")]),
    )
    token = attach(otel.set_span_in_context(otel.NonRecordingSpan(remote)))
    with obs.agent("a"):
        pass
    detach(token)
    (span,) = collected.spans()
    assert ids_of(span).trace_id == 0xABC
    assert ids_of(span).trace_state.get("k") == "v"
    assert parent_of(span) == 0xDEF
    assert span.parent is not None
    assert span.parent.is_remote


# --- failures ---


def test_a_failure_is_described_where_it_happened(collected: Collected) -> None:
    with suppress(ValueError), obs.agent("a"), obs.step("s"):
        raise ValueError("no such page")
    spans = collected.by_name()
    step, run = spans["step s"], spans["invoke_agent a"]
    for span in (step, run):
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "ValueError: no such page"
    (event,) = step.events
    assert event.attributes is not None
    assert event.name == "exception"
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "no such page"
    assert "raise ValueError" in str(event.attributes["exception.stacktrace"])
    assert not run.events


def test_a_cancelled_run_is_no_error(collected: Collected) -> None:
    with suppress(asyncio.CancelledError), obs.agent("a"):
        raise asyncio.CancelledError
    (span,) = collected.spans()
    assert span.status.status_code is StatusCode.UNSET
    assert not span.events


class Hostile(Exception):  # noqa: N818  # a name of the tests
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_that_has_no_text(collected: Collected) -> None:
    with pytest.raises(Hostile), obs.agent("a"):
        raise Hostile
    (span,) = collected.spans()
    assert span.status.status_code is StatusCode.ERROR
    assert nothing_current()


# --- exemplars and sampling ---


TIMED = spec(
    run_seconds=metric("histogram", "run.duration", "agent", exemplars=True),
    plain_seconds=metric("histogram", "run.duration", "agent"),
)


def test_an_exemplar_names_the_span() -> None:
    exporter = InMemorySpanExporter()
    observer = obs.init(TIMED, serve=False, span_exporter=exporter)
    try:
        with obs.agent("a"):
            pass
        assert obs.flush()
        (span,) = exporter.get_finished_spans()
        ids = ids_of(span)
        shown = generate_latest(observer.registry).decode()  # type: ignore[no-untyped-call]
        example = f'# {{span_id="{ids.span_id:016x}",trace_id="{ids.trace_id:032x}"}} '
        (line,) = [line for line in shown.splitlines() if "# {" in line]
        assert line.startswith(f'run_seconds_bucket{{agent="a",le="0.005"}} 1.0 {example}')
    finally:
        obs.shutdown()


def test_what_is_not_sampled_has_ids_but_no_exemplar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    exporter = InMemorySpanExporter()
    observer = obs.init(TIMED, serve=False, span_exporter=exporter)
    try:
        with obs.agent("a"):
            run = otel.get_current_span()
            assert run.get_span_context().is_valid
            assert not run.is_recording()
            run.set_attribute("k", "v")
            run.record_exception(ValueError("no"))
        assert obs.flush()
        assert exporter.get_finished_spans() == ()
        assert "trace_id" not in generate_latest(observer.registry).decode()  # type: ignore[no-untyped-call]
    finally:
        obs.shutdown()


def test_without_an_exporter_there_are_ids_for_the_logs() -> None:
    obs.init(RUNS, serve=False)
    try:
        with obs.agent("a"):
            outer = otel.get_current_span().get_span_context()
            with obs.step("s"):
                inner = otel.get_current_span().get_span_context()
        assert outer.is_valid
        assert inner.trace_id == outer.trace_id
        assert inner.span_id != outer.span_id
        assert not outer.trace_flags.sampled
    finally:
        obs.shutdown()
    assert nothing_current()


# --- the provider, for other libraries ---


def test_other_libraries_may_use_the_provider(collected: Collected) -> None:
    provider = collected.observer.tracer_provider
    assert provider is not None
    tracer = provider.get_tracer("httpx", "1.2")
    link = Link(otel.SpanContext(1, 2, is_remote=True))
    with obs.agent("a"):
        with tracer.start_as_current_span(
            "GET", kind=SpanKind.CLIENT, attributes={"n": 1}, links=[link], start_time=7
        ) as span:
            assert otel.get_current_span() is span
        with suppress(KeyError), tracer.start_as_current_span("POST"):
            raise KeyError("k")
        loose = tracer.start_span("loose")
        assert otel.get_current_span() is not loose
        loose.end(end_time=9)
    spans = collected.by_name()
    get, post, loose_span = spans["GET"], spans["POST"], spans["loose"]
    assert (get.kind, get.start_time, dict(get.attributes or {})) == (SpanKind.CLIENT, 7, {"n": 1})
    assert [each.context.span_id for each in get.links] == [2]
    assert get.instrumentation_scope is not None
    assert (get.instrumentation_scope.name, get.instrumentation_scope.version) == ("httpx", "1.2")
    assert {parent_of(each) for each in (get, post, loose_span)} == {id_of(spans["invoke_agent a"])}
    assert post.status.status_code is StatusCode.ERROR
    assert post.status.description == "KeyError: 'k'"
    assert [event.name for event in post.events] == ["exception"]
    assert loose_span.end_time == 9


def run_python(code: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(  # this interpreter
        [sys.executable, "-c", dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


HOST = """
    import autogpt_observe as obs, opentelemetry.trace as otel
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    seen = InMemorySpanExporter()
    def set_up():
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(seen))
        otel.set_tracer_provider(provider)
"""


@pytest.mark.parametrize("order", ["set_up(); init()", "init(); set_up()"])
def test_spans_go_to_the_provider_of_the_host(order: str) -> None:
    printed = run_python(
        HOST
        + f"""
    def init():
        obs.init(serve=False, port=0)
    {order}
    with otel.get_tracer("host").start_as_current_span("request"):
        try:
            with obs.agent("a"), obs.step("s"):
                raise ValueError("no")
        except ValueError:
            pass
    obs.shutdown()
    for span in seen.get_finished_spans():
        print(span.name, span.instrumentation_scope.name, span.status.status_code.name,
              [event.name for event in span.events], span.parent is not None)
    assert isinstance(otel.get_tracer_provider(), TracerProvider)
    """
    )
    assert printed.splitlines() == [
        "step s autogpt_observe ERROR ['exception'] True",
        "invoke_agent a autogpt_observe ERROR [] True",
        "request host UNSET [] False",
    ]


def test_the_own_provider_can_be_asked_for() -> None:
    printed = run_python(
        HOST
        + """
    set_up()
    mine = InMemorySpanExporter()
    obs.init(serve=False, span_exporter=mine)
    with obs.agent("a"):
        pass
    obs.shutdown()
    print([span.name for span in mine.get_finished_spans()], seen.get_finished_spans())
    """,
        AUTOGPT_OBSERVE_TRACES="own",
    )
    assert printed == "['invoke_agent a'] ()\n"


# --- ids ---


def test_the_seed_of_the_host_does_not_repeat_ids() -> None:
    seen = set()
    obs.init(RUNS, serve=False)
    try:
        for _ in range(2):
            random.seed(7)
            with obs.agent("a"):
                seen.add(otel.get_current_span().get_span_context()[:2])
    finally:
        obs.shutdown()
    assert len(seen) == 2


def test_ids_of_many_threads_differ(collected: Collected) -> None:
    def work() -> None:
        for _ in range(100):
            with obs.step("s"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = collected.spans()
    assert len(spans) == len({id_of(span) for span in spans}) == 400


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_child_has_ids_of_its_own() -> None:
    printed = run_python(
        """
    import os, autogpt_observe as obs, opentelemetry.trace as otel
    from autogpt_observe.runtime.traces.ids import RandomIds
    ids = RandomIds()
    obs.init(serve=False)
    if os.fork() == 0:
        print(ids.bits(64), flush=True)
        os._exit(0)
    os.wait()
    print(ids.bits(64))
    """
    )
    assert len(set(printed.split())) == 2


FORKING = """
    import multiprocessing, os, sys, warnings
    import autogpt_observe as obs
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    warnings.simplefilter("ignore")  # to fork with threads is what is tested

    class Lines(SpanExporter):
        def export(self, spans):
            for span in spans:
                parent = "-" if span.parent is None else f"{span.parent.span_id:x}"
                line = f"{span.name}|{span.context.span_id:x}|{parent}|{os.getpid()}\\n"
                os.write(1, line.encode())
            return SpanExportResult.SUCCESS

    def work():
        with obs.step("of the child"):
            pass

    obs.init(serve=False, span_exporter=Lines())
    with obs.step("before"):
        pass
    with obs.agent("a"):
        if sys.argv[1] == "fork":
            child = os.fork()
            if child == 0:
                work()
                sys.exit(0)
            os.waitpid(child, 0)
        else:
            process = multiprocessing.get_context("fork").Process(target=work)
            process.start()
            process.join()
    obs.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.parametrize("way", ["fork", "multiprocessing"])
def test_spans_of_a_forked_child_arrive_once(way: str) -> None:
    printed = run_python(FORKING, way)
    spans = {line.split("|")[0]: line.split("|")[1:] for line in printed.splitlines()}
    assert len(printed.splitlines()) == len(spans) == 3
    run, child, before = (
        spans[name] for name in ("invoke_agent a", "step of the child", "step before")
    )
    assert child[1] == run[0]
    assert run[2] == before[2] != child[2]


def test_spans_of_a_short_program_arrive_at_its_end() -> None:
    printed = run_python(
        """
    import concurrent.futures.thread, os, autogpt_observe as obs
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Lines(SpanExporter):
        def export(self, spans):
            for span in spans:
                said = span.resource.attributes
                names = said["service.name"], said["telemetry.sdk.name"]
                os.write(1, f"{span.name} {names}".encode())
            return SpanExportResult.SUCCESS

    obs.init(serve=False, span_exporter=Lines())
    with obs.step("s"):
        pass
    """
    )
    assert printed == "step s ('autogpt', 'opentelemetry')"


SECRET = "sk-proj-" + "a1B2c3D4" * 8


def test_no_secret_is_exported(collected: Collected) -> None:
    with suppress(ValueError), obs.agent(f"a {SECRET}"), obs.step("s"):
        span = otel.get_current_span()
        span.set_attribute("authorization", "Basic abc")
        span.set_attribute("note", f"the key is {SECRET}")
        span.add_event("retry", {"header": f"Bearer {SECRET}"})
        raise ValueError(f"bad key {SECRET}")
    spans = collected.spans()
    shown = " ".join(span.to_json() for span in spans)
    assert "sk-proj-" not in shown
    step = spans[0]
    assert step.attributes is not None
    assert step.attributes["authorization"] == "[redacted:authorization]"
    assert step.attributes["note"] == "the key is [redacted:openai-api-key]"
    assert step.status.description == "ValueError: bad key [redacted:openai-api-key]"


def test_no_secret_reaches_the_provider_of_the_host() -> None:
    printed = run_python(
        HOST
        + """
    set_up()
    obs.init(serve=False)
    secret = "sk-proj-" + "a1B2c3D4" * 8
    try:
        with obs.agent(f"a {secret}"), obs.step("s"):
            raise ValueError(f"bad key {secret}")
    except ValueError:
        pass
    obs.shutdown()
    shown = " ".join(span.to_json() for span in seen.get_finished_spans())
    print("sk-proj-" in shown, shown.count("[redacted:openai-api-key]"))
    """
    )
    assert printed.startswith("False ")
