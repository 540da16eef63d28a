"""The metrics sink: moves the spec's instruments by what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from autogpt_observe.names import SIGNALS
from autogpt_observe.runtime.events import (
    Attempt,
    AttemptFailed,
    LoopFound,
    Run,
    RunStarted,
    Unparseable,
)
from autogpt_observe.runtime.failures import Outcome
from autogpt_observe.runtime.feeds import FEEDS
from autogpt_observe.runtime.instruments import (
    AnyInstrument,
    CounterInstrument,
    GaugeInstrument,
    HistogramInstrument,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.events import Event, Trace
    from autogpt_observe.spec.model import Metric

    Values = tuple[str, ...]

_BY_THEMSELVES = (Outcome.SUCCESS, Outcome.ERROR, Outcome.CANCELLED)
"""The outcomes that a run comes to if nobody says another one."""
_MOST_CELLS = 10_000


class _Effect(NamedTuple):
    """What an event does to one instrument."""

    pick: Callable[[Values], Values]
    instrument: AnyInstrument
    amount: str | float
    exemplars: bool


class _Cell(NamedTuple):
    """What events with the same label values do, ready to be done.

    Attributes:
        counts: how to add, and the field of the event that holds the amount.
        fixed: how to add, and the amount.
        observations: how to observe, and the field that holds the value, which may be None.
        examples: as ``observations``, of histograms that show in which spans they were made.
    """

    counts: tuple[tuple[Callable[[float], None], int], ...]
    fixed: tuple[tuple[Callable[[float], None], float], ...]
    observations: tuple[tuple[Callable[[float], None], int], ...]
    examples: tuple[tuple[Callable[[float, Trace | None], None], int], ...]


class _Plan:
    """How one type of event is taken.

    Attributes:
        width: how many of the event's first fields are label values.
        traced: the field that holds the trace; None where there is none.
        cells: the cells made so far, by label values.
    """

    __slots__ = ("cells", "effects", "event", "traced", "width")

    def __init__(self, event: type[Event], fed: list[tuple[Metric, AnyInstrument]]) -> None:
        self.event = event
        feeds = FEEDS[event]
        labels = [name for name in event._fields if name in _LABELS]
        self.width = len(labels)
        self.traced = event._fields.index("trace") if "trace" in event._fields else None
        self.effects = tuple(
            _Effect(_picker(tuple(labels), metric), instrument, amount, metric.exemplars)
            for source, amount in feeds.items()
            for metric, instrument in fed
            if metric.from_ is source
        )
        self.cells: dict[Values, _Cell] = {}

    def cell(self, labels: Values) -> _Cell:
        """What is done for these label values; their series begin at zero if they are new."""
        counts, fixed, observations, examples = [], [], [], []
        for pick, instrument, amount, exemplars in self.effects:
            at = self.event._fields.index(amount) if isinstance(amount, str) else -1
            match instrument:
                case HistogramInstrument() if exemplars and self.traced is not None:
                    examples.append((instrument.series(pick(labels)).observe_in, at))
                case HistogramInstrument():
                    observations.append((instrument.series(pick(labels)).observe, at))
                case CounterInstrument() | GaugeInstrument() if isinstance(amount, str):
                    counts.append((instrument.series(pick(labels)).add, at))
                case CounterInstrument() | GaugeInstrument():
                    fixed.append((instrument.series(pick(labels)).add, float(amount)))
                case _:
                    assert_never(instrument)
        made = _Cell(tuple(counts), tuple(fixed), tuple(observations), tuple(examples))
        if len(self.cells) < _MOST_CELLS:
            self.cells[labels] = made
        return made


_LABELS = frozenset(name for signal in SIGNALS.values() for name in signal.attributes)


class MetricsSink:
    """Feeds the metrics whose source is a signal; the others' instruments are left alone."""

    def __init__(
        self, metrics: Mapping[str, Metric], instruments: Mapping[str, AnyInstrument]
    ) -> None:
        fed = [(metrics[name], instrument) for name, instrument in instruments.items()]
        self._plans = {event: _Plan(event, fed) for event in FEEDS}

    def take(self, event: Event, /) -> None:
        """Move what the event moves."""
        plan = self._plans[type(event)]
        labels: Values = event[: plan.width]  # type: ignore[assignment]  # these fields are text
        cell = plan.cells.get(labels)
        if cell is None:
            self._prepare(type(event), labels)
            cell = plan.cell(labels)
        counts, fixed, observations, examples = cell
        for add, amount in fixed:
            add(amount)
        for add, at in counts:
            add(event[at])  # type: ignore[arg-type]  # this field is a number
        for observe, at in observations:
            value = event[at]
            if value is not None:
                observe(value)  # type: ignore[arg-type]  # as above
        for observe_in, at in examples:
            observe_in(event[at], event[plan.traced])  # type: ignore[arg-type,index]  # as above

    def _prepare(self, event: type[Event], labels: Values) -> None:
        """Begin the series that may be needed later.

        They show zero until then. And the end of a run may come from the garbage collector, in the
        middle of the client's code that makes a series, whose lock this thread holds then: no
        series may have to be made for it.
        """
        if event is RunStarted:
            ends = self._plans[Run]
            for outcome in _BY_THEMSELVES:
                ends.cell((*labels, outcome.value))
            self._plans[LoopFound].cell((*labels, "repeat"))
        elif event is Attempt:
            self._plans[AttemptFailed].cell((*labels, "other"))
            self._plans[Unparseable].cell(labels)


def _picker(names: tuple[str, ...], metric: Metric) -> Callable[[Values], Values]:
    """Takes a metric's label values out of an event's."""
    if metric.attributes == names:
        return lambda values: values
    places = tuple(map(names.index, metric.attributes))
    return lambda values: tuple([values[place] for place in places])
