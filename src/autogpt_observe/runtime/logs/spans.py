"""The ids of the current span, whoever made it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Ids = tuple[str, str]
"""Trace id and span id in hexadecimal digits; empty texts where there is no span."""
NO_IDS: Ids = ("", "")


def format_ids(trace_id: int, span_id: int) -> Ids:
    """The ids as ECS and W3C write them."""
    return f"{trace_id:032x}", f"{span_id:016x}"


class CurrentSpan:
    """Looks up the current span. OpenTelemetry is not loaded for it: without it, nobody traces."""

    def __init__(self) -> None:
        self._context: Callable[[], Mapping[str, object]] | None = None
        self._last: tuple[object, Ids] = (None, NO_IDS)

    def ids(self) -> Ids:
        """Its ids."""
        current = self._context
        if current is None:
            if "opentelemetry.trace" not in sys.modules:
                return NO_IDS
            current = self._context = _load()
        context = current()
        last = self._last  # a context never changes, and a span has many lines
        if last[0] is context:
            return last[1]
        ids = _ids_in(context)
        self._last = (context, ids)
        return ids


def _load() -> Callable[[], Mapping[str, object]]:
    # loaded late: by now the host, or our own tracing, has loaded what it needs
    from autogpt_observe.runtime.traces.context import SLOT  # noqa: PLC0415

    return SLOT.get


def _ids_in(context: Mapping[str, object]) -> Ids:
    from autogpt_observe.runtime.traces.context import ids_of, span_in  # noqa: PLC0415  # as above

    found = ids_of(span_in(context))
    return NO_IDS if found is None else format_ids(found.trace_id, found.span_id)
