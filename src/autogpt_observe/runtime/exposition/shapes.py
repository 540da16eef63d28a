# ruff: noqa: SLF001  # what is read here is private: this module is the place for it
# ruff: noqa: D102  # `Shape` says what these methods do
"""How the values of the library's metric classes are read, without the objects it makes of them.

Everything here may break with a release of the library: what it reads is private. Whoever calls
takes any exception, and :class:`UnknownShapeError`, as the order to let the library do it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import prometheus_client as prom
from prometheus_client import metrics
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.values import MutexValue

from autogpt_observe.runtime.atomic import AtomicCounter, AtomicGauge, AtomicHistogram
from autogpt_observe.runtime.exposition.blocks import count_up
from autogpt_observe.runtime.exposition.numbers import format_float
from autogpt_observe.runtime.exposition.skeleton import Heading, Line

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from prometheus_client.samples import Exemplar

    from autogpt_observe.runtime.exposition.blocks import Exemplars

Child: TypeAlias = Any  # what is read of them is private, so it has no types
"""A metric without labels, or one label set of a metric with labels."""


class UnknownShapeError(Exception):
    """A collector that the library has to render."""


class Shape(Protocol):
    """Reads the label sets of one collector.

    Attributes:
        lines: the lines of each label set.
        takes_exemplars: whether a line may have one.
        shows_created: whether each label set shows when it was made.
    """

    lines: tuple[Line, ...]
    takes_exemplars: bool
    shows_created: bool

    def check(self, children: Sequence[Child]) -> None:
        """Raise UnknownShapeError unless these are read right; asked once per label set."""

    def read(self, children: Sequence[Child]) -> list[float]:
        """The values: those of the first label set's lines, those of the second's ..."""

    def exemplars(self, children: Sequence[Child]) -> Exemplars:
        """The exemplar of each line; asked only where lines may have one."""

    def spread(self, numbers: array[float]) -> array[float]:
        """What is shown for the values read."""


class _Simple:
    """One line per label set, with the value as it is."""

    takes_exemplars = False
    shows_created = False

    def __init__(self, *suffixes: str) -> None:
        self.lines = tuple(map(Line, suffixes))

    def check(self, children: Sequence[Child]) -> None:
        for child in children:
            _check_value(child._value)

    def read(self, children: Sequence[Child]) -> list[float]:
        return [child._value._value for child in children]

    def exemplars(self, children: Sequence[Child]) -> Exemplars:
        return [None] * (len(children) * len(self.lines))

    def spread(self, numbers: array[float]) -> array[float]:
        return numbers


class CounterShape(_Simple):
    """A counter."""

    takes_exemplars = True

    def __init__(self, *, shows_created: bool) -> None:
        super().__init__("_total")
        self.shows_created = shows_created

    def exemplars(self, children: Sequence[Child]) -> Exemplars:
        return [child._value._exemplar for child in children]


class GaugeShape(_Simple):
    """A gauge; not one that calls a function of the host."""

    def __init__(self) -> None:
        super().__init__("")

    def read(self, children: Sequence[Child]) -> list[float]:
        # `set_function` puts a method of its own on the label set, at any time
        values = [
            child._value._value
            for child in children
            if child._child_samples.__func__ is _GAUGE_SAMPLES
        ]
        if len(values) < len(children):
            raise UnknownShapeError("a gauge with a function")
        return values


class SummaryShape(_Simple):
    """A summary."""

    def __init__(self, *, shows_created: bool) -> None:
        super().__init__("_count", "_sum")
        self.shows_created = shows_created

    def check(self, children: Sequence[Child]) -> None:
        for child in children:
            _check_value(child._count)
            _check_value(child._sum)

    def read(self, children: Sequence[Child]) -> list[float]:
        return [value for child in children for value in (child._count._value, child._sum._value)]


class _Bucketed:
    """Lines for the buckets, counted up; for the count, which is the last of them; for the sum.

    The sum of a histogram that can go down is not shown.
    """

    takes_exemplars = True

    def __init__(self, bounds: Sequence[float], *, shows_created: bool) -> None:
        self.bounds = list(bounds)
        self.shows_created = shows_created
        self.shows_sum = self.bounds[0] >= 0
        self.lines = (
            *(Line("_bucket", ("le", format_float(bound))) for bound in self.bounds),
            Line("_count"),
            *((Line("_sum"),) if self.shows_sum else ()),
        )

    def spread(self, numbers: array[float]) -> array[float]:
        return count_up(numbers, len(self.bounds), shows_sum=self.shows_sum)

    def check(self, children: Sequence[Child]) -> None:
        for child in children:
            if child._upper_bounds != self.bounds:
                raise UnknownShapeError("a label set with buckets of its own")

    def exemplars(self, children: Sequence[Child]) -> Exemplars:
        padding = [None] * (len(self.lines) - len(self.bounds))  # the count and the sum have none
        shown: list[Exemplar | None] = []
        for child in children:
            shown += self.exemplars_of(child)
            shown += padding
        return shown

    def exemplars_of(self, child: Child) -> Exemplars:
        raise NotImplementedError


class HistogramShape(_Bucketed):
    """A histogram of the library's."""

    def check(self, children: Sequence[Child]) -> None:
        super().check(children)
        for child in children:
            _check_value(child._sum)
            if len(child._buckets) != len(self.bounds):
                raise UnknownShapeError("a label set with other buckets than its bounds say")
            for bucket in child._buckets:
                _check_value(bucket)

    def read(self, children: Sequence[Child]) -> list[float]:
        values: list[float] = []
        for child in children:
            values += [bucket._value for bucket in child._buckets]
            values.append(child._sum._value)
        return values

    def exemplars_of(self, child: Child) -> Exemplars:
        return [bucket._exemplar for bucket in child._buckets]


