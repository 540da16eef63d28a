"""Percentiles of a classic histogram over a window.

Source: bucketQuantile in https://github.com/prometheus/prometheus/blob/v2.42.0/promql/quantile.go
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, islice, product
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import BUCKET_BOUND, HISTOGRAM_SUFFIXES
from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.few import enough_counts, few_counts
from autogpt_observe.render.derive.labels import groups_of, members_of, series_name
from autogpt_observe.render.derive.levels import Limit, limit_of
from autogpt_observe.render.derive.samples import (
    cut_window,
    float_rate,
    float_sums,
    gained,
    sample_step,
    split_evenly,
    summed,
)
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.render.derive.samples import Window
    from autogpt_observe.spec.model import QuantileCondition, Spec

_BUCKET, _, _COUNT = HISTOGRAM_SUFFIXES
_INFINITE = "+Inf"
_SIZES = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000)
"""How many observations a sample may bring, until the percentile comes near enough."""
_NEAR = ((20, 80), (10, 50), (40, 95), (5, 30))
"""How far the tests keep from a limit, in thousandths of it: less than a tenth."""
_FAR = (300, 700)
_PARTS = (Fraction(1, 2), Fraction(1, 3), Fraction(3, 4))
_MOST_SUMS = 64


def value_at(
    share: Fraction, bounds: Sequence[Fraction], cumulated: Sequence[int]
) -> Fraction | None:
    """The percentile, by linear interpolation; ``cumulated`` has a last entry for all of them."""
    if not cumulated[-1]:
        return None
    rank = share * cumulated[-1]
    at = next((i for i, count in enumerate(cumulated[:-1]) if count >= rank), None)
    if at is None:
        return bounds[-1]
    start, before = (bounds[at - 1], cumulated[at - 1]) if at else (Fraction(0), 0)
    inside = Fraction(rank - before) / (cumulated[at] - before)
    return start + (bounds[at] - start) * inside


def _float_at(share: float, bounds: Sequence[float], cumulated: Sequence[float]) -> float | None:
    """The same in floats, each operation in Prometheus' own order."""
    rank = share * cumulated[-1]
    at = next((i for i, count in enumerate(cumulated[:-1]) if count >= rank), None)
    if at is None:
        return bounds[-1]
    start, count = (0.0, cumulated[at])
    if at:
        start, count, rank = bounds[at - 1], count - cumulated[at - 1], rank - cumulated[at - 1]
    return start + (bounds[at] - start) * (rank / count) if count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileJudge:
    """Judges the observations of one group.

    Attributes:
        buckets: for each bound and then for all, the counters of the group's series.
        counts: the counters of all observations.
    """

    buckets: Sequence[Sequence[Sequence[int]]]
    counts: Sequence[Sequence[int]]
    bounds: Sequence[Fraction]
    share: Fraction
    step: int
    window: int
    limit: Limit
    least: int
    grain: int

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the condition holds at an evaluation."""
        window = self._cut(now, closed=closed)
        if window is None:
            return False
        seen = sum(gained(stream, window, self.step) for stream in self.counts)
        if seen < self.least * 2 * window.span * self.grain:
            return False
        value = self._value(window)
        # Floats may come out on either side of the limit: nothing has cleared there.
        return value is not None and (self.limit.past(value) or value == self.limit.value)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The percentile, exact and as floats."""
        exact, found = 0.0, set[float]()
        for closed in BOTH_CUTS:
            window = self._cut(now, closed=closed)
            if window is None:
                continue
            exact = float(self._value(window) or 0)
            found |= self._floats(window)
        return exact, found

    def _value(self, window: Window) -> Fraction | None:
        cumulated = [
            sum(gained(stream, window, self.step) for stream in streams) for streams in self.buckets
        ]
        return value_at(self.share, self.bounds, cumulated)

    def _floats(self, window: Window) -> set[float]:
        sums = [
            sorted(
                float_sums(
                    [
                        float_rate(s, window, step=self.step, grain=self.grain, length=self.window)
                        for s in streams
                    ]
                )
            )
            for streams in self.buckets
        ]
        bounds = [float(bound) for bound in self.bounds]
        ways = islice(product(*sums), _MOST_SUMS)
        found = (_float_at(float(self.share), bounds, cumulated) for cumulated in ways)
        return {value for value in found if value is not None}

    def _cut(self, now: int, *, closed: bool) -> Window | None:
        count = len(self.counts[0])
        return cut_window(now, length=self.window, step=self.step, count=count, closed=closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileScene:
    """A histogram whose observations fall into its buckets as the level says.

    Attributes:
        spreads: for each level, the observations of a sample in each bucket, the last unbounded.
    """

    spec: Spec
    when: QuantileCondition
    bounds: Sequence[Fraction]
    spreads: Mapping[Level, Sequence[int]]
    extreme: Sequence[int]
    step: int
    limit: Limit
    groups: tuple[Labels, ...]
    opening: Sequence[Level]
    clears: int
    shown_as: str = "{{ $value | humanize }}"
    rises: int = 0
    has_short: bool = True

    @property
    def above(self) -> bool:
        """Whether the condition holds above its limit."""
        return self.limit.above

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """The buckets of ``group`` on this course."""
        return self._play(group, [self.spreads[level] for level in course])

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:
        """No observations; and all of them past the limit, but too few."""
        nothing = [Level.IDLE] * (len(self.opening) + busy)
        yield Extra("no_traffic", self.play(self.groups[0], nothing))

        def few(counts: Sequence[int], grain: int = 1) -> Play:
            spreads = [[n * count for n in self.extreme] for count in counts]
            return self._play(self.groups[0], spreads, grain)

        counts = few_counts(
            lambda counts: few(counts).judge,
            least=self.when.min_events,
            window=self.when.window.ms,
            step=self.step,
            lead=len(self.opening),
            busy=busy,
            clock=clock,
        )
        if counts is not None:
            yield Extra("few_events", few(counts))
        enough, grain = enough_counts(
            least=self.when.min_events,
            window=self.when.window.ms,
            step=self.step,
            lead=len(self.opening),
            clock=clock,
        )
        yield Extra("enough_events", few(enough, grain), must_fire=True)

    def _play(self, group: Labels, spreads: Sequence[Sequence[int]], grain: int = 1) -> Play:
        members = members_of(self.when, self.when.by)
        # For each bucket, the observations of each member at each sample.
        parted = [
            list(split_evenly([spread[at] for spread in spreads], len(members)))
            for at in range(len(self.bounds) + 1)
        ]
        histograms = [_cumulated([bucket[way] for bucket in parted]) for way in range(len(members))]
        series: dict[str, Sequence[int]] = {}
        for labels, histogram in zip(members, histograms, strict=True):
            series |= self._series(group, labels, histogram)
        judge = QuantileJudge(
            buckets=list(zip(*histograms, strict=True)),
            counts=[histogram[-1] for histogram in histograms],
            bounds=self.bounds,
            share=Fraction(self.when.percentile.value),
            step=self.step,
            window=self.when.window.ms,
            limit=self.limit,
            least=self.when.min_events,
            grain=grain,
        )
        return Play(group, series, judge, grain)

    def _series(
        self, group: Labels, labels: Labels, histogram: Sequence[Sequence[int]]
    ) -> dict[str, Sequence[int]]:
        names = [*(str(float(bound)) for bound in self.bounds), _INFINITE]
        bounds = [MappingProxyType({BUCKET_BOUND: name}) for name in names]
        metric = self.when.metric
        series = {
            series_name(f"{metric}{_BUCKET}", group, labels, bound): stream
            for bound, stream in zip(bounds, histogram, strict=True)
        }
        return {**series, series_name(f"{metric}{_COUNT}", group, labels): histogram[-1]}


def _cumulated(buckets: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The counters of a histogram, from the observations in each bucket at each sample."""
    upwards = accumulate(
        buckets, lambda below, here: [a + b for a, b in zip(below, here, strict=True)]
    )
    return [summed(counts) for counts in upwards]


def quantile_scenes(spec: Spec, when: QuantileCondition, clock: Clock) -> Iterator[QuantileScene]:
    """Scenes of the condition, with ever other numbers.

    Raises ObserveError for a limit that no percentile of these buckets is past.
    """
    amount, above = limit_of(when)
    limit, window = Limit(amount, above), when.window.ms
    bounds, share = _bounds(spec, when, amount), Fraction(when.percentile.value)
    lowest, highest = share * bounds[0], bounds[-1]
    if not lowest < amount < highest:
        raise ObserveError(
            f"the {when.percentile.percent} percentile of these buckets is between"
            f" {float(lowest):g} and {float(highest):g}; no limit elsewhere tells anything"
        )
    step = sample_step(window, clock.evaluation)
    extreme = [0] * (len(bounds) + 1)
    extreme[-1 if above else 0] = 1
    for near in _NEAR:
        shares = {
            Level.PAST: near,
            Level.SHORT: (-near[1], -near[0]),
            Level.CALM: (-_FAR[1], -_FAR[0]),
        }
        spreads = {}
        for level, (low, high) in shares.items():
            reachable = _reachable(limit, low, high, lowest, highest)
            spreads[level] = _spread(share, bounds, *reachable, least=when.min_events)
        if any(spread is None for spread in spreads.values()):
            continue
        known = {level: spread for level, spread in spreads.items() if spread is not None}
        yield QuantileScene(
            spec=spec,
            when=when,
            bounds=bounds,
            spreads={**known, Level.IDLE: [0] * len(extreme)},
            extreme=extreme,
            step=step,
            limit=limit,
            groups=groups_of(spec, when.by, when.where),
            opening=[Level.IDLE] * max(1, clock.evaluation // step),
            clears=window + 2 * step,
        )


def _bounds(spec: Spec, when: QuantileCondition, limit: Fraction) -> Sequence[Fraction]:
    metric = spec.metrics.get(when.metric)
    named = None if metric is None else metric.buckets
    if named is None or named not in spec.buckets:  # a third party's: any that have room for it
        return (limit / 2, limit, 2 * limit)
    return [Fraction(bound.value) for bound in spec.buckets[named]]


def _reachable(
    limit: Limit, low: int, high: int, lowest: Fraction, highest: Fraction
) -> tuple[Fraction, Fraction]:
    """What a percentile can be, so many thousandths past the limit, or between it and the end."""
    ends = sorted(
        limit.value * (1 + Fraction(far if limit.above else -far, 1000)) for far in (low, high)
    )
    start, end = max(ends[0], lowest), min(ends[1], highest)
    if start < end:
        return start, end
    room = (highest if ends[0] > limit.value else lowest) - limit.value
    ends = sorted((limit.value + room / 4, limit.value + 3 * room / 4))
    return ends[0], ends[1]


def _spread(
    share: Fraction, bounds: Sequence[Fraction], low: Fraction, high: Fraction, *, least: int
) -> Sequence[int] | None:
    """Observations in each bucket whose percentile is between the two; as few as will do."""
    for size, parts in product(_SIZES, _PARTS):
        counts = _counts(size, share, bounds, low + (high - low) * parts)
        cumulated = list(accumulate(counts))
        value = value_at(share, bounds, cumulated)
        # At the edge of a bucket, floats may fall to either side.
        if value is not None and low < value < high and share * size not in cumulated:
            return [count * max(1, -(-least // size)) for count in counts]
    return None


def _counts(
    size: int, share: Fraction, bounds: Sequence[Fraction], target: Fraction
) -> Sequence[int]:
    """So many observations in two buckets, that the percentile is near the target."""
    at = next(index for index, bound in enumerate(bounds) if target <= bound)
    start = bounds[at - 1] if at else Fraction(0)
    inside = (target - start) / (bounds[at] - start)
    counts = [0] * (len(bounds) + 1)
    if at and inside < share:
        counts[at - 1] = round(size * (share - inside) / (1 - inside))
        counts[at] = size - counts[at - 1]
    else:
        counts[at] = min(size, round(size * share / inside))
        counts[at + 1] = size - counts[at]
    return counts
