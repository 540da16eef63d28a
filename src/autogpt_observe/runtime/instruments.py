"""The spec's metrics as instruments on a prometheus_client registry."""

from __future__ import annotations

import threading
from itertools import product
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, assert_never

import prometheus_client as prom

from autogpt_observe.errors import UsageError
from autogpt_observe.names import SIGNALS, MetricSource, MetricType
from autogpt_observe.runtime.atomic import (
    AtomicCounter,
    AtomicGauge,
    AtomicHistogram,
    make_parent_reentrant,
)
from autogpt_observe.runtime.feeds import MOVED
from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.guards import ValueGuard
from autogpt_observe.runtime.multiprocess.folder import shared_folder
from autogpt_observe.runtime.multiprocess.histogram import SharedHistogram
from autogpt_observe.spec.model import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prometheus_client.metrics import MetricWrapperBase

    from autogpt_observe.runtime.atomic import Context
    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.spec.model import Metric, Spec

AnyHistogram = AtomicHistogram | SharedHistogram
C = TypeVar("C", AtomicCounter, AtomicGauge, AnyHistogram)


class Instrument(Generic[C]):
    """A metric of the spec. Label values are given in the order of its attributes."""

    def __init__(self, collector: C, guards: tuple[ValueGuard, ...]) -> None:
        self.collector: MetricWrapperBase = collector
        self._parent: C = collector
        make_parent_reentrant(collector)
        self._guards = guards
        self._series: dict[tuple[str, ...], C] = {} if guards else {(): collector}
        self._lock = threading.RLock()  # a garbage-collected run may end while it is held
        for labels in product(*(guard.enumerated for guard in guards)):
            self.series(labels)
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()
        for guard in self._guards:
            guard.renew_locks()

    def series(self, labels: tuple[str, ...]) -> C:
        """The series of these label values, begun at zero if it is new, or the one of `other`."""
        series = self._series.get(labels)
        return self._begin(labels) if series is None else series

    def _begin(self, labels: tuple[str, ...]) -> C:
        guarded = zip(self._guards, labels, strict=True)
        admitted = tuple(guard.admit(_encodable(value)) for guard, value in guarded)
        with self._lock:
            if admitted not in self._series:
                guarded = zip(self._guards, admitted, strict=True)
                for each in product(*(guard.siblings(value) for guard, value in guarded)):
                    self._series[each] = self._parent.labels(*each)
            return self._series[admitted]


def _encodable(value: str) -> str:
    """``value`` with `?` for lone surrogates: one of them would fail every scrape from then on."""
    return value.encode("utf-8", "replace").decode("utf-8")


class CounterInstrument(Instrument[AtomicCounter]):
    """Counts up."""

    def add(self, labels: tuple[str, ...], amount: float) -> None:
        """Count ``amount``, which is not negative."""
        self.series(labels).add(amount)


class GaugeInstrument(Instrument[AtomicGauge]):
    """Shows a value that goes up and down."""

    def add(self, labels: tuple[str, ...], amount: float) -> None:
        """Change the value by ``amount``."""
        self.series(labels).add(amount)

    def set(self, labels: tuple[str, ...], value: float) -> None:
        """Make ``value`` the value."""
        self.series(labels).set(value)


class HistogramInstrument(Instrument[AnyHistogram]):
    """Counts observations by size."""

    def observe(
        self, labels: tuple[str, ...], value: float, context: Context | None = None
    ) -> None:
        """Count one observation of ``value``, which is finite, made in the span of ``context``."""
        self.series(labels).observe(value, context)


AnyInstrument = CounterInstrument | GaugeInstrument | HistogramInstrument


def build_guards(
    spec: Spec, incidents: Incidents, *, redact: Callable[[str], str] = str
) -> dict[str, ValueGuard]:
    """The guard of each attribute of the spec; ``redact`` takes secrets out of values."""
    return {
        name: ValueGuard(name, attribute, on_replace=incidents.replace, redact=redact)
        for name, attribute in spec.attributes.items()
    }


def build_instruments(spec: Spec, guards: Mapping[str, ValueGuard]) -> dict[str, AnyInstrument]:
    """An instrument for each metric of the spec that moves at events; not registered yet.

    Metrics of third parties are not this process's, and those read at scrape time have their own
    collector. A gauge that nothing here feeds is left out: its 0 would be read as a value.

    Raises:
        UsageError: a metric can't be made; only a spec that was not checked has such ones.
    """
    for name, metric in spec.metrics.items():
        if metric.from_ in SIGNALS:
            _check_signal(name, metric)
    return {
        name: _build(name, metric, spec, guards)
        for name, metric in spec.metrics.items()
        if _is_moved(metric)
    }


def _is_moved(metric: Metric) -> bool:
    if metric.from_ is MetricSource.CODE or metric.from_ in MOVED:
        return True
    return metric.from_ is not MetricSource.EXTERNAL and metric.type is not MetricType.GAUGE


def _check_signal(name: str, metric: Metric) -> None:
    signal = SIGNALS[metric.from_]
    if metric.type is signal.type and set(metric.attributes) <= set(signal.attributes):
        return
    carried = " and ".join(f"`{attribute}`" for attribute in signal.attributes) or "no attributes"
    raise UsageError(
        f"spec: the metric `{name}` can't be made: `{metric.from_}` feeds a {signal.type} and"
        f" carries {carried}"
    )


def _build(
    name: str, metric: Metric, spec: Spec, guards: Mapping[str, ValueGuard]
) -> AnyInstrument:
    labels = metric.attributes
    try:
        guarded = tuple(guards[label] for label in labels)
        match metric.type:
            case MetricType.COUNTER:
                if not name.endswith("_total"):
                    raise ValueError("a counter's name ends in `_total`")  # noqa: TRY301  # as below
                counter = AtomicCounter(name, metric.help, labels, registry=None)
                return CounterInstrument(counter, guarded)
            case MetricType.GAUGE:
                mode = _MODES[Processes.SUM if metric.from_ in MOVED else metric.processes]
                gauge = AtomicGauge(
                    name, metric.help, labels, registry=None, multiprocess_mode=mode
                )
                return GaugeInstrument(gauge, guarded)
            case MetricType.HISTOGRAM:
                bounds = _bounds(metric, spec)
                class_ = SharedHistogram if shared_folder() else AtomicHistogram
                histogram = class_(name, metric.help, labels, registry=None, buckets=bounds)
                return HistogramInstrument(histogram, guarded)
            case _:
                assert_never(metric.type)
    except KeyError as error:
        what = error.args[0]
        raise UsageError(
            f"spec: the metric `{name}` names `{what}`, which is not declared"
        ) from None
    except ValueError as error:
        raise UsageError(f"spec: the metric `{name}` can't be made: {error}") from error


_MODES: Mapping[Processes, Literal["liveall", "livesum", "livemax", "mostrecent"]] = {
    Processes.EACH: "liveall",
    Processes.SUM: "livesum",
    Processes.MAX: "livemax",
    Processes.LATEST: "mostrecent",  # of the dead too: it is a fact, not the state of a process
}
"""The client's modes of gauges."""


def _bounds(metric: Metric, spec: Spec) -> tuple[float, ...]:
    if metric.buckets is None:
        return prom.Histogram.DEFAULT_BUCKETS
    return tuple(float(bound.value) for bound in spec.buckets[metric.buckets])
