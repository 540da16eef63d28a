"""The spans of a test, as they would be exported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.sdk.resources import Resource

from autogpt_observe.runtime.traces.limits import read_limits
from autogpt_observe.runtime.traces.readable import SpanReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.util.types import AttributeValue

    from autogpt_observe.runtime.traces.spans import Span

    Attributes = Mapping[str, AttributeValue]

_NS_PER_SECOND = 1_000_000_000


class ObservedEvent(NamedTuple):
    """Something that happened in a span, so many seconds after its start."""

    name: str
    attributes: Attributes
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSpan:
    """A span, with secrets taken out and limits applied.

    Attributes:
        name: its name.
        kind: `internal`, `client`, `server`, `producer` or `consumer`.
        attributes: its attributes.
        status: `unset`, `ok` or `error`.
        description: what the status says.
        events: what happened in it.
        seconds: how long it took; None while it is open.
        library: who made it.
        trace_id, span_id: its ids, in hexadecimal digits.
        parent_id: that of the span around it, which may be one that is not observed here.
    """

    name: str
    kind: str
    attributes: Attributes
    status: str
    description: str
    events: tuple[ObservedEvent, ...]
    seconds: float | None
    library: str
    trace_id: str
    span_id: str
    parent_id: str | None
    _forest: Forest = field(repr=False, compare=False)

    @property
    def parent(self) -> ObservedSpan | None:
        """The span around it, if it is observed here."""
        return None if self.parent_id is None else self._forest.find(self.parent_id)

    @property
    def children(self) -> tuple[ObservedSpan, ...]:
        """The spans right inside of it, in the order they began."""
        return self._forest.below(self.span_id)


class Forest:
    """All spans that began, in that order, and how they hang together."""

    def __init__(self) -> None:
        self._spans: dict[str, ObservedSpan] = {}
        self._below: dict[str, list[ObservedSpan]] = {}

    def add(self, span: ObservedSpan) -> None:
        """Take a span in."""
        self._spans[span.span_id] = span
        if span.parent_id is not None:
            self._below.setdefault(span.parent_id, []).append(span)

    def find(self, span_id: str) -> ObservedSpan | None:
        """The span of this id, if it is observed here."""
        return self._spans.get(span_id)

    def below(self, span_id: str) -> tuple[ObservedSpan, ...]:
        """The spans right inside of one."""
        return tuple(self._below.get(span_id, ()))

    @property
    def spans(self) -> list[ObservedSpan]:
        """All of them."""
        return list(self._spans.values())


class Reading:
    """Reads spans as an exporter gets them."""

    def __init__(
        self, *, redact: Callable[[str, object], object], environ: Mapping[str, str]
    ) -> None:
        self._reader = SpanReader(Resource.get_empty(), read_limits(environ), redact=redact)

    def read(self, begun: Sequence[Span]) -> list[ObservedSpan]:
        """What can be seen of ``begun`` now."""
        forest = Forest()
        for span in begun:
            forest.add(_observed(self._reader.read(span), span, forest))
        return forest.spans


def _observed(readable: ReadableSpan, span: Span, forest: Forest) -> ObservedSpan:
    ids, parent, scope = span.context, span.parent, readable.instrumentation_scope
    return ObservedSpan(
        name=readable.name,
        kind=readable.kind.name.lower(),
        attributes=dict(readable.attributes or {}),
        status=readable.status.status_code.name.lower(),
        description=readable.status.description or "",
        events=tuple(_event(event, span.started) for event in readable.events),
        seconds=(span.ended - span.started) / _NS_PER_SECOND if span.ended else None,
        library="" if scope is None else scope.name,
        trace_id=f"{ids.trace_id:032x}",
        span_id=f"{ids.span_id:016x}",
        parent_id=None if parent is None else f"{parent.span_id:016x}",
        _forest=forest,
    )


def _event(event: Event, started: int) -> ObservedEvent:
    seconds = (event.timestamp - started) / _NS_PER_SECOND
    return ObservedEvent(event.name, dict(event.attributes or {}), seconds)