class AtomicHistogramShape(_Bucketed):
    """A histogram of the runtime's."""

    def read(self, children: Sequence[Child]) -> list[float]:
        values: list[float] = []
        for child in children:
            values += child.snapshot()
        return values

    def exemplars_of(self, child: Child) -> Exemplars:
        exemplars: Exemplars = child.exemplars()
        return exemplars


def heading_of(collector: MetricWrapperBase) -> Heading:
    """What the collector's family is called."""
    return Heading(
        name=collector._name,
        help=collector._documentation,
        type=str(collector._type),
        unit=collector._unit,
        label_names=tuple(collector._labelnames),
    )


def children_of(collector: Child) -> list[Child]:
    """Its label sets, oldest first."""
    # in one step, so neither the lock of the labels is needed nor a thread can come in between
    return list(collector._metrics.values()) if collector._is_parent() else [collector]


def label_values_of(child: Child) -> tuple[str, ...]:
    """In the order of the family's label names."""
    return tuple(child._labelvalues)


def created_of(children: Sequence[Child]) -> list[float]:
    """When each was made."""
    return [child._created for child in children]


def shape_of(collector: object) -> Shape:
    """How to read a collector.

    Raises:
        UnknownShapeError: it is not of a class known here, or not as that class made it.
    """
    class_ = type(collector)
    if not isinstance(collector, MetricWrapperBase) or class_ not in _MAKERS:
        raise UnknownShapeError(f"a collector of class {class_.__qualname__}")
    _check_original(collector)
    return _MAKERS[class_](collector)


def identity_of(collector: MetricWrapperBase) -> tuple[object, ...]:
    """Equal as long as what was learned of a collector holds.

    Raises:
        UnknownShapeError: as `shape_of`.
    """
    _check_original(collector)
    return (
        collector._name,
        collector._documentation,
        collector._unit,
        collector._labelnames,
        metrics._use_created,
        getattr(collector, "_upper_bounds", None),
    )


def _check_original(collector: MetricWrapperBase) -> None:
    class_ = type(collector)
    if _samplers(class_) != _ORIGINALS.get(class_):
        raise UnknownShapeError(f"{class_.__qualname__} was changed")
    if not _OWN_SAMPLERS.isdisjoint(vars(collector)):
        raise UnknownShapeError("a collector with a method of its own")


def _samplers(class_: type) -> tuple[object, ...]:
    return tuple([getattr(class_, name, None) for name in _SAMPLERS])


def _made_by_library(class_: type) -> bool:
    methods = [getattr(class_, name) for name in _SAMPLERS if class_.__module__ == metrics.__name__]
    return all(method.__module__ == metrics.__name__ for method in methods)


def _check_value(value: object) -> None:
    if type(value) is not MutexValue:
        raise UnknownShapeError(f"a value of class {type(value).__qualname__}")


def _counter(_: MetricWrapperBase) -> Shape:
    return CounterShape(shows_created=bool(metrics._use_created))


def _summary(_: MetricWrapperBase) -> Shape:
    return SummaryShape(shows_created=bool(metrics._use_created))


def _gauge(_: MetricWrapperBase) -> Shape:
    return GaugeShape()


def _histogram(collector: Child) -> Shape:
    return HistogramShape(collector._upper_bounds, shows_created=bool(metrics._use_created))


def _atomic_counter(_: MetricWrapperBase) -> Shape:
    return CounterShape(shows_created=False)


def _atomic_histogram(collector: Child) -> Shape:
    return AtomicHistogramShape(collector._upper_bounds, shows_created=False)


_MAKERS: dict[type, Callable[[MetricWrapperBase], Shape]] = {
    prom.Counter: _counter,
    prom.Gauge: _gauge,
    prom.Histogram: _histogram,
    prom.Summary: _summary,
    AtomicCounter: _atomic_counter,
    AtomicGauge: _gauge,
    AtomicHistogram: _atomic_histogram,
}
_SAMPLERS = ("collect", "_samples", "_multi_samples", "_child_samples", "_get_metric", "_is_parent")
_OWN_SAMPLERS = frozenset(_SAMPLERS)
_ORIGINALS = {class_: _samplers(class_) for class_ in _MAKERS if _made_by_library(class_)}
_GAUGE_SAMPLES = prom.Gauge._child_samples
