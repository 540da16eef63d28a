"""The observed process's memory and CPU, read when Prometheus asks."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.cgroups import ControlGroups
from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.spec.model import Metric

_SHORTEST_INTERVAL = 1.0
"""Seconds; two scrapers that ask at the same time see the same reading, not one of a moment."""


class ProcessReader:
    """Reads this process and its limits."""

    def __init__(
        self,
        *,
        groups: ControlGroups | None = None,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._groups = ControlGroups() if groups is None else groups
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._lock = threading.Lock()
        self._measured: tuple[float, float] | None = None
        self._cpu_ratio = 0.0
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.Lock()

    def memory(self) -> float:
        """Resident memory in bytes."""
        import psutil  # noqa: PLC0415  # 30 ms, for those whose spec has process metrics

        return psutil.Process().memory_info().rss

    def memory_limit(self) -> float:
        """The lowest limit of the control groups, at most the machine's memory, in bytes."""
        import psutil  # noqa: PLC0415  # as above

        return min([psutil.virtual_memory().total, *self._groups.memory_limits()])

    def cpu(self) -> float:
        """The CPU time used since the last reading, as a share of the CPUs it may use.

        0 at the first reading. Within a second of a reading, the same as that reading.
        """
        with self._lock:
            now, used = self._clock(), self._cpu_clock()
            if self._measured is None:
                self._measured = (now, used)
            before, used_before = self._measured
            if now - before >= _SHORTEST_INTERVAL:
                self._cpu_ratio = (used - used_before) / ((now - before) * self._cpus())
                self._measured = (now, used)
            return self._cpu_ratio

    def _cpus(self) -> float:
        return min([_usable_cpus(), *self._groups.cpu_quotas()])


AT_SCRAPE: Mapping[MetricSource, Callable[[ProcessReader], float]] = {
    MetricSource.PROCESS_CPU: ProcessReader.cpu,
    MetricSource.PROCESS_MEMORY: ProcessReader.memory,
    MetricSource.PROCESS_MEMORY_LIMIT: ProcessReader.memory_limit,
}
"""The signals that are read, not counted, and what reads them."""


class ProcessGauge(Collector):
    """A gauge read at each scrape; a reading that fails is left out and told to ``on_error``."""

    def __init__(
        self, name: str, metric: Metric, *, reader: ProcessReader, on_error: OnError
    ) -> None:
        self._name = name
        self._metric = metric
        self._reader = reader
        self._on_error = on_error

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read now."""
        source = self._metric.from_
        try:
            value = AT_SCRAPE[source](self._reader)
        except Exception as error:  # noqa: BLE001  # one reading less beats no scrape at all
            self._on_error(source, error)
        else:
            yield GaugeMetricFamily(self._name, self._metric.help, value=value)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The name, so that a registry sees a clash."""
        yield GaugeMetricFamily(self._name, self._metric.help)


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
