"""The metrics sink: moves the spec's instruments as runs start, fail and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from autogpt_observe.names import AGENT, ERROR_TYPE, OUTCOME, MetricSource, MetricType
from autogpt_observe.runtime.failures import Outcome
from autogpt_observe.runtime.instruments import (
    AnyInstrument,
    CounterInstrument,
    GaugeInstrument,
    HistogramInstrument,
)
from autogpt_observe.runtime.process import AT_SCRAPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.events import Run
    from autogpt_observe.spec.model import Metric

    Values = tuple[str, ...]


class _Moment(NamedTuple):
    """What happens to metrics at one kind of event.

    Attributes:
        attributes: what is known then.
        amounts: for each signal that moves then, by how much; None stands for the seconds.
    """

    attributes: tuple[str, ...]
    amounts: Mapping[MetricSource, float | None]


_START = _Moment((AGENT,), {MetricSource.RUN_START: 1, MetricSource.RUN_ACTIVE: 1})
_FAILURE = _Moment((AGENT, ERROR_TYPE), {MetricSource.FAILURE: 1})
_END = _Moment(
    (AGENT, OUTCOME),
    {MetricSource.RUN_END: 1, MetricSource.RUN_DURATION: None, MetricSource.RUN_ACTIVE: -1},
)
_MOST_PREPARED = 1000


def emitted_sources() -> frozenset[MetricSource]:
    """The signals that this runtime emits: those of its moments, and those read at scrape time."""
    moments = (_START, _FAILURE, _END)
    return frozenset(AT_SCRAPE).union(*(moment.amounts for moment in moments))


def is_mute(metric: Metric) -> bool:
    """Whether the metric is a gauge that nothing feeds: its 0 would be read as a value."""
    fed = metric.from_ is MetricSource.CODE or metric.from_ in emitted_sources()
    return metric.type is MetricType.GAUGE and not fed


class _Effect(NamedTuple):
    """What a moment does to one instrument: ``write(pick(values), amount)``."""

    pick: Callable[[Values], Values]
    write: Callable[[Values, float], None]
    amount: float | None
    begin: Callable[[Values], object]


class MetricsSink:
    """Feeds the metrics whose source is a signal; the others' instruments are left alone."""

    def __init__(
        self, metrics: Mapping[str, Metric], instruments: Mapping[str, AnyInstrument]
    ) -> None:
        fed = [(metrics[name], instrument) for name, instrument in instruments.items()]
        self._at_start = _effects(_START, fed)
        self._at_failure = _effects(_FAILURE, fed)
        self._at_end = _effects(_END, fed)
        self._prepared: set[str] = set()

    def run_started(self, run: Run, /) -> None:
        """Count the start."""
        if run.agent not in self._prepared:
            self._prepare(run.agent)
        values = (run.agent,)
        for pick, write, amount, _ in self._at_start:
            write(pick(values), 1 if amount is None else amount)

    def run_failed(self, run: Run, error: BaseException, /) -> None:
        """Count the failure."""
        values = (run.agent, type(error).__qualname__)
        for pick, write, amount, _ in self._at_failure:
            write(pick(values), 1 if amount is None else amount)

    def run_ended(self, run: Run, outcome: Outcome, seconds: float, /) -> None:
        """Count the end."""
        values = (run.agent, outcome.value)
        for pick, write, amount, _ in self._at_end:
            write(pick(values), seconds if amount is None else amount)

    def _prepare(self, agent: str) -> None:
        """Begin the series that this agent's runs may need when they end.

        They show zero while the first run lasts. And the end of a run may come from the garbage
        collector, in the middle of the client's code that makes a series, whose lock this thread
        holds then: no series may have to be made for it.
        """
        for pick, _, _, begin in self._at_end:
            for outcome in Outcome:
                begin(pick((agent, outcome.value)))
        if len(self._prepared) < _MOST_PREPARED:
            self._prepared.add(agent)


def _effects(moment: _Moment, fed: list[tuple[Metric, AnyInstrument]]) -> tuple[_Effect, ...]:
    return tuple(
        _Effect(_picker(moment, metric), _writer(instrument), amount, instrument.series)
        for source, amount in moment.amounts.items()
        for metric, instrument in fed
        if metric.from_ is source
    )


def _picker(moment: _Moment, metric: Metric) -> Callable[[Values], Values]:
    """Takes a metric's label values out of a moment's."""
    if not metric.attributes:
        return lambda _: ()
    if metric.attributes == moment.attributes:
        return lambda values: values
    places = tuple(map(moment.attributes.index, metric.attributes))
    return lambda values: tuple([values[place] for place in places])


def _writer(instrument: AnyInstrument) -> Callable[[Values, float], None]:
    match instrument:
        case CounterInstrument() | GaugeInstrument():
            return instrument.add
        case HistogramInstrument():
            return instrument.observe
        case _:
            assert_never(instrument)
