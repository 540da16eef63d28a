"""How a context is written down for another process: by the propagators OpenTelemetry has set up.

They are W3C's `traceparent`, `tracestate` and `baggage`, unless OTEL_PROPAGATORS or the host says
otherwise.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from opentelemetry.propagators.textmap import Getter, TextMapPropagator

from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.incidents import LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context.context import Context

BAGGAGE = "baggage"
LONGEST = 8_192
"""The most characters that a value may have; of W3C's baggage it is what each party must take."""


class _Headers(Getter["Mapping[str, str]"]):
    """Reads headers whose names are in lower case."""

    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        value = carrier.get(key.lower())
        return None if value is None else [value]

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return list(carrier)


_GETTER = _Headers()


def report(place: str, error: Exception) -> None:
    """Keep ``error`` from the host."""
    hub = ACTIVE.hub
    if hub is None:  # in the middle of `init`, or in a pool's process without one
        LOG.error("error in %s", place, exc_info=error)
    else:
        hub.on_error(place, error)


def write(context: Context) -> dict[str, str]:
    """The headers that tell of ``context``; none if there is nothing to tell."""
    written: dict[str, str] = {}
    try:
        _propagator().inject(written, context)
    except Exception as error:  # noqa: BLE001  # a propagator never breaks its host
        report("propagation", error)
        return {}
    baggage = written.get(BAGGAGE)
    if baggage is not None and len(baggage) > LONGEST:
        # whole entries from the front, as https://www.w3.org/TR/baggage/#limits wants it
        written[BAGGAGE] = baggage[: max(0, baggage.rfind(",", 0, LONGEST + 1))]
    return {name: value for name, value in written.items() if value}


def read(headers: Mapping[str, str], context: Context) -> Context:
    """``context`` with what ``headers`` tell, their names in lower case; malformed, they don't."""
    known = {name: value for name, value in headers.items() if len(value) <= LONGEST}
    try:
        return _propagator().extract(known, context, getter=_GETTER)
    except Exception as error:  # noqa: BLE001  # as above
        report("propagation", error)
        return context


def names() -> list[str]:
    """The headers that can be written, their names as they are written."""
    try:
        return sorted(_propagator().fields)
    except Exception as error:  # noqa: BLE001  # as above
        report("propagation", error)
        return []


def _propagator() -> TextMapPropagator:
    return _find_propagator()()


@functools.cache
def _find_propagator() -> Callable[[], TextMapPropagator]:
    """Tells the propagator in use: the host may set up another one at any time."""
    try:
        from opentelemetry.propagate import get_global_textmap  # noqa: PLC0415  # may fail

    except Exception as error:  # noqa: BLE001  # OTEL_PROPAGATORS names one that is not installed
        report("propagation: OTEL_PROPAGATORS", error)
        fallback = _w3c()
        return lambda: fallback
    return get_global_textmap


def _w3c() -> TextMapPropagator:
    # loaded late: what failed above loads them as well, if they are wanted
    from opentelemetry.baggage.propagation import W3CBaggagePropagator  # noqa: PLC0415
    from opentelemetry.propagators.composite import CompositePropagator  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    return CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
