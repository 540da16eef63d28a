"""Applies the calls of metric handles: checks them, and keeps what is wrong from the host."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, assert_never

from autogpt_observe.errors import UsageError
from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.instruments import (
    CounterInstrument,
    GaugeInstrument,
    HistogramInstrument,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import SupportsFloat

    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.instruments import AnyInstrument
    from autogpt_observe.spec.model import Metric

    Attributes = Mapping[str, str]

Call = Literal["add", "set", "observe"]
"""The calls of a metric handle."""


class _RejectedError(Exception):
    """A call that does not fit its metric."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Recorder:
    """The metrics `from: code`, by name."""

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        instruments: Mapping[str, AnyInstrument],
        incidents: Incidents,
    ) -> None:
        self._metrics = metrics
        self._instruments = {
            name: instrument
            for name, instrument in instruments.items()
            if metrics[name].from_ is MetricSource.CODE
        }
        self._incidents = incidents

    def check(self, name: str, made_at: str) -> None:
        """Raise UsageError unless ``name`` is a metric `from: code`."""
        if name in self._instruments:
            return
        from autogpt_observe.diagnostics import did_you_mean  # noqa: PLC0415  # loads difflib

        said = f'{made_at}: obs.metric("{name}")'
        if name in self._metrics:
            source = self._metrics[name].from_
            raise UsageError(
                f"{said}: `from: {source}` feeds this metric; obs.metric takes those `from: code`"
            )
        fix = did_you_mean(name, tuple(self._instruments))
        raise UsageError(f"{said}: the spec declares no such metric `from: code`; {fix}")

    def record(self, name: str, call: Call, value: SupportsFloat, attributes: Attributes) -> None:
        """Apply ``call``; one that does not fit is dropped and counted, not raised."""
        try:
            self._apply(name, call, value, attributes)
        except _RejectedError as error:
            reason, message = error.reason, f"{name}.{call}: {error}"
        except Exception as error:  # noqa: BLE001  # instrumentation never breaks its host
            self._incidents.fail("metric handle", error)
            return
        else:
            return
        self._incidents.reject(name, reason, message)

    def _apply(self, name: str, call: Call, value: SupportsFloat, attributes: Attributes) -> None:
        instrument = self._instruments.get(name)
        if instrument is None:
            raise _RejectedError("unknown", "the spec declares no such metric `from: code`")
        labels = _labels(self._metrics[name].attributes, attributes)
        number = self._number(value)
        match instrument, call:
            case CounterInstrument(), "add":
                instrument.add(labels, _addable(number, lowest=0))
            case GaugeInstrument(), "add":
                instrument.add(labels, _addable(number, lowest=-math.inf))
            case GaugeInstrument(), "set":
                instrument.set(labels, number)
            case HistogramInstrument(), "observe":
                instrument.observe(labels, _addable(number, lowest=-math.inf))
            case _:
                raise _RejectedError("call", _wrong_call(instrument))

    def _number(self, value: SupportsFloat) -> float:
        if not hasattr(value, "__float__"):  # numpy's numbers and Decimal are welcome, text is not
            raise _RejectedError("value", f"got {self._incidents.show(value)}, expected a number")
        try:
            return float(value)
        except OverflowError:
            raise _RejectedError("value", "got a whole number too large for a float") from None


def _labels(names: tuple[str, ...], given: Attributes) -> tuple[str, ...]:
    if len(given) != len(names) or any(name not in given for name in names):
        got = ", ".join(f"`{name}`" for name in given) or "none"
        expected = ", ".join(f"`{name}`" for name in names) or "none"
        raise _RejectedError("attributes", f"got the attributes {got}, expected {expected}")
    for name in names:
        if not isinstance(given[name], str):
            got = f"{type(given[name]).__name__} for the attribute `{name}`"
            raise _RejectedError("attributes", f"got {got}, expected text")
    return tuple([given[name] for name in names])


def _addable(value: float, *, lowest: float) -> float:
    """``value``, unless adding it would spoil a sum for good or turn a counter back."""
    if not math.isfinite(value):
        raise _RejectedError("value", f"got {value}, expected a finite number")
    if value < lowest:
        raise _RejectedError("value", f"got {value}, but a counter never goes down")
    return value


def _wrong_call(instrument: AnyInstrument) -> str:
    match instrument:
        case CounterInstrument():
            return "a counter takes `add`"
        case GaugeInstrument():
            return "a gauge takes `add` and `set`"
        case HistogramInstrument():
            return "a histogram takes `observe`"
        case _:
            assert_never(instrument)
