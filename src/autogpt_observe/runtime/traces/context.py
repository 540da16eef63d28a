"""OpenTelemetry's current context, and the span in it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import opentelemetry.context
from opentelemetry.context.context import Context
from opentelemetry.trace import Span, SpanContext, get_current_span, set_span_in_context
from opentelemetry.trace.propagation import _SPAN_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping


class ContextSlot(Protocol):
    """Where a thread or task keeps its current context."""

    def get(self) -> Context:
        """The current context."""

    def set(self, context: Context, /) -> object:
        """Make ``context`` the current one."""


class _Attached:
    """The slot behind OpenTelemetry's own functions, whatever it is."""

    def get(self) -> Context:
        return opentelemetry.context.get_current()

    def set(self, context: Context, /) -> object:
        return opentelemetry.context.attach(context)


def _find_slot() -> ContextSlot:
    """The context variable itself, unless the host chose another kind of context."""
    runtime = getattr(opentelemetry.context, "_RUNTIME_CONTEXT", None)
    variable: Any = getattr(runtime, "_current_context", None)
    if isinstance(variable, ContextVar) and isinstance(variable.get(), Context):
        return variable
    return _Attached()


def _knows_key() -> bool:
    """Whether a span stands in a context under the key that we know."""
    probe = get_current_span(Context())
    return set_span_in_context(probe, Context()).get(_SPAN_KEY) is probe


SLOT: ContextSlot = _find_slot()
_KNOWS_KEY = _knows_key()


def span_in(context: Mapping[str, object]) -> object:
    """What stands in ``context`` as the current span; None where nothing does."""
    if _KNOWS_KEY:
        return context.get(_SPAN_KEY)
    return get_current_span(Context(context))


def with_span(span: Span, context: Context) -> Context:
    """``context`` with ``span`` as the current one."""
    if _KNOWS_KEY:
        if len(context) == 1 and _SPAN_KEY in context:
            return Context({_SPAN_KEY: span})
        return Context({**context, _SPAN_KEY: span})
    return set_span_in_context(span, context)


def ids_of(span: object) -> SpanContext | None:
    """The ids of what `span_in` found, if it is a span with valid ones."""
    if not isinstance(span, Span):
        return None
    found = span.get_span_context()
    return found if found.is_valid else None
