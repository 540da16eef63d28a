"""Values of a gauge, or its share of another gauge, at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.labels import groups_of, members_of, series_name, stranger_to
from autogpt_observe.render.derive.levels import Limit, limit_of, near_levels, opposite
from autogpt_observe.render.derive.samples import LOOKBACK, grain_of
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play
from autogpt_observe.spec.model import Aggregate, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autogpt_observe.names import LabelName, MetricName
    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.spec.model import Spec, ThresholdCondition

_WHOLE = 1000


def newest(values: Sequence[int], now: int, *, step: int, closed: bool) -> int | None:
    """The sample that an evaluation sees; None where it is too old."""
    at = min(now // step, len(values) - 1)
    age = now - at * step
    return values[at] if age < LOOKBACK or (closed and age == LOOKBACK) else None


def taken_together(op: Aggregate, values: Sequence[Fraction]) -> Fraction:
    """One value for those of several series."""
    match op:
        case Aggregate.MAX:
            return max(values)
        case Aggregate.MIN:
            return min(values)
        case Aggregate.SUM:
            return sum(values, Fraction(0))
        case Aggregate.AVG:
            return sum(values, Fraction(0)) / len(values)
        case _:
            assert_never(op)


def apart(op: Aggregate, value: int, ways: int, aside: int) -> list[int]:
    """Values of several series that make ``value`` together; ``aside`` of it where they can be."""
    match op:
        case Aggregate.MAX:
            return [value] + [value - aside] * (ways - 1)
        case Aggregate.MIN:
            return [value] + [value + aside] * (ways - 1)
        case Aggregate.SUM:
            return [value // ways + (way < value % ways) for way in range(ways)]
        case Aggregate.AVG:
            tilt = aside if ways % 2 == 0 else 0
            return [value + tilt if way % 2 else value - tilt for way in range(ways)]
        case _:
            assert_never(op)


def aside_of(values: Iterable[int]) -> int:
    """How far from the one that counts other series of its group are."""
    return max(1, *(abs(value) // 4 for value in values))


def worst_of(limit: Limit) -> tuple[Aggregate, Aggregate]:
    """How parts, and wholes, are taken together so that nothing ill stays unseen."""
    worst = (Aggregate.MAX, Aggregate.MIN)
    return worst if limit.above else (worst[1], worst[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The gauge that is the whole: it never moves.

    Attributes:
        values: the labels and the value of each of its series in a group.
    """

    metric: str
    op: Aggregate
    values: Sequence[tuple[Labels, int]]

    @property
    def value(self) -> Fraction:
        """The value that they make together; a whole of zero is none."""
        return taken_together(self.op, [Fraction(value) for _, value in self.values])

    def series(self, group: Labels, samples: int, grain: int) -> dict[str, Sequence[int]]:
        """Its series in a group."""
        return {
            series_name(self.metric, group, labels): [value * grain] * samples
            for labels, value in self.values
        }


def whole_of(metric: MetricName, op: Aggregate, by: Sequence[LabelName]) -> Whole:
    """A whole of 1000."""
    members = members_of(Selection(metric=metric), by)
    values = apart(op, _WHOLE, len(members), _WHOLE // 4)
    return Whole(metric=metric, op=op, values=tuple(zip(members, values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeJudge:
    """Judges the values of one group's gauges at one moment.

    Attributes:
        streams: the values of each gauge at each sample.
        whole: what they are a share of; 1 where they are no share.
    """

    streams: Sequence[Sequence[int]]
    step: int
    grain: int
    op: Aggregate
    whole: Fraction
    limit: Limit

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the condition holds at an evaluation."""
        part = self._part(now, closed=closed)
        return part is not None and self.whole > 0 and self.limit.past(part / self.whole)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The value or the share; parts and wholes are exact as floats."""
        parts = {self._part(now, closed=closed) for closed in BOTH_CUTS} - {None}
        found = {float(part) / float(self.whole) for part in parts if part is not None}
        return min(found), found

    def _part(self, now: int, *, closed: bool) -> Fraction | None:
        seen = [newest(stream, now, step=self.step, closed=closed) for stream in self.streams]
        values = [Fraction(value, self.grain) for value in seen if value is not None]
        return taken_together(self.op, values) if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeScene:
    """A gauge that has, at each sample, the value that its level says."""

    spec: Spec
    when: ThresholdCondition
    step: int
    grain: int
    limit: Limit
    parts: Mapping[Level, Fraction]
    op: Aggregate
    whole: Whole | None
    groups: tuple[Labels, ...]
    shown_as: str = "{{ $value | humanize }}"
    opening: Sequence[Level] = (Level.CALM,)
    rises: int = 0
    clears: int = 0
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
        judge = GaugeJudge(
            streams=streams,
            step=self.step,
            grain=self.grain,
            op=self.op,
            whole=Fraction(1) if self.whole is None else self.whole.value,
            limit=self.limit,
        )
        return Play(group, series, judge, self.grain)

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:  # noqa: ARG002 - no other story needs it
        """Nothing is a share of a whole that is zero."""
        if self.whole is not None:
            ill = replace(self.whole, values=[(labels, 0) for labels, _ in self.whole.values])
            course = [*self.opening, *[Level.PAST] * busy]
            yield Extra("no_whole", replace(self, whole=ill).play(self.groups[0], course))

    def _streams(self, course: Sequence[Level], ways: int) -> list[list[int]]:
        told = {level: int(part * self.grain) for level, part in self.parts.items()}
        aside = aside_of(told.values())
        values = {level: apart(self.op, value, ways, aside) for level, value in told.items()}
        return [[values[level][way] for level in course] for way in range(ways)]


def gauge_scenes(spec: Spec, when: ThresholdCondition, clock: Clock) -> Iterator[GaugeScene]:
    """Scenes of the condition, with ever other numbers."""
    amount, above = limit_of(when)
    limit = Limit(amount, above)
    part_op, whole_op = worst_of(limit)
    if when.aggregate is not None:
        part_op = whole_op = when.aggregate
    whole = None if when.of is None else whole_of(when.of, whole_op, when.by)
    scale = whole.value if whole is not None else 1
    for parts in near_levels(Limit(amount * scale, above)):
        yield GaugeScene(
            spec=spec,
            when=when,
            step=clock.evaluation,
            grain=grain_of(parts.values()),
            limit=limit,
            parts=parts,
            op=part_op,
            whole=whole,
            groups=groups_of(spec, when.by, when.where),
        )
