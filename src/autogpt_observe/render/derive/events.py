"""Counts of events: how fast a counter rises, or by how much, over a window."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.labels import groups_of, members_of, series_name, stranger_to
from autogpt_observe.render.derive.levels import Limit, limit_of, opposite
from autogpt_observe.render.derive.samples import (
    cut_window,
    float_increase,
    float_rate,
    float_sums,
    gained,
    grain_of,
    sample_steps,
    split_evenly,
    summed,
)
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play
from autogpt_observe.spec.model import RateCondition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.render.derive.samples import Window
    from autogpt_observe.spec.model import IncreaseCondition, Spec

_PAST_AND_SHORT = (
    ((30, 70), (30, 70)),
    ((70, 95), (15, 30)),
    ((60, 90), (5, 15)),
    ((15, 45), (50, 85)),
    ((80, 98), (30, 50)),
    ((8, 20), (20, 40)),
    ((85, 97), (60, 85)),
    ((10, 30), (60, 95)),
    ((50, 70), (8, 18)),
    ((60, 75), (40, 55)),
    ((25, 35), (20, 30)),
)
"""How far tests keep from the limit on either side, in thousandths of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventJudge:
    """Judges the events of one group's counters.

    Attributes:
        streams: the values of each counter at each sample.
        limit: the fewest, or most, events in the window.
        per_second: whether the expression is events per second.
    """

    streams: Sequence[Sequence[int]]
    step: int
    grain: int
    window: int
    limit: Limit
    per_second: bool

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the condition holds at an evaluation."""
        window = self._cut(now, closed=closed)
        if window is None:
            return False
        events = self._events(window)
        if events != self.limit.value:
            return self.limit.past(events)
        limit = float(self.limit.value / self._length)
        return self.limit.past_at(self._floats(window), limit, closed=closed)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The count, or the rate, exact and as floats."""
        windows = [self._cut(now, closed=closed) for closed in BOTH_CUTS]
        exact = Fraction(0) if windows[0] is None else self._events(windows[0])
        found = {value for cut in windows if cut is not None for value in self._floats(cut)}
        return float(exact / self._length), found

    @property
    def _length(self) -> Fraction:
        """What a count is divided by: the seconds of the window, for a rate."""
        return Fraction(self.window, 1000) if self.per_second else Fraction(1)

    def _events(self, window: Window) -> Fraction:
        total = sum(gained(stream, window, self.step) for stream in self.streams)
        return Fraction(total, 2 * window.span * self.grain)

    def _floats(self, window: Window) -> set[float]:
        step, grain = self.step, self.grain
        if not self.per_second:
            return float_sums(
                [float_increase(s, window, step=step, grain=grain) for s in self.streams]
            )
        length = self.window
        return float_sums(
            [float_rate(s, window, step=step, grain=grain, length=length) for s in self.streams]
        )

    def _cut(self, now: int, *, closed: bool) -> Window | None:
        count = len(self.streams[0])
        return cut_window(now, length=self.window, step=self.step, count=count, closed=closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScene:
    """A counter that sees as many events at each sample as its level says."""

    spec: Spec
    when: RateCondition | IncreaseCondition
    step: int
    grain: int
    limit: Limit
    events: Mapping[Level, Fraction]
    groups: tuple[Labels, ...]
    opening: Sequence[Level]
    rises: int
    clears: int
    has_short: bool
    shown_as: str = "{{ $value | humanize }}"

    @property
    def above(self) -> bool:
        """Whether the condition holds above its limit."""
        return self.limit.above

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """The counters of ``group`` on this course, and one that doesn't count."""
        members = members_of(self.when, self.when.by)
        streams = [summed(events) for events in split_evenly(self._counts(course), len(members))]
        series: dict[str, Sequence[int]] = {
            series_name(self.when.metric, group, labels): stream
            for labels, stream in zip(members, streams, strict=True)
        }
        stranger = stranger_to(self.spec, self.when, self.when.by)
        if stranger is not None:
            others = summed(self._counts(opposite(course)))
            series[series_name(self.when.metric, group, stranger)] = others
        judge = EventJudge(
            streams=streams,
            step=self.step,
            grain=self.grain,
            window=self.when.window.ms,
            limit=self.limit,
            per_second=isinstance(self.when, RateCondition),
        )
        return Play(group, series, judge, self.grain)

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:  # noqa: ARG002 - no other story needs it
        """Counters that never move."""
        nothing = [Level.IDLE] * (len(self.opening) + busy)
        yield Extra("no_traffic", self.play(self.groups[0], nothing))

    def _counts(self, course: Sequence[Level]) -> list[int]:
        counts = {level: int(events * self.grain) for level, events in self.events.items()}
        return [counts[level] for level in course]


def event_scenes(
    spec: Spec, when: RateCondition | IncreaseCondition, clock: Clock
) -> Iterator[EventScene]:
    """Scenes of the condition, with ever other numbers."""
    amount, above = limit_of(when)
    window = when.window.ms
    in_window = amount * Fraction(window, 1000) if isinstance(when, RateCondition) else amount
    for step in sample_steps(window, clock.evaluation):
        # A window shorter than the time between evaluations must be full at one of them.
        full = window + 2 * step + (clock.evaluation if step < clock.evaluation else 0)
        # Until a window is full of events, a rate is below its limit.
        calm = (full + clock.keep + clock.evaluation) // step + 2
        at_rest = max(1, clock.evaluation // step)
        for events in _events(Limit(in_window * step / window, above)):
            yield EventScene(
                spec=spec,
                when=when,
                step=step,
                grain=grain_of(events.values()),
                limit=Limit(in_window, above),
                events=events,
                groups=groups_of(spec, when.by, when.where),
                opening=[Level.IDLE] * at_rest if above else [Level.CALM] * calm,
                rises=full,
                clears=window // 4 + 2 * step if above and amount else full,
                has_short=bool(amount),
            )


def _events(limit: Limit) -> Iterator[Mapping[Level, Fraction]]:
    nothing = Fraction(0)
    if not limit.value:
        for some in (2, 3, 5, 7):
            yield {Level.PAST: Fraction(some), Level.CALM: nothing, Level.IDLE: nothing}
        return
    for past, short in _PAST_AND_SHORT:
        near = limit.within(-short[1], -short[0])
        yield {
            Level.PAST: limit.within(*past),
            Level.SHORT: near,
            Level.CALM: nothing if limit.above else near,
            Level.IDLE: nothing,
        }
