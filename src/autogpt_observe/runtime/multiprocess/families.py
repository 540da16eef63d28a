"""Renders merged metrics."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.runtime.exposition.blocks import Block, count_up, slice_blocks
from autogpt_observe.runtime.exposition.formats import Syntax
from autogpt_observe.runtime.exposition.numbers import format_float
from autogpt_observe.runtime.exposition.skeleton import (
    Heading,
    Line,
    Skeleton,
    escape_label_value,
    learn_skeleton,
)
from autogpt_observe.runtime.multiprocess.merge import UnmergeableError

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client.samples import Exemplar

    from autogpt_observe.runtime.exposition.formats import Format
    from autogpt_observe.runtime.multiprocess.merge import Group, Series

    Values = Sequence[float | None]


class _LabelSet(NamedTuple):
    """The series with the same labels.

    Attributes:
        names: of the labels.
        lines: what is shown.
        values: of the labels.
        places: where the values are: of the lines; of a histogram, of its buckets and its sum.
    """

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    values: tuple[str, ...]
    places: tuple[int, ...]


class MergedFamily:
    """The lines of one merged metric in one format; stale once the metric has another series."""

    def __init__(self, name: str, group: Group, format_: Format) -> None:
        self._group = group
        self._name = name
        self._help = group.families[name][0]
        self._places = _shown(group, name)
        self._type = group.kind.type
        self._format = format_
        self._exemplars = (
            self._type in ("counter", "histogram") and format_.syntax is Syntax.OPENMETRICS
        )
        self._head = self._skeleton((), (Line(""),)).head
        self._blocks: list[_MergedBlock] = []
        sets = self._label_sets([(place, group.series[place]) for place in self._places])
        for (names, lines), alike in groupby(sets, key=itemgetter(0, 1)):
            self._add(names, lines, list(alike))

    def shows(self, group: Group) -> bool:
        """Whether these are all its series in ``group``, which may be another than before."""
        return group is self._group and self._places == _shown(group, self._name)

    def render(self, totals: Values, exemplars: Mapping[int, Exemplar]) -> list[bytes]:
        """Its lines."""
        shown = exemplars if self._exemplars else None
        return [self._head, *[block.render(totals, shown) for block in self._blocks]]

    def _label_sets(self, series: list[tuple[int, Series]]) -> list[_LabelSet]:
        found: dict[tuple[tuple[str, str], ...], list[tuple[int, Series]]] = {}
        for place, each in series:
            found.setdefault(each.labels, []).append((place, each))
        return [self._label_set(labels, some) for labels, some in found.items()]

    def _label_set(
        self, labels: tuple[tuple[str, str], ...], series: list[tuple[int, Series]]
    ) -> _LabelSet:
        names, values = tuple(name for name, _ in labels), tuple(value for _, value in labels)
        if self._type != "histogram":
            lines = tuple(Line(each.sample.removeprefix(self._name)) for _, each in series)
            return _LabelSet(names, lines, values, tuple(place for place, _ in series))
        buckets = sorted((each.bound, place) for place, each in series if each.bound is not None)
        sums = [place for place, each in series if each.sample == f"{self._name}_sum"]
        if not buckets or len(sums) != 1 or len(series) != len(buckets) + 1:
            raise UnmergeableError(f"the histogram {self._name} has other series than its own")
        lines = (
            *(Line("_bucket", ("le", format_float(bound))) for bound, _ in buckets),
            Line("_count"),
            Line("_sum"),
        )
        return _LabelSet(names, lines, values, (*(place for _, place in buckets), *sums))

    def _add(self, names: tuple[str, ...], lines: tuple[Line, ...], sets: list[_LabelSet]) -> None:
        skeleton = self._skeleton(names, lines)
        spread = None
        if self._type == "histogram":
            spread = partial(count_up, buckets=len(lines) - 2, shows_sum=True)
        for some in slice_blocks(sets, len(lines)):
            self._blocks.append(_MergedBlock(some, skeleton, spread))

    def _skeleton(self, names: tuple[str, ...], lines: tuple[Line, ...]) -> Skeleton:
        heading = Heading(
            name=self._name, help=self._help, type=self._type, unit="", label_names=names
        )
        return learn_skeleton(heading, lines, self._format, created=False)


def _shown(group: Group, name: str) -> list[int]:
    """The places of a family's series, without those that no process has set."""
    places = group.families[name][1]
    if group.kind.rule != "mostrecent":
        return places.copy()
    return [place for place in places if group.totals[place] is not None]


class _MergedBlock:
    """Some label sets with the same lines."""

    def __init__(
        self,
        sets: Sequence[_LabelSet],
        skeleton: Skeleton,
        spread: Callable[[array[float]], array[float]] | None,
    ) -> None:
        befores: list[str] = []
        for each in sets:
            values = tuple(map(escape_label_value, each.values))
            befores += skeleton.befores(values, "\n" if befores else "")
        self._block = Block(befores)
        self._spread = spread
        places = [place for each in sets for place in each.places]
        first = places[0]
        is_run = places == list(range(first, first + len(places)))
        span = slice(first, first + len(places))
        self._pick: Callable[[Values], Values] = (
            itemgetter(span) if is_run or len(places) == 1 else itemgetter(*places)
        )
        self._lines = [
            place
            for each in sets
            for place in (
                each.places if spread is None else (*each.places[:-1], _NO_PLACE, _NO_PLACE)
            )
        ]

    def render(self, totals: Values, exemplars: Mapping[int, Exemplar] | None) -> bytes:
        """The lines."""
        shown = None if exemplars is None else [exemplars.get(place) for place in self._lines]
        values: Sequence[float] = self._pick(totals)  # type: ignore[assignment]  # none is None
        return self._block.render(values, shown, spread=self._spread)


_NO_PLACE = -1
