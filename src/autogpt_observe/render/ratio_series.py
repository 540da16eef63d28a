"""Which series a ratio condition counts: label sets that its tests give samples to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.promql import selector
from autogpt_observe.render.events import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.spec.model import RatioCondition, Spec

_MADE_UP = ("one", "two")
_OTHER = ("other", "another")

Labels = MappingProxyType[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSeries:
    """The series of one condition.

    Attributes:
        groups: values of the `by` labels. The tests make the first group ill; each other group
            differs from it in one label.
        bad: label sets of bad events: together they have every value that counts as bad.
        rest: label sets of the series that complete the total: the good events where both sides
            read one metric, else all events.
        rest_is_good: which of the two `rest` is.
    """

    ratio: RatioCondition
    groups: tuple[Labels, ...]
    bad: tuple[Labels, ...]
    rest: tuple[Labels, ...]
    rest_is_good: bool

    def streams(
        self, group: Labels, bad: Sequence[int], total: Sequence[int]
    ) -> Iterator[tuple[str, Stream]]:
        """The series of one group by name, for its new events, bad and all, at each sample."""
        rest = [t - b for t, b in zip(total, bad, strict=True)] if self.rest_is_good else total
        metric = self.ratio.bad.metric
        for labels, share in zip(self.bad, _split(bad, len(self.bad)), strict=True):
            name = _series_name(metric, group, labels)
            yield name, Stream(values=_summed(share), bad=True, total=self.rest_is_good)
        metric = self.ratio.total.metric
        for labels, share in zip(self.rest, _split(rest, len(self.rest)), strict=True):
            name = _series_name(metric, group, labels)
            yield name, Stream(values=_summed(share), bad=False, total=True)


def ratio_series(spec: Spec, ratio: RatioCondition) -> RatioSeries:
    """The series of ``ratio``; raises ObserveError where bad events and all events are the same."""
    rest_is_good = ratio.bad.metric == ratio.total.metric
    bad = _bad_values(ratio) if rest_is_good else dict(ratio.bad.where)
    pinned = {
        label: (bad.get(label) or ratio.total.where[label])[0]
        for label in ratio.by
        if label in bad or label in ratio.total.where
    }
    bad_sets = _covering({**bad, **{label: (value,) for label, value in pinned.items()}})
    if rest_is_good:
        rest: tuple[Labels, ...] = (_good_labels(spec, ratio, pinned),)
    else:
        whole = {**ratio.total.where, **{label: (value,) for label, value in pinned.items()}}
        rest = _covering(whole)
    return RatioSeries(
        ratio=ratio,
        groups=_groups(spec, ratio, pinned),
        bad=bad_sets,
        rest=rest,
        rest_is_good=rest_is_good,
    )


def _bad_values(ratio: RatioCondition) -> dict[LabelName, tuple[str, ...]]:
    """For each label of either side, the values that bad events have; they are among the total."""
    found = {**ratio.total.where, **ratio.bad.where}
    for label, values in ratio.bad.where.items():
        allowed = ratio.total.where.get(label, values)
        found[label] = tuple(value for value in values if value in allowed)
        if not found[label]:
            raise ObserveError(
                f"`bad` counts {_listed(label, values)}, `total` only {_listed(label, allowed)};"
                " the bad events must be among all events"
            )
    for label in ratio.total.where.keys() - ratio.bad.where.keys():
        found[label] = found[label][:1]
    return found


def _good_labels(spec: Spec, ratio: RatioCondition, pinned: Mapping[LabelName, str]) -> Labels:
    """Labels that the total counts and that `bad` doesn't."""
    labels = {label: values[0] for label, values in _bad_values(ratio).items()} | dict(pinned)
    for label, values in ratio.bad.where.items():
        known = ratio.total.where.get(label) or _values(spec, label) or _OTHER
        good = next((value for value in known if value not in values), None)
        if good is not None and label not in pinned:
            return _labels({**labels, label: good})
    raise ObserveError(
        f"`bad` and `total` count the same events of `{ratio.bad.metric}`, so the share is always"
        " 100%; narrow `bad` with `where`"
    )


def _groups(
    spec: Spec, ratio: RatioCondition, pinned: Mapping[LabelName, str]
) -> tuple[Labels, ...]:
    choices = {
        label: (pinned[label],) if label in pinned else (_values(spec, label) or _MADE_UP)[:2]
        for label in ratio.by
    }
    ill = {label: values[0] for label, values in choices.items()}
    others = ({**ill, label: values[1]} for label, values in choices.items() if len(values) > 1)
    return (_labels(ill), *map(_labels, others))


def _covering(values: Mapping[LabelName, Sequence[str]]) -> tuple[Labels, ...]:
    """As few label sets as have every value of every label."""
    most = max(map(len, values.values()), default=1)
    return tuple(
        _labels({label: known[min(index, len(known) - 1)] for label, known in values.items()})
        for index in range(most)
    )


def _values(spec: Spec, label: LabelName) -> tuple[str, ...]:
    attribute = spec.attributes.get(label)
    return attribute.values if attribute is not None else ()


def _labels(labels: Mapping[LabelName, str]) -> Labels:
    return MappingProxyType({str(label): value for label, value in labels.items()})


def _listed(label: str, values: Sequence[str]) -> str:
    return f"`{label}` {', '.join(f'`{value}`' for value in values)}"


def _series_name(metric: str, group: Labels, labels: Labels) -> str:
    both = {**group, **labels}
    return selector(metric, {label: (value,) for label, value in both.items()})


def _split(counts: Sequence[int], ways: int) -> Iterator[list[int]]:
    """The counts spread over so many series, as evenly as whole numbers allow."""
    for way in range(ways):
        yield [count // ways + (way < count % ways) for count in counts]


def _summed(counts: Sequence[int]) -> tuple[int, ...]:
    total, values = 0, []
    for count in counts:
        total += count
        values.append(total)
    return tuple(values)


def format_samples(values: Sequence[int]) -> str:
    """A counter's values in promtool's notation: ``a+bxn`` is ``a`` and ``n`` more, rising by b.

    https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
    """
    runs = [[values[0], 0, 0]]
    for before, now in pairwise(values):
        rise = now - before
        if rise == runs[-1][1] or (len(runs) == 1 and runs[-1][2] == 0):
            runs[-1][1:] = rise, runs[-1][2] + 1
        else:
            runs.append([now, rise, 0])
    return " ".join(_run(*run) for run in runs)


def _run(start: int, rise: int, more: int) -> str:
    if not more:
        return f"{start}"
    return f"{start}+{rise}x{more}" if rise else f"{start}x{more}"
