"""Spans of the runtime's own provider.

They are OpenTelemetry's spans to whoever meets them in a context. But all that can wait, such as
the checks of limits and the redaction, waits for the thread that exports.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)
from opentelemetry.trace import (
    Span as AnySpan,
)

from autogpt_observe.runtime.traces.conventions import exception_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import Attributes, AttributeValue

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
UNSAMPLED = TraceFlags(TraceFlags.DEFAULT)
SPAN_NAME = "span.name"
"""The name under which the names of spans and of their events are redacted."""

STATUS_DESCRIPTION = "status.description"
"""The name under which the description of a status is redacted."""

MOST_HELD = 1_280
"""The most of attributes, events and links each that an open span holds: ten times as many as it
usually carries when it is exported."""

_ATOMS = (str, bool, int, float)


class Library(NamedTuple):
    """Who made a span: OpenTelemetry's instrumentation scope."""

    name: str
    version: str | None = None


class SpanEvent(NamedTuple):
    """Something that happened while a span was open, so many nanoseconds after the epoch."""

    name: str
    nanoseconds: int
    attributes: Mapping[str, AttributeValue] | None


class Taker(Protocol):
    """Takes the spans that ended."""

    def offer(self, span: Span, /) -> None:
        """Take a sampled span that has ended; returns at once."""


def make_context(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState) -> SpanContext:
    """A context of a span of this process, with ids that are known to be valid."""
    return _new(SpanContext, (trace_id, span_id, False, flags, state, True))


def _make_context(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags, trace_state=state)


_new = tuple.__new__
if make_context(1, 2, SAMPLED, DEFAULT_TRACE_STATE) != _make_context(
    1, 2, SAMPLED, DEFAULT_TRACE_STATE
):
    make_context = _make_context  # a `SpanContext` of another shape: its own checks, then


class Span(AnySpan):
    """A span. Once it has ended it changes no more.

    Attributes:
        context: its ids; the flags say whether it is sampled.
        parent: the ids of the span around it, which may be another process's.
        attributes: None as long as there are none; a mapping that was given is shared, not changed.
        events, links: the last of them, None as long as there are none.
        attributes_lost, events_lost, links_lost: how many it did not hold: the attributes that came
            last, but the events and links that came first.
        started, ended: nanoseconds since the epoch; ``ended`` is 0 while it is open.
        keep: whether tail sampling has to keep its trace.
        now: nanoseconds since the epoch, at this moment.
    """

    attributes: Mapping[str, AttributeValue] | None = None
    events: list[SpanEvent] | None = None
    links: list[Link] | None = None
    attributes_lost = events_lost = links_lost = 0
    status: Status | None = None
    library = Library("autogpt_observe")
    ended = 0
    keep = False
    now: Callable[[], int] = time.time_ns
    _own: dict[str, AttributeValue] | None = None  # the attributes, once they are not shared

    def __init__(  # noqa: PLR0913, PLR0917  # what a span is made of; it is made on the hot path
        self,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        started: int,
        taker: Taker,
    ) -> None:
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.started = started
        self._taker: Taker = taker

    def get_span_context(self) -> SpanContext:
        """Its ids."""
        return self.context

    def is_recording(self) -> bool:
        """Whether it is sampled and open."""
        return not self.ended and bool(self.context[3])

    def end(self, end_time: int | None = None) -> None:
        """End it; later calls do nothing."""
        if self.ended:
            return
        self.ended = self.now() if end_time is None else end_time
        if self.context[3]:
            self._taker.offer(self)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one attribute; a value of a type that spans don't carry is left out."""
        own = self._own
        if (
            own is not None
            and own is self.attributes
            and len(own) < MOST_HELD
            and isinstance(value, _ATOMS)
            and not self.ended
        ):
            own[key] = value
        else:
            self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes."""
        if not self.is_recording():
            return
        own = self._own
        if own is None or own is not self.attributes:
            self.attributes = self._own = own = {**(self.attributes or {})}
        given = _frozen(attributes)
        if len(own) + len(given) <= MOST_HELD:
            own |= given
            return
        for key, value in given.items():
            if key in own or len(own) < MOST_HELD:
                own[key] = value
            else:
                self.attributes_lost += 1

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        """Add something that happened."""
        if self.is_recording():
            when = self.now() if timestamp is None else timestamp
            event = SpanEvent(name, when, _frozen(attributes) if attributes else None)
            events = self.events
            if events is None:
                self.events = [event]
                return
            events.append(event)
            if len(events) > MOST_HELD:
                del events[0]
                self.events_lost += 1

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link to another span."""
        if self.is_recording() and (context.is_valid or attributes or context.trace_state):
            link, links = Link(context, attributes), self.links
            if links is None:
                self.links = [link]
                return
            links.append(link)
            if len(links) > MOST_HELD:
                del links[0]
                self.links_lost += 1

    def update_name(self, name: str) -> None:
        """Rename it."""
        if self.is_recording():
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set its status; OK is final, and nothing goes back to UNSET."""
        if not self.is_recording() or (
            self.status is not None and self.status.status_code is StatusCode.OK
        ):
            return
        given = status if isinstance(status, Status) else Status(status, description)
        if given.status_code is not StatusCode.UNSET:
            self.status = given

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  # the interface's
    ) -> None:
        """Add an exception as an event."""
        if self.is_recording():
            name, described = exception_event(exception)
            more = {**(attributes or {}), **({"exception.escaped": "True"} if escaped else {})}
            self.add_event(name, {**described, **more}, timestamp)


def _frozen(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes of the types that spans carry; sequences are copied, for they may change."""
    frozen: dict[str, AttributeValue] = {}
    for key, value in attributes.items():
        if isinstance(value, _ATOMS):
            frozen[key] = value
        elif isinstance(value, bytes):
            frozen[key] = value.decode("utf-8", "replace")
        elif isinstance(value, list | tuple):
            frozen[key] = tuple(value)
    return frozen
