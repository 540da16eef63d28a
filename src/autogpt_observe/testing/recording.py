"""Keeps what happens: the spans from their start on, and the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.runtime.traces.provider import Nothing, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import SpanContext, SpanKind
    from opentelemetry.util.types import AttributeValue

    from autogpt_observe.runtime.events import Event
    from autogpt_observe.runtime.traces.ids import Ids
    from autogpt_observe.runtime.traces.spans import Span
    from autogpt_observe.testing.clock import FakeClock

_DIGITS = 9
"""Of seconds, after the point: below are the errors of floating point."""


class RecordingProvider(Provider):
    """Makes spans by a clock of the test's, all of them sampled.

    Attributes:
        begun: the spans in the order they began, those that are open too.
    """

    def __init__(self, clock: FakeClock, ids: Ids) -> None:
        super().__init__(_always, Nothing(), ids)
        self._clock = clock
        self.begun: list[Span] = []

    def start(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue] | None,
        context: Mapping[str, object],
    ) -> Span:
        """A span that begins now."""
        span = super().start(name, kind, attributes, context)
        span.started = self._clock.time_ns()
        span.now = self._clock.time_ns
        self.begun.append(span)
        return span


class RecordingSink:
    """Keeps events.

    Attributes:
        events: in the order they happened. Without their `trace`, which the spans tell.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, event: Event, /) -> None:
        """Keep ``event``."""
        fields = event._fields
        if "trace" in fields:
            event = event._replace(trace=None)  # type: ignore[call-arg]  # it has one
        if "seconds" in fields:
            event = event._replace(seconds=round(event.seconds, _DIGITS))  # type: ignore[union-attr,call-arg]  # it has them
        self.events.append(event)


def _always(_trace_id: int, _parent: SpanContext | None, /) -> bool:
    return True
