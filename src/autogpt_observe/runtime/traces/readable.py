"""The SDK's form of our spans, made in the exporter thread: what every exporter understands.

Here, and not in the host's threads, secrets are taken out, values are checked, limits are applied.
"""

from __future__ import annotations

from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from opentelemetry.sdk.resources import (
    TELEMETRY_SDK_LANGUAGE,
    TELEMETRY_SDK_NAME,
    TELEMETRY_SDK_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status, StatusCode

from autogpt_observe.runtime.traces.conventions.describe import SharedValues
from autogpt_observe.runtime.traces.spans import SPAN_NAME, STATUS_DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.util.types import Attributes, AttributeValue

    from autogpt_observe.runtime.traces.limits import Limits
    from autogpt_observe.runtime.traces.spans import Library, Span, SpanEvent
    from autogpt_observe.spec.model import Service

    Redact = Callable[[str, object], object]

Atom: TypeAlias = str | bool | int | float
_T = TypeVar("_T")

SERVICE_NAME = "service.name"
SERVICE_OWNER = "service.owner"
ENVIRONMENT_NAME = "deployment.environment.name"
"""https://opentelemetry.io/docs/specs/semconv/resource/; of an owner it knows nothing."""


_ATOMS = (str, bool, int, float)
_INT64 = 1 << 63
_MOST_SCOPES = 200
_MOST_SHARED = 2_000
_UNSET = Status(StatusCode.UNSET)


def build_resource(service: Service) -> Resource:
    """What the spans are from: this service, by OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, spec.

    The SDK reads the process's own environment, and runs the resource detectors named there. It
    does so in threads; where Python is on its way out and starts none, they are done without.
    """
    declared = {
        SERVICE_NAME: str(service.name),
        SERVICE_OWNER: str(service.owner),
        ENVIRONMENT_NAME: str(service.environment),
        **OTELResourceDetector().detect().attributes,
    }
    try:
        return Resource.create(declared)
    except RuntimeError:
        sdk = {
            TELEMETRY_SDK_LANGUAGE: "python",
            TELEMETRY_SDK_NAME: "opentelemetry",
            TELEMETRY_SDK_VERSION: version("opentelemetry-sdk"),
        }
        return Resource({**sdk, **declared})


class _Readable(ReadableSpan):
    """A span of the SDK that knows what was left out of it."""

    dropped = (0, 0, 0)

    @property
    def dropped_attributes(self) -> int:
        return self.dropped[0]

    @property
    def dropped_events(self) -> int:
        return self.dropped[1]

    @property
    def dropped_links(self) -> int:
        return self.dropped[2]


class _Event(Event):
    """An event that knows how many attributes were left out."""

    dropped = 0

    @property
    def dropped_attributes(self) -> int:
        return self.dropped


class _Link(Link):
    """A link that knows how many attributes were left out."""

    dropped = 0

    @property
    def dropped_attributes(self) -> int:
        return self.dropped


class SpanReader:
    """Makes the SDK's form of spans.

    Args:
        resource: what they are from.
        limits: how much of each they carry.
        redact: takes secrets out of a value, from its attribute's name and itself; None for none.
    """

    def __init__(self, resource: Resource, limits: Limits, *, redact: Redact | None = None) -> None:
        self._limits = limits
        self._redact = redact
        self._shared: dict[int, tuple[SharedValues, Attributes, int]] = {}
        self._names: dict[str, str] = {}
        self._scopes: dict[Library, InstrumentationScope] = {}
        self._resource = self._clean_resource(resource)

    def read(self, span: Span) -> ReadableSpan:
        """The SDK's form of ``span``."""
        limits = self._limits
        given = span.attributes
        attributes, dropped = (
            self._known(given)
            if type(given) is SharedValues
            else self._clean(given, limits.attributes)
        )
        dropped += span.attributes_lost
        events: Sequence[Event] = ()
        links: Sequence[Link] = ()
        dropped_events = dropped_links = 0
        if span.events:
            kept, dropped_events = _last(span.events, limits.events)
            dropped_events += span.events_lost
            events = [self._event(event) for event in kept]
        if span.links:
            linked, dropped_links = _last(span.links, limits.links)
            dropped_links += span.links_lost
            links = [self._link(link) for link in linked]
        made = _Readable(
            name=self._names.get(span.name) or self._name(span.name),
            context=span.context,
            parent=span.parent,
            resource=self._resource,
            attributes=attributes,
            events=events,
            links=links,
            kind=span.kind,
            status=_UNSET if span.status is None else self._status(span.status),
            start_time=span.started,
            end_time=span.ended,
            instrumentation_scope=self._scopes.get(span.library) or self._scope(span.library),
        )
        if dropped or dropped_events or dropped_links:
            made.dropped = (dropped, dropped_events, dropped_links)
        return made

    def _known(self, attributes: SharedValues) -> tuple[Attributes, int]:
        """As `_clean`, of attributes that many spans have."""
        known = self._shared.get(id(attributes))
        if known is None or known[0] is not attributes:
            clean, dropped = self._clean(attributes, self._limits.attributes)
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            known = self._shared[id(attributes)] = (attributes, MappingProxyType(clean), dropped)
        return known[1], known[2]

    def _clean(self, attributes: Attributes, most: int) -> tuple[dict[str, AttributeValue], int]:
        """The attributes that can be exported, and how many of them were left out."""
        if not attributes:
            return {}, 0
        redact, length, names = self._redact, self._limits.length, self._names
        cleaned: dict[str, AttributeValue] = {}
        items = tuple(attributes.items())  # at once: another thread may set one more
        for key, given in items:
            value: object = given if redact is None else redact(key, given)
            # the usual values first, for they are many
            if type(value) is str and value.isascii() and len(value) <= length:
                clean: AttributeValue | None = value
            else:
                clean = _clean_value(value, length)
            if clean is not None and len(cleaned) < most:
                shown = names.get(key) or self._name(key)
                if shown:
                    cleaned[shown] = clean
        return cleaned, len(items) - len(cleaned)

    def _event(self, event: SpanEvent) -> Event:
        attributes, dropped = self._clean(event.attributes, self._limits.event_attributes)
        name = self._names.get(event.name) or self._name(event.name)
        made = _Event(name, attributes, event.nanoseconds)
        made.dropped = dropped
        return made

    def _link(self, link: Link) -> Link:
        attributes, dropped = self._clean(link.attributes, self._limits.link_attributes)
        made = _Link(link.context, attributes)
        made.dropped = dropped
        return made

    def _status(self, status: Status) -> Status:
        description: object = status.description
        if not description:
            return status
        if self._redact is not None:
            description = self._redact(STATUS_DESCRIPTION, description)
        shown = description if isinstance(description, str) else ""
        return Status(status.status_code, _encodable(shown[: self._limits.length]))

    def _name(self, name: str) -> str:
        """The name of a span, an event, an attribute or a library, as it is exported."""
        shown = name if self._redact is None else self._redact(SPAN_NAME, name)
        clean = _encodable(shown if isinstance(shown, str) else "")
        if len(self._names) >= _MOST_SHARED:  # names without end, such as one for each goal
            self._names.clear()
        self._names[name] = clean
        return clean

    def _scope(self, library: Library) -> InstrumentationScope:
        version = library.version
        made = InstrumentationScope(self._name(library.name), version and self._name(version))
        if len(self._scopes) < _MOST_SCOPES:  # names are few, unless a host makes them up
            self._scopes[library] = made
        return made

    def _clean_resource(self, resource: Resource) -> Resource:
        redact = self._redact
        if redact is None:
            return resource
        shown = {self._name(key): redact(key, given) for key, given in resource.attributes.items()}
        return Resource(shown, resource.schema_url)  # type: ignore[arg-type]  # the types are kept


def _last(items: Sequence[_T], most: int) -> tuple[Sequence[_T], int]:
    """The last of the items, and how many were before them."""
    left_out = max(0, len(items) - most)
    return items[left_out:], left_out


def _clean_value(value: object, length: int) -> AttributeValue | None:
    """``value`` as it can be exported, None if it is of no type that spans carry."""
    if isinstance(value, _ATOMS):
        return _clean_atom(value, length)
    if not isinstance(value, list | tuple):
        return None
    kinds = {type(item) for item in value}
    if len(kinds) > 1 or not all(isinstance(item, _ATOMS) for item in value):
        return None
    atoms = [_clean_atom(item, length) for item in value]
    return None if None in atoms else tuple(atoms)


def _clean_atom(value: Atom, length: int) -> Atom | None:
    if isinstance(value, str):
        return _encodable(value[:length])
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return None  # OTLP has no room for it
    return value


def _encodable(text: str) -> str:
    """``text`` without what has no UTF-8 form: half a surrogate pair would fail a whole batch."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
