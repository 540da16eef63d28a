"""Spans that ended, and what an export of them needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from autogpt_observe.names import Name
from autogpt_observe.runtime.traces.spans import Span
from autogpt_observe.spec.model import Service, Spec

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Traces

SECOND = 1_000_000_000
FAILED = Status(StatusCode.ERROR, "it broke")


class Nowhere:
    """Takes spans that end and keeps none."""

    def offer(self, span: Span, /) -> None:
        """Drop it."""


def context(
    trace_id: int, span_id: int, *, remote: bool = False, sampled: bool = True
) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(
        trace_id, span_id, is_remote=remote, trace_flags=flags, trace_state=DEFAULT_TRACE_STATE
    )


def ended(  # noqa: PLR0913  # what a span is made of
    name: str = "work",
    *,
    trace: int = 1,
    span: int = 2,
    parent: SpanContext | int | None = None,
    started: int = SECOND,
    ended: int = 2 * SECOND,
) -> Span:
    """A sampled span that has ended; ``parent`` may be the id of one in the same trace."""
    around = context(trace, parent) if isinstance(parent, int) else parent
    made = Span(name, SpanKind.INTERNAL, context(trace, span), around, started, Nowhere())
    made.ended = ended
    return made


def names(spans: object) -> list[str]:
    assert isinstance(spans, list | tuple)
    return [span.name for span in spans]


def service_spec(traces: Traces | None = None) -> Spec:
    service = Service(name=Name("crawler"), owner=Name("agents-team"), environment=Name("staging"))
    return Spec(version=1, service=service, traces=traces)
