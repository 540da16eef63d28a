"""Bad events as a share of all events, over a window."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.few import enough_counts, few_counts
from autogpt_observe.render.derive.levels import Limit
from autogpt_observe.render.derive.ratio_series import EventSeries, Stream, event_series
from autogpt_observe.render.derive.samples import (
    cut_window,
    float_rate,
    float_sums,
    gained,
    sample_step,
)
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.render.derive.samples import Window
    from autogpt_observe.spec.model import RatioCondition, Spec

_NEAR = (Fraction(1, 20), Fraction(1, 16), Fraction(3, 40), Fraction(1, 32), Fraction(1, 40))
"""How far the tests keep from the threshold, as a share of it: less than a tenth."""
_MOST_SCALES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioJudge:
    """Judges the bad events of one group among all its events; times in milliseconds."""

    streams: Sequence[Stream]
    window: int
    above: Fraction
    least: int
    step: int
    grain: int

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the condition holds at an evaluation."""
        window = self._cut(now, closed=closed)
        if window is None:
            return False
        bad, total = self._gained(window)
        if total < self.least * 2 * window.span * self.grain or not total:
            return False
        limit = Limit(self.above, above=True)
        if Fraction(bad, total) != self.above:
            return limit.past(Fraction(bad, total))
        return limit.past_at(self._floats(window), float(self.above), closed=closed)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The share of bad events, exact and as floats."""
        exact, found = 0.0, set[float]()
        for closed in BOTH_CUTS:
            window = self._cut(now, closed=closed)
            if window is None:
                continue
            bad, total = self._gained(window)
            exact = float(Fraction(bad, total)) if total else exact
            found |= self._floats(window)
        return exact, found

    def _floats(self, window: Window) -> set[float]:
        parts = float_sums([self._rate(s, window) for s in self.streams if s.bad])
        wholes = float_sums([self._rate(s, window) for s in self.streams if s.total])
        return {part / whole for part in parts for whole in wholes if whole}

    def _gained(self, window: Window) -> tuple[int, int]:
        bad = sum(gained(s.values, window, self.step) for s in self.streams if s.bad)
        return bad, sum(gained(s.values, window, self.step) for s in self.streams if s.total)

    def _rate(self, stream: Stream, window: Window) -> float:
        return float_rate(
            stream.values, window, step=self.step, grain=self.grain, length=self.window
        )

    def _cut(self, now: int, *, closed: bool) -> Window | None:
        count = len(self.streams[0].values)
        return cut_window(now, length=self.window, step=self.step, count=count, closed=closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioScene:
    """Counters that see as many bad events, and as many in all, as the level says.

    Attributes:
        events: for each level, the bad events and all events of a sample.
    """

    ratio: RatioCondition
    series: EventSeries
    events: Mapping[Level, tuple[int, int]]
    step: int
    opening: Sequence[Level]
    clears: int
    has_short: bool
    shown_as: str = "{{ $value | humanizePercentage }}"
    rises: int = 0
    above: bool = True

    @property
    def groups(self) -> tuple[Labels, ...]:
        """The groups that are judged."""
        return self.series.groups

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """The counters of ``group`` on this course."""
        bad, total = ([self.events[level][side] for level in course] for side in (0, 1))
        return self._play(group, bad, total)

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:
        """No events; and bad events only, but too few."""
        nothing = [Level.IDLE] * (len(self.opening) + busy)
        yield Extra("no_traffic", self.play(self.groups[0], nothing))
        counts = few_counts(
            lambda counts: self._play(self.groups[0], counts, counts).judge,
            least=self.ratio.min_events,
            window=self.ratio.window.ms,
            step=self.step,
            lead=len(self.opening),
            busy=busy,
            clock=clock,
        )
        if counts is not None:
            yield Extra("few_events", self._play(self.groups[0], counts, counts))
        enough, grain = enough_counts(
            least=self.ratio.min_events,
            window=self.ratio.window.ms,
            step=self.step,
            lead=len(self.opening),
            clock=clock,
        )
        just = self._play(self.groups[0], enough, enough, grain)
        yield Extra("enough_events", just, must_fire=True)

    def _play(
        self, group: Labels, bad: Sequence[int], total: Sequence[int], grain: int = 1
    ) -> Play:
        streams = dict(self.series.streams(group, bad, total))
        judge = RatioJudge(
            streams=list(streams.values()),
            window=self.ratio.window.ms,
            above=Fraction(self.ratio.above.value),
            least=self.ratio.min_events,
            step=self.step,
            grain=grain,
        )
        return Play(group, {name: stream.values for name, stream in streams.items()}, judge, grain)


def ratio_scenes(spec: Spec, ratio: RatioCondition, clock: Clock) -> Iterator[RatioScene]:
    """Scenes of the condition, with ever more events, and with ever other shares of bad ones.

    Raises ObserveError for a threshold that no share is above, and for bad events that are all.
    """
    if ratio.above.value >= 1:
        raise ObserveError(f"no share can be above {ratio.above.percent}; write less than 100%")
    threshold, window = Fraction(ratio.above.value), ratio.window.ms
    series = event_series(spec, ratio.bad, ratio.total, ratio.by)
    step = sample_step(window, clock.evaluation)
    for near, scale in product(_NEAR, range(_MOST_SCALES)):
        high, low = threshold * (1 + near) or near, threshold * (1 - near)
        bad, total = _counts(ratio, series, high if high < 1 else (threshold + 1) / 2, scale)
        events = {Level.IDLE: (0, 0), Level.CALM: (0, total), Level.PAST: (bad, total)}
        if low:
            events[Level.SHORT] = _counts(ratio, series, low, scale)
        yield RatioScene(
            ratio=ratio,
            series=series,
            events=events,
            step=step,
            opening=[Level.IDLE] * max(1, clock.evaluation // step),
            # Just above the threshold, the share is below it long before the window is over.
            clears=max(window // 4, 2 * step) if low else window + step,
            has_short=bool(low),
        )


def _counts(
    ratio: RatioCondition, series: EventSeries, share: Fraction, scale: int
) -> tuple[int, int]:
    """Bad and all events at each sample: enough for a verdict, and for each series to see some."""
    least = max(
        -(-ratio.min_events // share.denominator),
        -(-len(series.bad) // share.numerator),
        -(-len(series.rest) // (share.denominator - share.numerator)),
    )
    return share.numerator * (least + scale), share.denominator * (least + scale)
