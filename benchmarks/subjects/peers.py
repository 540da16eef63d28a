"""Tools that people use today, set up as their documentation says, sending their spans nowhere.

They make the span of a tool call, and no metric.
"""

from __future__ import annotations

import logging
import os
from itertools import repeat
from typing import TYPE_CHECKING, Any

from child import Subject

from subjects.sent import Counting, batching

if TYPE_CHECKING:
    from collections.abc import Callable

AGENT, TOOL = "researcher", "web_search"


def logfire_span() -> Subject:
    import logfire

    exporter = Counting(TOOL)
    logfire.configure(
        send_to_logfire=False,
        console=False,
        inspect_arguments=False,
        metrics=False,
        additional_span_processors=[batching(exporter)],
    )

    def run(count: int) -> None:
        with logfire.span("run", agent=AGENT):
            for _ in repeat(None, count):
                with logfire.span(TOOL, agent=AGENT, tool=TOOL):
                    pass

    return Subject(run, _sent(logfire.force_flush, exporter))


def openinference_span() -> Subject:
    from openinference.instrumentation import TracerProvider

    exporter = Counting(TOOL)
    provider = TracerProvider()
    provider.add_span_processor(batching(exporter))
    tracer = provider.get_tracer("bench")

    def run(count: int) -> None:
        with tracer.start_as_current_span("run", openinference_span_kind="agent"):
            for _ in repeat(None, count):
                with tracer.start_as_current_span(TOOL, openinference_span_kind="tool") as span:
                    span.set_tool(name=TOOL, parameters={})

    return Subject(run, _sent(provider.force_flush, exporter))


def traceloop_span() -> Subject:
    os.environ["TRACELOOP_TELEMETRY"] = "false"
    from opentelemetry import trace
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import agent, tool

    logging.disable()
    exporter = Counting(f"{TOOL}.tool")
    Traceloop.init(
        "bench", processor=batching(exporter), instruments=set(), telemetry_enabled=False
    )

    @tool(name=TOOL)  # type: ignore[untyped-decorator]  # not installed with us
    def search() -> None: ...

    @agent(name=AGENT)  # type: ignore[untyped-decorator]  # as above
    def run(count: int) -> None:
        for _ in repeat(None, count):
            search()

    provider: Any = trace.get_tracer_provider()  # the SDK's
    return Subject(run, _sent(provider.force_flush, exporter))


def _sent(flush: Callable[[], object], exporter: Counting) -> Callable[[], dict[str, object]]:
    def work() -> dict[str, object]:
        flush()
        return {"spans": exporter.take()}

    return work
