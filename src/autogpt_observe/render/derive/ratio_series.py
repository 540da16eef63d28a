"""The series of bad events and of all events: label sets that tests give samples to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.derive.labels import (
    covering,
    declared_values,
    groups_of,
    labels_of,
    series_name,
)
from autogpt_observe.render.derive.samples import split_evenly, summed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.render.derive.story import Labels
    from autogpt_observe.spec.model import Selection, Spec

_OTHER = ("other", "another")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A counter of events: its value at each sample, from time 0 on.

    Attributes:
        bad: whether its events are bad ones.
        total: whether its events are among all events.
    """

    values: tuple[int, ...]
    bad: bool
    total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeries:
    """The series of bad events and of all events.

    Attributes:
        groups: values of the `by` labels. The tests make the first group ill; each other group
            differs from it in one label.
        bad: label sets of bad events: together they have every value that counts as bad.
        rest: label sets of the series that complete the total: the good events where both sides
            read one metric, else all events.
        rest_is_good: which of the two `rest` is.
    """

    bad_metric: str
    total_metric: str
    groups: tuple[Labels, ...]
    bad: tuple[Labels, ...]
    rest: tuple[Labels, ...]
    rest_is_good: bool

    def streams(
        self, group: Labels, bad: Sequence[int], total: Sequence[int]
    ) -> Iterator[tuple[str, Stream]]:
        """The series of one group by name, for its new events, bad and all, at each sample."""
        rest = [t - b for t, b in zip(total, bad, strict=True)] if self.rest_is_good else total
        for labels, share in zip(self.bad, split_evenly(bad, len(self.bad)), strict=True):
            name = series_name(self.bad_metric, group, labels)
            yield name, Stream(values=summed(share), bad=True, total=self.rest_is_good)
        for labels, share in zip(self.rest, split_evenly(rest, len(self.rest)), strict=True):
            name = series_name(self.total_metric, group, labels)
            yield name, Stream(values=summed(share), bad=False, total=True)


def event_series(
    spec: Spec, bad: Selection, total: Selection, by: Sequence[LabelName]
) -> EventSeries:
    """The series of both; raises ObserveError where bad events and all events are the same."""
    rest_is_good = bad.metric == total.metric
    counted = _bad_values(bad, total) if rest_is_good else dict(bad.where)
    pinned = {
        label: (counted.get(label) or total.where[label])[:1]
        for label in by
        if label in counted or label in total.where
    }
    if rest_is_good:
        rest: tuple[Labels, ...] = (_good_labels(spec, bad, total, pinned),)
    else:
        rest = covering({**total.where, **pinned})
    return EventSeries(
        bad_metric=bad.metric,
        total_metric=total.metric,
        groups=groups_of(spec, by, pinned),
        bad=covering({**counted, **pinned}),
        rest=rest,
        rest_is_good=rest_is_good,
    )


def _bad_values(bad: Selection, total: Selection) -> dict[LabelName, tuple[str, ...]]:
    """For each label of either side, the values that bad events have; they are among the total."""
    found = {**total.where, **bad.where}
    for label, values in bad.where.items():
        allowed = total.where.get(label, values)
        found[label] = tuple(value for value in values if value in allowed)
        if not found[label]:
            raise ObserveError(
                f"`bad` counts {_listed(label, values)}, `total` only {_listed(label, allowed)};"
                " the bad events must be among all events"
            )
    for label in total.where.keys() - bad.where.keys():
        found[label] = found[label][:1]
    return found


def _good_labels(
    spec: Spec, bad: Selection, total: Selection, pinned: Mapping[LabelName, Sequence[str]]
) -> Labels:
    """Labels that the total counts and that `bad` doesn't."""
    values = {**_bad_values(bad, total), **pinned}
    labels = {label: known[0] for label, known in values.items()}
    for label, counted in bad.where.items():
        known = total.where.get(label) or declared_values(spec, label) or _OTHER
        good = next((value for value in known if value not in counted), None)
        if good is not None and label not in pinned:
            return labels_of({**labels, label: good})
    raise ObserveError(
        f"`bad` and `total` count the same events of `{bad.metric}`, so the share is always"
        " 100%; narrow `bad` with `where`"
    )


def _listed(label: str, values: Sequence[str]) -> str:
    return f"`{label}` {', '.join(f'`{value}`' for value in values)}"
