"""The runtime's own metrics: the client's classes without `_created` series and without tearing.

By default the client adds a `_created` series to every counter and histogram, which doubles the
counters. Its two ways to stop that, `disable_created_metrics()` and the environment variable
PROMETHEUS_DISABLE_CREATED_SERIES, set one module global that every metric of the process reads at
each scrape, so the host's own metrics would change too.

Their locks are reentrant: a garbage-collected run or a signal handler may count while the same
thread is counting. What a lock guards here is straight-line code without calls, so whatever comes
in between comes before or after it.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

import prometheus_client as prom
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString
from prometheus_client.validation import _validate_exemplar
from prometheus_client.values import MutexValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prometheus_client.metrics import MetricWrapperBase
    from prometheus_client.metrics_core import Metric as Family

    Context = tuple[int, int]
    """Trace id and span id; a `SpanContext` is such a tuple, with more at its end."""


class AtomicCounter(prom.Counter):
    """A counter.

    Attributes:
        add: counts an amount that is known not to be negative; ``inc`` without its checks.
    """

    add: Callable[[float], None]

    def collect(self) -> Iterable[Family]:
        """As the client has it, without creation times."""
        return without_created(super().collect())

    def _metric_init(self) -> None:
        super()._metric_init()
        _make_reentrant(self._value)
        self.add = self._value.inc


class AtomicGauge(prom.Gauge):
    """A gauge.

    Attributes:
        add: changes the value by an amount.
    """

    add: Callable[[float], None]

    def _metric_init(self) -> None:
        super()._metric_init()
        _make_reentrant(self._value)
        self.add = self._value.inc
        if self._multiprocess_mode == "mostrecent" and not isinstance(self._value, MutexValue):
            self._cell_lock = threading.RLock()
            self.add = self._add_now

    def _add_now(self, amount: float) -> None:
        """The client's `inc` would forget when the value was set, as if it never had been."""
        with self._cell_lock:
            self._value.set(self._value.get() + amount, timestamp=time.time())


class AtomicHistogram(prom.Histogram):
    """A histogram whose buckets, count and sum are always those of one moment.

    It holds its numbers itself, so it is for one process. Observations that are not finite, which
    would spoil the sum for good, are dropped.
    """

    _cells: list[float]
    _latest: list[Exemplar | tuple[Context, float, float] | None]

    def observe(self, amount: float, exemplar: Mapping[str, str] | Context | None = None) -> None:
        """Count one observation, made in the span that ``exemplar`` tells."""
        if exemplar is None or isinstance(exemplar, tuple):
            self.observe_in(amount, exemplar)
            return
        _validate_exemplar(exemplar)  # type: ignore[no-untyped-call]  # the client's
        self.observe_in(amount, None)
        if amount - amount == 0.0:
            place = bisect_left(self._upper_bounds, amount)
            self._latest[place] = Exemplar(dict(exemplar), amount, time.time())

    def observe_in(self, amount: float, context: Context | None) -> None:
        """Count one observation, made in the sampled span of ``context`` if there is one."""
        if amount - amount != 0.0:  # true of NaN and the infinities alone
            return
        cells, place = self._cells, bisect_left(self._upper_bounds, amount)
        latest = None if context is None else (context, amount, time.time())
        with self._cell_lock:
            cells[place] += 1.0
            cells[-1] += amount
            if latest is not None:
                self._latest[place] = latest

    def snapshot(self) -> list[float]:
        """The observations in each bucket, and last the sum."""
        with self._cell_lock:
            return self._cells[:]

    def exemplars(self) -> list[Exemplar | None]:
        """The latest exemplar of each bucket; the same object until another one comes."""
        latest = self._latest
        return [
            entry if entry is None or isinstance(entry, Exemplar) else self._settle(place, entry)
            for place, entry in enumerate(latest)
        ]

    def _settle(self, place: int, entry: tuple[Context, float, float]) -> Exemplar:
        context, amount, when = entry
        exemplar = Exemplar(format_context(context), amount, when)
        with self._cell_lock:
            if self._latest[place] is entry:
                self._latest[place] = exemplar
        return exemplar

    def _metric_init(self) -> None:
        buckets = len(self._upper_bounds)
        self._created = time.time()
        self._cells = [0.0] * (buckets + 1)
        self._latest = [None] * buckets
        self._cell_lock = threading.RLock()

    def _bounds_shown(self) -> list[str]:
        return list(map(floatToGoString, self._upper_bounds))

    def _child_samples(self) -> Iterable[Sample]:
        *buckets, total = self.snapshot()
        counts = list(accumulate(buckets))
        rows = zip(self._bounds_shown(), counts, self.exemplars(), strict=True)
        samples = [
            Sample("_bucket", {"le": bound}, count, None, exemplar)
            for bound, count, exemplar in rows
        ]
        samples.append(Sample("_count", {}, counts[-1]))
        if self._upper_bounds[0] >= 0:
            samples.append(Sample("_sum", {}, total))
        return samples


def without_created(families: Iterable[Family]) -> Iterable[Family]:
    """The families without the samples that say when a label set was made."""
    for family in families:
        created = f"{family.name}_created"
        family.samples = [sample for sample in family.samples if sample.name != created]
        yield family


def format_context(context: Context) -> dict[str, str]:
    """The labels of an exemplar, with the names that Grafana looks for."""
    return {"trace_id": f"{context[0]:032x}", "span_id": f"{context[1]:016x}"}


class _FirstKept(dict["Sequence[str]", "MetricWrapperBase"]):
    """Keeps the first of two series that were made at once, one in the middle of the other."""

    def __setitem__(self, labels: Sequence[str], series: MetricWrapperBase) -> None:
        self.setdefault(labels, series)


def make_parent_reentrant(metric: MetricWrapperBase) -> None:
    """Let what comes in between begin a series while the same thread begins one."""
    if hasattr(metric, "_metrics"):  # it has labels
        metric._lock = threading.RLock()  # type: ignore[assignment]  # noqa: SLF001  # as below
        metric._metrics = _FirstKept()  # type: ignore[assignment]  # noqa: SLF001  # as below


def _make_reentrant(value: object) -> None:
    if isinstance(value, MutexValue):
        value._lock = threading.RLock()  # type: ignore[assignment]  # noqa: SLF001  # the client offers no way to choose it
