"""Makes a span of each scope: on the host's provider where it set one up, else on our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import opentelemetry.trace as otel
from opentelemetry.trace import StatusCode

from autogpt_observe.runtime.failures import Outcome, outcome_of
from autogpt_observe.runtime.traces.context import SLOT, with_span
from autogpt_observe.runtime.traces.conventions import error_description, exception_event
from autogpt_observe.runtime.traces.spans import SPAN_NAME, STATUS_DESCRIPTION, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from autogpt_observe.runtime.events import Event, Trace
    from autogpt_observe.runtime.scopes import Scope
    from autogpt_observe.runtime.traces.conventions import Beginning, Conventions
    from autogpt_observe.runtime.traces.provider import Provider

    Values = Mapping[str, AttributeValue]
    Redact = Callable[[str, object], object]

LIBRARY = "autogpt_observe"


class Tracing:
    """The spans of scopes, as the hub's `Tracing`.

    Args:
        own: the runtime's own provider.
        conventions: what spans are called and what they say.
        redact: takes secrets out of values that go to the host's provider; those of our own spans
            are redacted where they are exported.
        uses_host: whether the spans go to the provider that the host has set up, if it has.
    """

    def __init__(
        self,
        own: Provider,
        conventions: Conventions,
        *,
        redact: Redact,
        uses_host: bool,
    ) -> None:
        self._own = own
        self._begin = conventions.begin
        self._finish = conventions.finish
        self._complete = conventions.complete
        self._redact = redact
        self._uses_host = uses_host
        self._host: Tracer | None = None
        self._seen: TracerProvider | None = None

    def start(self, scope: Scope, /) -> Trace | None:
        """The span of ``scope`` begins and is the current one. Says which, if it is sampled."""
        scope.outside = context = SLOT.get()
        scope.slot = SLOT
        parent = scope.parent
        if self._uses_host and (parent is None or parent.span is None):
            self._look_for_host()
        scope.beginning = beginning = self._begin(scope)
        host = self._host
        if host is None:
            scope.span = own = self._own.start(
                beginning.name, beginning.kind, beginning.attributes, context
            )
            SLOT.set(with_span(own, context))
            ids = own.context
        else:
            name, attributes = beginning.clean or self._clean(beginning)
            span = host.start_span(name, context, beginning.kind, attributes)
            scope.span = span
            SLOT.set(with_span(span, context))
            ids = span.get_span_context()
        return ids if ids[3] else None  # type: ignore[return-value]  # a longer tuple will do

    def fail(self, scope: Scope, error: BaseException, /) -> None:
        """A failure that no span inside of this one's has seen."""
        span = scope.span
        if span is not None and span.is_recording():
            name, attributes = exception_event(error)
            span.add_event(name, attributes if type(span) is Span else self._redacted(attributes))

    def end(self, scope: Scope, event: Event, error: BaseException | None, /) -> None:
        """The span ends."""
        span = scope.span
        if span is None:
            return
        if type(span) is Span:
            if span.attributes is not None:  # else it is not sampled
                span.attributes = self._complete(
                    scope.beginning, span.attributes, scope, event, error
                )
            if scope.is_remarkable:
                span.keep = True
        else:
            span.set_attributes(self._redacted(self._finish(scope, event, error) or {}))
        if error is not None and outcome_of(error) is Outcome.ERROR:
            failure = error_description(error)
            if type(span) is not Span:
                failure = str(self._redact(STATUS_DESCRIPTION, failure))
            span.set_status(StatusCode.ERROR, failure)
        span.end()

    def _clean(self, beginning: Beginning) -> tuple[str, Values]:
        name = str(self._redact(SPAN_NAME, beginning.name))
        beginning.clean = clean = name, self._redacted(beginning.attributes)
        return clean

    def _redacted(self, values: Values) -> Values:
        return {name: self._redact(name, value) for name, value in values.items()}  # type: ignore[misc]  # it keeps the types

    def _look_for_host(self) -> None:
        """Find out whether the host has set up a provider, before `init` or since."""
        provider = otel.get_tracer_provider()
        if provider is not self._seen:
            self._seen = provider
            is_own = provider is self._own or isinstance(provider, otel.ProxyTracerProvider)
            self._host = None if is_own else provider.get_tracer(LIBRARY)
