"""The runtime's own provider of spans, behind OpenTelemetry's interfaces."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING

import opentelemetry.trace as otel
from opentelemetry.trace import DEFAULT_TRACE_STATE, SpanKind
from opentelemetry.util._decorator import _agnosticcontextmanager

from autogpt_observe.runtime.traces.context import SLOT, ids_of, span_in
from autogpt_observe.runtime.traces.ids import Ids, RandomIds
from autogpt_observe.runtime.traces.spans import SAMPLED, UNSAMPLED, Library, Span, make_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Link, SpanContext
    from opentelemetry.util.types import Attributes, AttributeValue

    from autogpt_observe.runtime.traces.spans import Taker

    Decide = Callable[[int, SpanContext | None], bool]

_TRACE_BITS = 128
_SPAN_BITS = 64


class Nothing:
    """Takes no span and samples none: without an exporter there is nowhere to send them."""

    def decide(self, _trace_id: int, _parent: SpanContext | None, /) -> bool:
        """No."""
        return False

    def offer(self, span: Span, /) -> None:
        """Drop it."""


class Provider(otel.TracerProvider):
    """Makes spans.

    Args:
        decide: whether to record a new span, from its trace's id and its parent.
        taker: who takes the recorded spans when they have ended.
        ids: where ids come from; random ones unless given.
    """

    def __init__(self, decide: Decide, taker: Taker, ids: Ids | None = None) -> None:
        self._decide = decide
        self._taker = taker
        self._bits = (RandomIds() if ids is None else ids).bits

    def start(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue] | None,
        context: Mapping[str, object],
    ) -> Span:
        """A span that begins now inside of the one in ``context``; the attributes are shared."""
        around = span_in(context)
        if type(around) is Span:  # as it was decided for its trace
            parent: SpanContext | None = around.context
            trace_id, flags, state = around.context[0], around.context[3], around.context[4]
        else:
            parent = ids_of(around)
            if parent is None:
                trace_id, state = self._bits(_TRACE_BITS) or 1, DEFAULT_TRACE_STATE
            else:
                trace_id, state = parent[0], parent[4]
            flags = SAMPLED if self._decide(trace_id, parent) else UNSAMPLED
        own = make_context(trace_id, self._bits(_SPAN_BITS) or 1, flags, state)
        span = Span(name, kind, own, parent, time_ns(), self._taker)
        if flags is SAMPLED:
            span.attributes = attributes
        return span

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,  # noqa: ARG002  # the interface's
        attributes: Attributes = None,  # noqa: ARG002  # as above
    ) -> Tracer:
        """A tracer for another library."""
        return Tracer(self, Library(instrumenting_module_name, instrumenting_library_version))


class Tracer(otel.Tracer):
    """Makes spans for one library."""

    def __init__(self, provider: Provider, library: Library) -> None:
        self._provider = provider
        self._library = library

    def start_span(  # noqa: PLR0913, PLR0917  # the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002  # as above
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002  # as above
    ) -> Span:
        """A span that is not the current one; it has to be ended."""
        span = self._provider.start(name, kind, None, SLOT.get() if context is None else context)
        span.library = self._library
        if start_time is not None:
            span.started = start_time
        if attributes:
            span.set_attributes(attributes)
        if links:
            for link in links:
                span.add_link(link.context, link.attributes)
        return span

    @_agnosticcontextmanager
    def start_as_current_span(  # noqa: PLR0913, PLR0917  # as above
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002  # as above
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002  # as above
        end_on_exit: bool = True,  # noqa: FBT001, FBT002  # as above
    ) -> Iterator[otel.Span]:
        """A span that is the current one for a while."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with otel.use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span
