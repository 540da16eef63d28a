"""The metrics that rules read, declared: type and labels are guessed from how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from autogpt_observe.names import (
    BUCKET_BOUND,
    HISTOGRAM_SUFFIXES,
    SYNTHETIC_METRICS,
    TARGET_LABELS,
    LabelName,
    MetricName,
    MetricSource,
    MetricType,
)
from autogpt_observe.spec.model import Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from autogpt_observe.diagnostics import Span
    from autogpt_observe.importers.expressions import Read


class Told(Protocol):
    """Takes what was guessed against some of the evidence."""

    def guessed(self, message: str, at: Span | None, *, fix: str | None = None) -> None:
        """Tell one guess."""


_OF_COUNTERS = frozenset({"rate", "irate", "increase", "resets"})
_OF_GAUGES = frozenset(
    {"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"}
    | {f"{op}_over_time" for op in ("avg", "min", "max", "sum", "quantile", "stddev", "stdvar")}
)
_BUCKET = HISTOGRAM_SUFFIXES[0]
_QUANTILE = "histogram_quantile"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where a part of the spec reads series.

    Attributes:
        reader: the name of the part.
        read: what is read.
        at: where in the input.
        type: what the series must be, where that is known.
    """

    reader: str
    read: Read
    at: Span
    type: MetricType | None = None


@dataclass(slots=True)
class _Seen:
    """All that is seen of the series of one name."""

    at: Span
    functions: set[str] = field(default_factory=set)
    labels: dict[str, None] = field(default_factory=dict)
    readers: dict[str, None] = field(default_factory=dict)
    types: set[MetricType] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Guess:
    """A metric, and the labels that are seen of it but not declared."""

    metric: Metric
    seen: tuple[LabelName, ...]


def guess_metrics(
    readings: Sequence[Reading],
    recorded: Collection[str],
    told: Told,
    *,
    unlabelled: Collection[str] = (),
) -> Mapping[MetricName, Guess]:
    """Every metric that is read and not recorded, in the order of appearance.

    What contradicts itself is told as a guess. Names that no metric of a spec can have (colons
    belong to recording rules) are left out. Those in ``unlabelled`` declare no labels, which
    stands for any, unless something must know them.
    """
    seen = _gather(readings, recorded)
    histograms = _histograms(seen)
    found: dict[MetricName, Guess] = {}
    joined = _join(seen, histograms)
    for name, one in joined.items():
        try:
            metric = MetricName.parse(name)
        except ValueError:
            continue
        labels = tuple(_labels(one, name in histograms))
        hidden = name in unlabelled and not one.types
        guessed = Metric(
            type=_type(name, one, histograms, told),
            from_=MetricSource.EXTERNAL,
            help=f"Read by {_listed(one.readers)}",
            labels=() if hidden else labels,
        )
        found[metric] = Guess(guessed, labels if hidden else ())
    return found


def _gather(readings: Sequence[Reading], recorded: Collection[str]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    known = {*recorded, *SYNTHETIC_METRICS}
    for reading in readings:
        read = reading.read
        if not read.name or (read.name in known and reading.type is None):
            continue
        one = seen.setdefault(read.name, _Seen(reading.at))
        one.functions |= {*read.functions[:1], *({_QUANTILE} & {*read.functions})}
        one.labels |= dict.fromkeys([*(m.label for m in read.matchers), *read.labels])
        one.readers[reading.reader] = None
        if reading.type is not None:
            one.types.add(reading.type)
    return seen


def _histograms(seen: Mapping[str, _Seen]) -> frozenset[str]:
    """The names of histograms, classic ones without their suffix."""
    found = {name for name, one in seen.items() if MetricType.HISTOGRAM in one.types}
    for name, one in seen.items():
        counted = BUCKET_BOUND in one.labels or one.functions & {*_OF_COUNTERS, _QUANTILE}
        if name.endswith(_BUCKET) and name != _BUCKET and counted:
            found.add(name.removesuffix(_BUCKET))
        elif _QUANTILE in one.functions and not name.endswith(_BUCKET):
            found.add(name)  # a native one
    return frozenset(found)


def _join(seen: Mapping[str, _Seen], histograms: Collection[str]) -> dict[str, _Seen]:
    """What is seen of each metric: the parts of a histogram are one."""
    joined: dict[str, _Seen] = {}
    for name, one in seen.items():
        base = next(
            (stem for end in HISTOGRAM_SUFFIXES if (stem := name.removesuffix(end)) in histograms),
            name,
        )
        whole = base if MetricType.COUNTER not in one.types else name
        into = joined.setdefault(whole, _Seen(one.at))
        into.functions |= one.functions
        into.labels |= one.labels
        into.readers |= one.readers
        into.types |= one.types
    return joined


def _type(name: str, one: _Seen, histograms: Collection[str], told: Told) -> MetricType:
    if name in histograms:
        return MetricType.HISTOGRAM
    counted, measured = one.functions & _OF_COUNTERS, one.functions & _OF_GAUGES
    counter = bool(counted) or MetricType.COUNTER in one.types or name.endswith("_total")
    if counter and measured:
        why = sorted(counted)[:1] or ["its name"]
        message = f"`{name}` is declared a counter, as `{why[0]}` takes it"
        if not counted:
            message = f"`{name}` is declared a counter, as its name ends so"
        as_gauge = min(measured)
        told.guessed(f"{message}, but `{as_gauge}` is for gauges", one.at, fix="check its type")
    return MetricType.COUNTER if counter else MetricType.GAUGE


def _labels(one: _Seen, histogram: bool) -> Iterable[LabelName]:  # noqa: FBT001 - one caller
    for label in one.labels:
        if label in TARGET_LABELS or (histogram and label == BUCKET_BOUND):
            continue
        try:
            yield LabelName.parse(label)
        except ValueError:
            continue


def _listed(readers: Iterable[str]) -> str:
    names = list(readers)
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
