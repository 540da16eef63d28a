"""The series that an objective counts, told as bad events and all events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import BUCKET_BOUND
from autogpt_observe.render.derive.burn_judge import Counted, Counter
from autogpt_observe.render.derive.labels import (
    covering,
    declared_values,
    groups_of,
    labels_of,
    members_of,
    series_name,
    stranger_to,
)
from autogpt_observe.render.derive.samples import split_evenly, summed
from autogpt_observe.render.derive.story import Labels
from autogpt_observe.render.slo import counted_selections
from autogpt_observe.slo import is_tiled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autogpt_observe.names import LabelName
    from autogpt_observe.render.slo import ObjectiveRules
    from autogpt_observe.spec.model import Selection

_OTHERS = ("other", "another")

_Part = tuple[str, Sequence[Labels], Sequence[int], int, int]
"""Series of one metric, their events, and how these count: as bad ones, and among all."""


@dataclass(frozen=True)
class ObjectiveSeries:
    """The series of one objective."""

    rules: ObjectiveRules

    @cached_property
    def groups(self) -> tuple[Labels, ...]:
        """Groups to judge: the tests make the first one ill."""
        first, total = self._selections
        known = {**total.where, **first.where}
        return groups_of(self.rules.spec, self.rules.objective.by, known)

    def counters(
        self, group: Labels, bad: Sequence[int], total: Sequence[int]
    ) -> dict[str, Counter]:
        """The counters of a group by name, for its new events, bad and all, at each sample."""
        first, everything = self._selections
        by = self.rules.objective.by
        good = [t - b for t, b in zip(total, bad, strict=True)]
        parts: list[_Part] = [(s.metric, (labels,), total, 0, 0) for s, labels in self._strangers]
        if self.rules.objective.events is None:
            parts += [(first.metric, members_of(first, by), good, -1, 0)]
            parts += [(everything.metric, members_of(everything, by), total, 0, 1)]
        elif first.metric == everything.metric:
            parts += [(first.metric, self._bad_members, bad, 1, 1)]
            parts += [(first.metric, (self._good_member,), good, 0, 1)]
        else:
            parts += [(first.metric, members_of(first, by), bad, 1, 0)]
            parts += [(everything.metric, members_of(everything, by), total, 0, 1)]
        return {
            name: Counter(values=values, bad=is_bad, total=is_total)
            for metric, members, counts, is_bad, is_total in parts
            for name, values in _spread(metric, group, members, counts)
        }

    def counted(self, counters: Mapping[str, Counter], step: int) -> Counted:
        """How Prometheus reads these counters."""
        period = self.rules.objective.window
        tile = self.rules.tile
        tiled = {w.ms for w in self.rules.windows if is_tiled(w, tile)} | {period.ms}
        return Counted(tuple(counters.values()), step=step, tile=tile.ms, tiled=frozenset(tiled))

    @cached_property
    def most_members(self) -> int:
        """How many series one kind of event is spread over at most."""
        first, total = self._selections
        by = self.rules.objective.by
        return max(len(members_of(first, by)), len(members_of(total, by)))

    @cached_property
    def _selections(self) -> tuple[Selection, Selection]:
        return counted_selections(self.rules.spec, self.rules.objective)

    @cached_property
    def _strangers(self) -> tuple[tuple[Selection, Labels], ...]:
        """Series of the same metrics that don't count, where `where` leaves some out."""
        first, everything = self._selections
        alike = first.metric == everything.metric
        found = (
            (selection, stranger_to(self.rules.spec, selection, self.rules.objective.by))
            for selection in ((everything,) if alike else (first, everything))
        )
        return tuple((selection, _as_bucket(labels)) for selection, labels in found if labels)

    @cached_property
    def _bad_values(self) -> dict[LabelName, tuple[str, ...]]:
        """Where both sides read one metric: the values of bad events, which the total counts."""
        bad, total = (selection.where for selection in self._selections)
        by = self.rules.objective.by
        both = {label: values[:1] for label, values in total.items()}
        for label, values in bad.items():
            allowed = total.get(label, values)
            both[label] = tuple(value for value in values if value in allowed)
        return {label: values for label, values in both.items() if label not in by}

    @cached_property
    def _bad_members(self) -> tuple[Labels, ...]:
        return covering(self._bad_values)

    @cached_property
    def _good_member(self) -> Labels:
        """Labels that the total counts and that `bad` doesn't."""
        bad, total = (selection.where for selection in self._selections)
        first = {label: values[0] for label, values in self._bad_values.items()}
        for label in self._bad_values.keys() & bad.keys():
            known = total.get(label) or declared_values(self.rules.spec, label) or _OTHERS
            good = next((value for value in known if value not in bad[label]), None)
            if good is not None:
                return labels_of({**first, label: good})
        raise ObserveError("`bad` and `total` count the same events; narrow `bad` with `where`")


def _as_bucket(labels: Labels) -> Labels:
    """A bucket that doesn't count is that of all observations, which every histogram has."""
    if labels.get(BUCKET_BOUND) in _OTHERS:
        return type(labels)({**labels, BUCKET_BOUND: "+Inf"})
    return labels


def _spread(
    metric: str, group: Labels, members: Sequence[Labels], counts: Sequence[int]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for labels, share in zip(members, split_evenly(counts, len(members)), strict=True):
        yield series_name(metric, group, labels), summed(share)
