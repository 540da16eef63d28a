"""The metrics that are read at each scrape: of the process, of the runs in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from autogpt_observe.names import AGENT, LIMIT, MODEL, PROVIDER, MetricSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.runtime.guards import ValueGuard
    from autogpt_observe.runtime.hub import Hub
    from autogpt_observe.runtime.journey import Journey
    from autogpt_observe.runtime.process import ProcessReader
    from autogpt_observe.spec.model import Metric

    Values = Mapping[tuple[str, ...], float]
    """Readings by the values of the signal's attributes."""


class Reader:
    """Reads what there is to read."""

    def __init__(self, process: ProcessReader, hub: Hub) -> None:
        self.process = process
        self.hub = hub

    def read(self, source: MetricSource, /) -> Values:
        """The values of a signal now."""
        return READINGS[source](self)

    def largest(self, value_of: Callable[[Journey, float], float | None]) -> Values:
        """For each agent, the largest value of its runs in progress."""
        now = self.hub.clock()
        found: dict[tuple[str, ...], float] = {}
        for journey in list(self.hub.journeys.values()):
            value = value_of(journey, now)
            if value is not None:
                key = (journey.agent,)
                found[key] = max(value, found.get(key, value))
        return found

    def looping(self) -> Values:
        """For each agent with runs in progress, how many of them are in a loop."""
        found: dict[tuple[str, ...], float] = {}
        for journey in list(self.hub.journeys.values()):
            key = (journey.agent,)
            found[key] = found.get(key, 0.0) + (journey.pattern is not None)
        return found


def _one(value: float | None) -> Values:
    return {} if value is None else {(): value}


READINGS: Mapping[MetricSource, Callable[[Reader], Values]] = {
    MetricSource.PROCESS_CPU: lambda reader: _one(reader.process.cpu()),
    MetricSource.PROCESS_MEMORY: lambda reader: _one(reader.process.memory()),
    MetricSource.PROCESS_MEMORY_LIMIT: lambda reader: _one(reader.process.memory_limit()),
    MetricSource.PROCESS_THREADS: lambda reader: _one(reader.process.threads()),
    MetricSource.PROCESS_OPEN_FILES: lambda reader: _one(reader.process.open_files()),
    MetricSource.PROCESS_CHILDREN: lambda reader: _one(reader.process.children()),
    MetricSource.PROCESS_AGE: lambda reader: _one(reader.process.age()),
    MetricSource.PROCESS_LOOP_LAG: lambda reader: _one(reader.hub.heartbeats.lag()),
    MetricSource.RUN_AGE: lambda reader: reader.largest(
        lambda journey, now: now - journey.started_at
    ),
    MetricSource.RUN_PROGRESS_AGE: lambda reader: reader.largest(
        lambda journey, now: journey.progress_age(now)
    ),
    MetricSource.RUN_BUDGET_USED: lambda reader: reader.largest(
        lambda journey, _: journey.budget_used
    ),
    MetricSource.RUN_LOOPING: Reader.looping,
    MetricSource.LLM_HEADROOM: lambda reader: reader.hub.headroom.left(reader.hub.clock()),
}
"""The signals that are read, not counted, and what reads them."""

_ATTRIBUTES: Mapping[MetricSource, tuple[str, ...]] = {
    **dict.fromkeys(READINGS, (AGENT,)),
    MetricSource.LLM_HEADROOM: (PROVIDER, MODEL, LIMIT),
}


class Reading(Collector):
    """A gauge read at each scrape; a reading that fails is left out and told to ``on_error``."""

    def __init__(
        self,
        name: str,
        metric: Metric,
        *,
        reader: Reader,
        guards: Mapping[str, ValueGuard],
        on_error: OnError,
    ) -> None:
        self._name = name
        self._metric = metric
        self._reader = reader
        self._guards = guards
        self._on_error = on_error

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read now; where the metric leaves out attributes, or has too many values, the largest."""
        source, labels = self._metric.from_, self._metric.attributes
        try:
            values = self._reader.read(source)
        except Exception as error:  # noqa: BLE001  # one reading less beats no scrape at all
            self._on_error(source, error)
            return
        places = [_ATTRIBUTES[source].index(label) for label in labels]
        shown: dict[tuple[str, ...], float] = {}
        for given, value in values.items():
            key = tuple(
                self._guards[label].admit(given[place])
                for label, place in zip(labels, places, strict=True)
            )
            shown[key] = max(value, shown.get(key, value))
        family = GaugeMetricFamily(self._name, self._metric.help, labels=labels)
        for key, value in shown.items():
            family.add_metric(key, value)
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The name, so that a registry sees a clash."""
        yield GaugeMetricFamily(self._name, self._metric.help, labels=self._metric.attributes)
