"""The age of the newest of some moments, while there is something to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.gauges import newest
from autogpt_observe.render.derive.labels import groups_of, members_of, series_name, stranger_to
from autogpt_observe.render.derive.levels import Limit, near_levels, opposite
from autogpt_observe.render.derive.samples import grain_of
from autogpt_observe.render.derive.story import Extra, Labels, Level, Play

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.spec.model import Spec, StaleCondition

_SECOND = 1000
_A_LITTLE = 20
"""The part of the greatest age that the age is above it when that is first seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeJudge:
    """Judges the moments that one group's gauges hold, and how busy it is.

    Attributes:
        moments: for each gauge, the moment it holds at each sample.
        activity: whether the group is busy at each sample.
    """

    moments: Sequence[Sequence[int]]
    activity: Sequence[int]
    step: int
    oldest: int

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether the newest moment is too old, in a group that is busy."""
        age = self._age(now, closed=closed)
        busy = newest(self.activity, now, step=self.step, closed=closed)
        return age is not None and age > self.oldest and bool(busy)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The age in seconds."""
        ages = [self._age(now, closed=closed) for closed in BOTH_CUTS]
        found = {now / _SECOND - (now - age) / _SECOND for age in ages if age is not None}
        return min(found), found

    def _age(self, now: int, *, closed: bool) -> int | None:
        seen = [newest(stream, now, step=self.step, closed=closed) for stream in self.moments]
        known = [moment for moment in seen if moment is not None]
        return now - max(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeScene:
    """A gauge that holds the moment of every sample, until it is ill: then time passes it by."""

    spec: Spec
    when: StaleCondition
    evaluation: int
    groups: tuple[Labels, ...]
    active: Fraction
    inactive: Fraction
    rises: int
    grain: int
    shown_as: str = "{{ $value | humanizeDuration }}"
    opening: Sequence[Level] = (Level.CALM,)
    clears: int = 0
    above: bool = True
    has_short: bool = True

    @property
    def step(self) -> int:
        """Every evaluation sees a new sample."""
        return self.evaluation

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """The gauges of ``group`` on this course, one that doesn't count, and its activity."""
        return self._play(group, course, active=True)

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:  # noqa: ARG002 - no other story needs it
        """Nothing to do."""
        if self.when.while_ is not None:
            course = [*self.opening, *[Level.PAST] * busy]
            yield Extra("no_activity", self._play(self.groups[0], course, active=False))

    def _play(self, group: Labels, course: Sequence[Level], *, active: bool) -> Play:
        members = members_of(self.when, self.when.by)
        first = self._moments(course)
        told = self.grain // _SECOND
        older = [moment - self.evaluation for moment in first]
        moments = [first] + [older] * (len(members) - 1)
        series: dict[str, Sequence[int]] = {
            series_name(self.when.metric, group, labels): [moment * told for moment in stream]
            for labels, stream in zip(members, moments, strict=True)
        }
        stranger = stranger_to(self.spec, self.when, self.when.by)
        if stranger is not None:
            others = [moment * told for moment in self._moments(opposite(course))]
            series[series_name(self.when.metric, group, stranger)] = others
        series |= self._activity(group, len(course), active=active)
        judge = AgeJudge(
            moments=moments,
            activity=[int(active)] * len(course),
            step=self.step,
            oldest=self.when.older_than.ms,
        )
        return Play(group, series, judge, self.grain)

    def _activity(self, group: Labels, samples: int, *, active: bool) -> dict[str, Sequence[int]]:
        doing = self.when.while_
        if doing is None:
            return {}
        busy, idle = int(self.active * self.grain), int(self.inactive * self.grain)
        first, *others = (
            series_name(doing.metric, group, labels) for labels in members_of(doing, self.when.by)
        )
        series: dict[str, Sequence[int]] = {first: [busy if active else idle] * samples}
        series |= {name: [idle] * samples for name in others}
        stranger = stranger_to(self.spec, doing, self.when.by)
        if stranger is not None and not active:
            series[series_name(doing.metric, group, stranger)] = [busy] * samples
        return series

    def _moments(self, course: Sequence[Level]) -> list[int]:
        oldest, moments = self.when.older_than.ms, []
        frozen: int | None = None
        for index, level in enumerate(course):
            now = index * self.step
            if level is Level.PAST:
                frozen = self._left_behind(now) if frozen is None else frozen
                moments.append(frozen)
                continue
            frozen = None
            moments.append(now - (oldest - oldest // _A_LITTLE if level is Level.SHORT else 0))
        return moments

    def _left_behind(self, now: int) -> int:
        """The last moment of a gauge that stopped: at an evaluation it is a little too old."""
        oldest = self.when.older_than.ms
        little = max(1, min(self.evaluation // 2, oldest // _A_LITTLE))
        seen = (now + oldest) // self.evaluation * self.evaluation
        return seen - oldest - (little // _SECOND * _SECOND or little)


def age_scenes(spec: Spec, when: StaleCondition, clock: Clock) -> Iterator[AgeScene]:
    """Scenes of the condition."""
    limit = Limit(Fraction(when.while_.above.value if when.while_ is not None else 0), above=True)
    for activity in near_levels(limit):
        yield AgeScene(
            spec=spec,
            when=when,
            evaluation=clock.evaluation,
            groups=groups_of(spec, when.by, _shared(when)),
            active=activity[Level.PAST],
            inactive=activity[Level.SHORT],
            rises=when.older_than.ms + 2 * clock.evaluation,
            grain=math.lcm(_SECOND, grain_of(activity.values())),
        )


def _shared(when: StaleCondition) -> Mapping[LabelName, Sequence[str]]:
    """For each label that either side narrows, the values that groups of both can have."""
    doing = when.while_.where if when.while_ is not None else {}
    shared = {**doing, **when.where}
    for label in doing.keys() & when.where.keys() & set(when.by):
        shared[label] = tuple(value for value in when.where[label] if value in doing[label])
        if not shared[label]:
            raise ObserveError(f"no group has a `{label}` that both it and `while` count")
    return shared
