"""The process metrics of a spec, for processes observed from outside."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from autogpt_observe.errors import UsageError
from autogpt_observe.names import PROCESS, MetricSource
from autogpt_observe.runtime.cgroups import OutsideError
from autogpt_observe.runtime.exporter.watch import build_watch
from autogpt_observe.runtime.guards import ValueGuard
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.processes import GoneError, process_table
from autogpt_observe.spec.model import Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from autogpt_observe.runtime.exporter.targets import Target
    from autogpt_observe.runtime.exporter.watch import Place, Watch
    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.processes import ProcessTable
    from autogpt_observe.spec.model import Metric, Spec

_READ: Mapping[MetricSource, Callable[[ProcessReader], float]] = MappingProxyType(
    {
        MetricSource.PROCESS_CPU: ProcessReader.cpu,
        MetricSource.PROCESS_MEMORY: ProcessReader.memory,
        MetricSource.PROCESS_MEMORY_LIMIT: ProcessReader.memory_limit,
        MetricSource.PROCESS_THREADS: ProcessReader.threads,
        MetricSource.PROCESS_OPEN_FILES: ProcessReader.open_files,
        MetricSource.PROCESS_CHILDREN: ProcessReader.children,
        MetricSource.PROCESS_AGE: ProcessReader.age,
    }
)
OBSERVED = frozenset({*_READ, MetricSource.PROCESS_UP, MetricSource.PROCESS_RESTARTS})
"""The signals that can be told of a process from outside."""

_DEFAULT = Attribute(help="Name of a process observed from outside", max_values=20)
"""How many processes are told apart where the spec does not say."""


class _Reading(NamedTuple):
    """What was read of one place: values by signal."""

    name: str
    values: Mapping[MetricSource, float]


class ObservedProcesses(Collector):
    """Looks for the processes and reads them at each scrape; nothing happens between scrapes.

    Every metric has the label `process`. A process that ended leaves `up` and `restarts`; what
    this user may not read is left out and told to ``incidents`` once.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        watches: Sequence[Watch],
        guard: ValueGuard,
        incidents: Incidents,
    ) -> None:
        self._metrics = metrics
        self._watches = watches
        self._guard = guard
        self._incidents = incidents
        self._told: set[tuple[str, MetricSource]] = set()
        self._lock = threading.Lock()  # two scrapers must not count one restart twice

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Read now."""
        with self._lock:
            for watch in self._watches:
                watch.look()
            places = [place for watch in self._watches for place in watch.places]
            readings = [_Reading(self._guard.admit(p.name), self._read(p)) for p in places]
        for family, source in self._families():
            for name, value in _joined(readings, source).items():
                family.add_metric([name], value)
            if family.samples:
                yield family

    def describe(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """The names, so that a registry sees a clash."""
        for family, _ in self._families():
            yield family

    def _families(self) -> Iterator[tuple[GaugeMetricFamily | CounterMetricFamily, MetricSource]]:
        for name, metric in self._metrics.items():
            is_counter = metric.from_ is MetricSource.PROCESS_RESTARTS
            class_ = CounterMetricFamily if is_counter else GaugeMetricFamily
            yield class_(name, metric.help, labels=[PROCESS]), metric.from_

    def _read(self, place: Place) -> dict[MetricSource, float]:
        values = {MetricSource.PROCESS_UP: 1.0, MetricSource.PROCESS_RESTARTS: place.restarts}
        if place.reader is not None:
            with suppress(GoneError):  # the next look finds its place empty
                return values | self._read_all(place.name, place.reader)
        return values | {MetricSource.PROCESS_UP: 0.0}

    def _read_all(self, name: str, reader: ProcessReader) -> dict[MetricSource, float]:
        values = {}
        for source in {metric.from_: None for metric in self._metrics.values()}:
            if source not in _READ:
                continue
            try:
                values[source] = _READ[source](reader)
            except (GoneError, ProcessLookupError) as error:
                raise GoneError(str(error)) from error
            except Exception as error:  # noqa: BLE001  # one reading less beats no scrape at all
                self._tell(name, source, error)
        return values

    def _tell(self, name: str, source: MetricSource, error: Exception) -> None:
        """An error is an incident each time; what may not be read is one once."""
        if isinstance(error, (PermissionError, OutsideError)):
            if (name, source) in self._told:
                return
            self._told.add((name, source))
        self._incidents.note(source, error)


def _joined(readings: Sequence[_Reading], source: MetricSource) -> dict[str, float]:
    """Values by name; of those that share `other`, `up` is the least and restarts add up."""
    join: Callable[[float, float], float] = max
    if source is MetricSource.PROCESS_UP:
        join = min
    elif source is MetricSource.PROCESS_RESTARTS:
        join = float.__add__
    found: dict[str, float] = {}
    for name, values in readings:
        if source in values:
            value = float(values[source])
            found[name] = join(found[name], value) if name in found else value
    return found


def build_registry(
    spec: Spec,
    targets: Sequence[Target],
    *,
    incidents: Incidents,
    table: ProcessTable | None = None,
    once: bool = False,
) -> CollectorRegistry:
    """A registry that shows the process metrics of ``spec`` for ``targets``.

    With ``once``, which is for a single look, a process may be gone from the start, and restarts,
    which a single look can't see, are left out.

    Raises:
        UsageError: the spec has no such metric, or a process given by its number does not run.
    """
    shown = OBSERVED - {MetricSource.PROCESS_RESTARTS} if once else OBSERVED
    metrics = {str(name): each for name, each in spec.metrics.items() if each.from_ in shown}
    if not metrics:
        raise UsageError(
            "the spec has no metric of a process, such as one `from: process.memory`; add"
            " `include: [autogpt]`, or declare some"
        )
    chosen = process_table() if table is None else table
    watches = [build_watch(target, chosen) for target in targets]
    for watch in [] if once else watches:
        watch.begin()
    declared = {str(name): each for name, each in spec.attributes.items()}
    guard = ValueGuard(PROCESS, declared.get(PROCESS, _DEFAULT), on_replace=incidents.replace)
    registry = CollectorRegistry()
    registry.register(ObservedProcesses(metrics, watches, guard, incidents))
    registry.register(incidents)
    return registry
