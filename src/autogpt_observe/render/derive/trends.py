"""Where a gauge will be, if it goes on as it did: linear regression over a window.

Source: linearRegression in https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, product
from typing import TYPE_CHECKING

from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.gauges import (
    Whole,
    apart,
    aside_of,
    taken_together,
    whole_of,
    worst_of,
)
from autogpt_observe.render.derive.labels import groups_of, members_of, series_name, stranger_to
from autogpt_observe.render.derive.levels import Limit, limit_of, near_levels, opposite
from autogpt_observe.render.derive.samples import (
    LOOKBACK,
    cut_window,
    grain_of,
    round_number,
    sample_step,
    up_to,
)
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.spec.model import Aggregate, Spec, TrendCondition

_NOISE = 1e-12
"""How far a regression in floats may be off, as a share of the samples."""
_RISE = Fraction(1, 2)
"""How far a gauge gets within `ahead`, as a share of the limit."""
_PACE = Fraction(1, 10)
"""How far it gets from one evaluation to the next at most."""
_SLOWER = Fraction(7, 10)
_BETWEEN = ((30, 70), (20, 40), (55, 80), (10, 25))
"""How far it got past the limit when that is first seen, in percent of that pace."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge's samples, with the sums that a regression over any window needs."""

    sums: Sequence[int]
    moments: Sequence[int]
    step: int
    size: int

    @classmethod
    def of(cls, values: Sequence[int], step: int) -> Gauge:
        """The gauge with these samples."""
        weighed = (index * value for index, value in enumerate(values))
        size = max(abs(min(values)), abs(max(values)))
        sums, moments = (list(accumulate(terms, initial=0)) for terms in (values, weighed))
        return cls(sums, moments, step, size)

    def predicted(self, now: int, *, window: int, ahead: int, closed: bool) -> Fraction | None:
        """Its value ``ahead`` of ``now`` on the line through the window; None for one sample."""
        samples = len(self.sums) - 1
        cut = cut_window(now, length=window, step=self.step, count=samples, closed=closed)
        if cut is None:
            return None
        count = cut.last - cut.first + 1
        total = self.sums[cut.last + 1] - self.sums[cut.first]
        weighed = self.moments[cut.last + 1] - self.moments[cut.first] - cut.first * total
        # With x from 0 to n-1: the sums of x and of its squares are known.
        doubled_mean = count - 1
        slope = Fraction(6 * (2 * weighed - doubled_mean * total), count * (count**2 - 1))
        at = Fraction(now + ahead, self.step) - cut.first
        return Fraction(total, count) + slope * (at - Fraction(doubled_mean, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendJudge:
    """Judges where the gauges of one group will be.

    Attributes:
        whole: what they are a share of; 1 where they are no share.
    """

    gauges: Sequence[Gauge]
    grain: int
    window: int
    ahead: int
    op: Aggregate
    whole: Fraction
    limit: Limit

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the condition holds at an evaluation."""
        ahead = self._ahead(now, closed=closed)
        return ahead is not None and self.limit.past(ahead)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The prediction, and how far floats may be off: the further it looks, the more."""
        ahead = [self._ahead(now, closed=closed) for closed in BOTH_CUTS]
        exact = [float(value) for value in ahead if value is not None]
        size = max(gauge.size for gauge in self.gauges) / self.grain / float(self.whole)
        off = _NOISE * size * (2 + self.ahead / self.window)
        return min(exact), {value + noise for value in exact for noise in (-off, 0, off)}

    def _ahead(self, now: int, *, closed: bool) -> Fraction | None:
        if self.whole <= 0:
            return None
        found = [
            gauge.predicted(now, window=self.window, ahead=self.ahead, closed=closed)
            for gauge in self.gauges
        ]
        known = [value for value in found if value is not None]
        return taken_together(self.op, known) / self.grain / self.whole if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendScene:
    """A gauge that stands still, or goes evenly to where it will be past the limit.

    Attributes:
        levels: the values of a gauge that stands still.
        pace: how far an ill one goes from sample to sample.
        start: where it starts.
    """

    spec: Spec
    when: TrendCondition
    step: int
    grain: int
    limit: Limit
    levels: Mapping[Level, Fraction]
    pace: Fraction
    start: Fraction
    op: Aggregate
    whole: Whole | None
    groups: tuple[Labels, ...]
    rises: int
    clears: int
    shown_as: str = "{{ $value | humanize }}"
    opening: Sequence[Level] = ()
    has_short: bool = True

    @property
    def above(self) -> bool:
        """Whether the condition holds above its limit."""
        return self.limit.above

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """The gauges of ``group`` on this course, their whole, and one that doesn't count."""
        members = members_of(self.when, self.when.by)
        streams = self._streams(course, len(members))
        series: dict[str, Sequence[int]] = {
            series_name(self.when.metric, group, labels): stream
            for labels, stream in zip(members, streams, strict=True)
        }
        stranger = stranger_to(self.spec, self.when, self.when.by)
        if stranger is not None:
            (others,) = self._streams(opposite(course), 1)
            series[series_name(self.when.metric, group, stranger)] = others
        if self.whole is not None:
            series |= self.whole.series(group, len(course), self.grain)
        judge = TrendJudge(
            gauges=[Gauge.of(stream, self.step) for stream in streams],
            grain=self.grain,
            window=self.when.window.ms,
            ahead=self.when.ahead.ms,
            op=self.op,
            whole=Fraction(1) if self.whole is None else self.whole.value,
            limit=self.limit,
        )
        return Play(group, series, judge, self.grain)

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:  # noqa: ARG002 - the same for any
        """A gauge that stands still far from its limit."""
        yield Extra("no_trend", self.play(self.groups[0], [Level.CALM] * busy))

    def _streams(self, course: Sequence[Level], ways: int) -> list[list[int]]:
        still = {level: int(value * self.grain) for level, value in self.levels.items()}
        start, pace = int(self.start * self.grain), int(self.pace * self.grain)
        aside = aside_of(still.values())
        told = [
            start + pace * index if level is Level.PAST else still[level]
            for index, level in enumerate(course)
        ]
        spread = apart(self.op, 0, ways, aside)
        return [[value + away for value in told] for away in spread]


def trend_scenes(spec: Spec, when: TrendCondition, clock: Clock) -> Iterator[TrendScene]:
    """Scenes of the condition, with ever other numbers."""
    amount, above = limit_of(when)
    limit = Limit(amount, above)
    part_op, whole_op = worst_of(limit)
    whole = None if when.of is None else whole_of(when.of, whole_op, when.by)
    told = Limit(amount * (whole.value if whole is not None else 1), above)
    step = _step(when, clock)
    seen = up_to(max(when.window.ms // 4, 4 * step), clock.evaluation)
    for between, near in product(_BETWEEN, near_levels(told)):
        pace, start = _line(told, seen, when.ahead.ms, step, clock.evaluation, between)
        levels = {**near, Level.CALM: _far(told)}
        yield TrendScene(
            spec=spec,
            when=when,
            step=step,
            grain=grain_of([*levels.values(), pace, start]),
            limit=limit,
            levels=levels,
            pace=pace,
            start=start,
            op=part_op,
            whole=whole,
            groups=groups_of(spec, when.by, when.where),
            rises=seen + 2 * clock.evaluation,
            clears=when.window.ms + 2 * step,
        )


def _far(limit: Limit) -> Fraction:
    """Further from the limit than where an ill gauge starts: going there, it goes away from it."""
    if not limit.value:
        return Fraction(-1 if limit.above else 1)
    return limit.within(-950, -850)


def _step(when: TrendCondition, clock: Clock) -> int:
    step = sample_step(when.window.ms, clock.evaluation)
    if when.of is None:
        return step
    # An evaluation sees the whole only while its last sample is young.
    most = (LOOKBACK - 1) // clock.evaluation * clock.evaluation
    return min(step, max(most, clock.evaluation))


def _line(  # noqa: PLR0913, PLR0917 - the numbers of one line
    limit: Limit, seen: int, ahead: int, step: int, evaluation: int, between: tuple[int, int]
) -> tuple[Fraction, Fraction]:
    """What a gauge gains from sample to sample, and where it starts.

    Its prediction passes the limit between ``seen`` and the evaluation before.
    """
    size = abs(limit.value) or Fraction(1)
    pace = min(size * _RISE / max(1, ahead), size * _PACE / evaluation) * step
    gain = round_number(pace * _SLOWER, pace) * (1 if limit.above else -1)
    start = limit.value - gain / step * (seen + ahead)
    past = gain / step * evaluation
    ends = sorted(start + past * Fraction(percent, 100) for percent in between)
    return gain, round_number(ends[0], ends[1])
