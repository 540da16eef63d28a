"""Ways to see a tool call that does nothing: a span, a counter, a histogram with exemplar."""

from __future__ import annotations

import os
import random
import threading
import time
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from child import Subject
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, Counter, Histogram

import autogpt_observe as obs
from subjects.sent import QUEUE, Counting, batching
from subjects.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = Path(__file__).with_name("step.yaml")
AGENT, TOOL = "researcher", "web_search"
SPAN = f"execute_tool {TOOL}"
BEGINNING = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.agent.name": AGENT,
    "gen_ai.tool.name": TOOL,
}
RESULT = "autogpt.call.result"
RESULTS = ("ok", "error", "timeout", "cancelled")
METRICS = ("bench_calls_total", "bench_call_duration_seconds")
BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.0, 20.0, 40.0, 80.0)


def floor_lock() -> Subject:
    """A lock is taken and a number added."""
    lock = threading.Lock()
    total = 0

    def run(count: int) -> None:
        nonlocal total
        for _ in repeat(None, count):
            with lock:
                total += 1

    return Subject(run, dict)


def floor_record() -> Subject:
    """The clock is read twice, an id made, all of it kept."""
    clock, bits = time.time_ns, random.getrandbits
    kept: list[tuple[int, int, int]] = []

    def run(count: int) -> None:
        kept.clear()
        for _ in repeat(None, count):
            kept.append((clock(), bits(64), clock()))  # noqa: PERF401  # as a span is kept

    return Subject(run, dict)


class _Sdk:
    """The SDK as a host sets it up, with a processor that sends batches."""

    def __init__(self) -> None:
        self.exporter = Counting(SPAN)
        self.provider = TracerProvider()
        self.provider.add_span_processor(batching(self.exporter))
        self.tracer = self.provider.get_tracer("bench")

    def spans(self) -> int:
        self.provider.force_flush()
        return self.exporter.take()


def sdk_span() -> Subject:
    """The bare span of the SDK, without any metric."""
    sdk = _Sdk()
    tracer = sdk.tracer

    def run(count: int) -> None:
        with tracer.start_as_current_span("invoke_agent"):
            for _ in repeat(None, count):
                with tracer.start_as_current_span(SPAN, attributes=BEGINNING):
                    pass

    return Subject(run, lambda: {"spans": sdk.spans()})


def by_hand() -> Subject:
    """The SDK and prometheus_client used well: label children are bound, attributes made once."""
    sdk = _Sdk()
    registry = CollectorRegistry()
    names = ("agent", "tool")
    calls = Counter("bench_calls", "Calls", (*names, "result"), registry=registry)
    duration = Histogram(
        "bench_call_duration_seconds", "Time", names, buckets=BOUNDS, registry=registry
    )
    by_result = {result: calls.labels(AGENT, TOOL, result) for result in RESULTS}
    observe = duration.labels(AGENT, TOOL).observe
    tracer, clock = sdk.tracer, time.perf_counter

    def call() -> None:
        start = clock()
        result = "ok"
        with tracer.start_as_current_span(SPAN, attributes=BEGINNING) as span:
            try:
                pass  # the tool
            except TimeoutError:
                result = "timeout"
                raise
            except Exception:
                result = "error"
                raise
            finally:
                span.set_attribute(RESULT, result)
        ids = span.get_span_context()
        exemplar = {"trace_id": f"{ids.trace_id:032x}", "span_id": f"{ids.span_id:016x}"}
        observe(clock() - start, exemplar)
        by_result[result].inc()

    def run(count: int) -> None:
        with tracer.start_as_current_span("invoke_agent"):
            for _ in repeat(None, count):
                call()

    shown = Shown(registry, *METRICS)

    def work() -> dict[str, object]:
        return {"spans": sdk.spans(), "says": sdk.exporter.said(), **shown.take()}

    return Subject(run, work)


def _as_block(count: int) -> None:
    tool = obs.tool
    with obs.agent(AGENT):
        for _ in repeat(None, count):
            with tool(TOOL):
                pass


def ours() -> Subject:
    """This package, on its own provider."""
    return _ours(_as_block)


def ours_decorated() -> Subject:
    """The same, the tool as a decorated function that is called with an argument."""

    @obs.tool(TOOL)
    def search(question: str) -> str:
        return question

    def run(count: int) -> None:
        with obs.agent(AGENT):
            for _ in repeat(None, count):
                search("why")

    return _ours(run)


def _ours(run: Callable[[int], None]) -> Subject:
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(QUEUE)
    exporter = Counting(SPAN)
    observer = obs.init(SPEC, serve=False, span_exporter=exporter)
    shown = Shown(observer.registry, *METRICS)

    def work() -> dict[str, object]:
        assert obs.flush()
        return {"spans": exporter.take(), "says": exporter.said(), **shown.take()}

    return Subject(run, work)


def ours_on_host() -> Subject:
    """This package, on the provider of its host."""
    sdk = _Sdk()
    trace.set_tracer_provider(sdk.provider)
    observer = obs.init(SPEC, serve=False)
    shown = Shown(observer.registry, *METRICS)

    def work() -> dict[str, object]:
        return {"spans": sdk.spans(), "says": sdk.exporter.said(), **shown.take()}

    return Subject(_as_block, work)


def ours_step() -> Subject:
    """`obs.step`: a span and a counter."""
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(QUEUE)
    exporter = Counting("step plan")
    obs.init(SPEC, serve=False, span_exporter=exporter)

    def run(count: int) -> None:
        step = obs.step
        with obs.agent(AGENT):
            for _ in repeat(None, count):
                with step("plan"):
                    pass

    def work() -> dict[str, object]:
        assert obs.flush()
        return {"spans": exporter.take()}

    return Subject(run, work)


def ours_unsampled() -> Subject:
    """This package where no spans are exported: only the metrics, and ids for the log."""
    observer = obs.init(SPEC, serve=False)
    shown = Shown(observer.registry, *METRICS)

    def work() -> dict[str, object]:
        counts = shown.take()
        return {what: counts[what] for what in ("counted", "observed")}

    return Subject(_as_block, work)
