"""The stories that every kind of condition has, told of its own samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.derive.clock import UnsteadyError
from autogpt_observe.render.derive.samples import format_samples, up_to

if TYPE_CHECKING:
    from autogpt_observe.render.derive.clock import Clock, Judge

Labels = MappingProxyType[str, str]

Printed = Callable[[Labels, float], object]
"""What a firing alert shows, for the labels and the value of its expression."""

_FIRST_FEW = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A derived test.

    Attributes:
        step: time between samples, in milliseconds.
        series: for each series, its samples in promtool's notation.
        seen: for each moment in milliseconds, the alerts that fire: their labels, and the value.
    """

    step: int
    series: Mapping[str, str]
    seen: Mapping[int, Sequence[tuple[Labels, float]]]


class Level(Enum):
    """How a group does over the time of one sample."""

    IDLE = auto()
    """There is nothing: no events; a gauge is calm."""
    CALM = auto()
    """It does as it should, far from the limit where that can be."""
    SHORT = auto()
    """Just on the good side of the limit: less than a tenth of it away."""
    PAST = auto()
    """Just past the limit: less than a tenth of it away."""


@dataclass(frozen=True, slots=True)
class Play:
    """What one group does.

    Attributes:
        series: for each series, its samples: whole numbers of the grain.
        judge: whether the condition holds for them.
    """

    group: Labels
    series: Mapping[str, Sequence[int]]
    judge: Judge
    grain: int


class Extra(NamedTuple):
    """A story that one kind of condition has.

    Attributes:
        must_fire: tell it only where it is seen to fire, and alike on every Prometheus.
    """

    name: str
    play: Play
    must_fire: bool = False


class Scene(Protocol):
    """A condition under test: how its series behave, level by level. Times in milliseconds."""

    @property
    def step(self) -> int:
        """Time between samples."""

    @property
    def above(self) -> bool:
        """Whether the condition holds above its limit, not below."""

    @property
    def groups(self) -> tuple[Labels, ...]:
        """The groups that are judged; the first is the one that falls ill."""

    @property
    def opening(self) -> Sequence[Level]:
        """The levels of the first samples, before anything happens."""

    @property
    def rises(self) -> int:
        """The longest time until a group that went past the limit is seen there."""

    @property
    def clears(self) -> int:
        """The longest time until a group that went back is no longer seen there."""

    @property
    def has_short(self) -> bool:
        """Whether there is a level just on the good side of the limit."""

    @property
    def shown_as(self) -> str:
        """How a text should show the value, so that it is the same everywhere."""

    def play(self, group: Labels, course: Sequence[Level]) -> Play:
        """What the series of ``group`` do on this course."""

    def extras(self, busy: int, clock: Clock) -> Iterator[Extra]:
        """More stories; ``busy`` samples after the opening, an alert would fire."""


def tell(scenes: Iterable[Scene], clock: Clock, printed: Printed) -> dict[str, Story]:
    """The stories of the first scene whose values print alike on every Prometheus.

    Raises ObserveError where no scene is like that.
    """
    tried = []
    for scene in scenes:
        try:
            return dict(_Telling(scene, clock, _Looking(scene, clock, printed)).stories())
        except UnsteadyError:
            tried.append(scene)
    unsteady: Exception = UnsteadyError("there are no numbers to test it with")
    for scene in tried[:_FIRST_FEW]:  # not as the exact value prints, but alike everywhere
        looking = _Looking(scene, clock, printed, exact=False)
        try:
            return dict(_Telling(scene, clock, looking).stories())
        except UnsteadyError as error:
            unsteady = error
    raise ObserveError(str(unsteady)) from unsteady


class _Telling:
    """The telling of one scene."""

    def __init__(self, scene: Scene, clock: Clock, looking: _Looking) -> None:
        self._scene, self._clock, self._looking = scene, clock, looking
        held = up_to(clock.hold, clock.evaluation)
        self._opening = list(scene.opening)
        self._busy = up_to(scene.rises + held, scene.step) // scene.step + 2
        self._past = self._opening + [Level.PAST] * self._busy
        self._stops = (len(self._past) - 1) * scene.step
        judge = scene.play(scene.groups[0], self._past).judge
        self._fires_at = clock.first(judge, len(self._opening) * scene.step - 1, self._stops) + held

    def stories(self) -> Iterator[tuple[str, Story]]:
        """The stories by name; the first sees the alert fire and resolve."""
        past, short = ("above", "below") if self._scene.above else ("below", "above")
        yield f"just_{past}", self._fires_and_resolves()
        if self._scene.has_short:
            yield f"just_{short}", self._stays_short()
        for extra in self._scene.extras(self._busy, self._clock):
            if not extra.must_fire:
                moments = (self._fires_at, self._end(extra.play))
                yield extra.name, self._looking.at([extra.play], moments)
                continue
            with suppress(UnsteadyError):
                yield extra.name, self._fires(extra.play)
        if len(self._scene.groups) > 1:
            yield "one_group_alone", self._one_group_alone()

    def _fires_and_resolves(self) -> Story:
        step, evaluation = self._scene.step, self._clock.evaluation
        latest = up_to(self._stops + step + self._scene.clears + evaluation, evaluation)
        calm = [Level.CALM] * ((latest + self._clock.keep) // step - len(self._past) + 3)
        judge = self._play(self._past + calm).judge
        over = self._clock.cleared(judge, self._stops, latest) + self._clock.keep
        course = (self._past + calm)[: over // step + 2]
        moments = (self._fires_at - evaluation, self._fires_at, up_to(over, evaluation))
        return self._looking.at([self._play(course)], moments, (0, 1, 0))

    def _fires(self, play: Play) -> Story:
        held = up_to(self._clock.hold, self._clock.evaluation)
        starts, ends = len(self._opening) * self._scene.step - 1, self._end(play)
        fires_at = self._clock.first(play.judge, starts, ends) + held
        return self._looking.at([play], (fires_at - self._clock.evaluation, fires_at), (0, 1))

    def _stays_short(self) -> Story:
        play = self._play(self._opening + [Level.SHORT] * self._busy)
        return self._looking.at([play], (self._fires_at, self._end(play)), (0, 0))

    def _one_group_alone(self) -> Story:
        """One group is ill, and none of the healthy ones makes up for it."""
        calm = self._opening + [Level.CALM] * self._busy
        plays = [self._scene.play(group, calm) for group in self._scene.groups[1:]]
        moments = (self._fires_at - self._clock.evaluation, self._fires_at)
        return self._looking.at([self._play(self._past), *plays], moments, (0, 1))

    def _play(self, course: Sequence[Level]) -> Play:
        return self._scene.play(self._scene.groups[0], course)

    def _end(self, play: Play) -> int:
        """The last evaluation at which there are samples, and an alert would fire."""
        samples = max(map(len, play.series.values()))
        last = (samples - 1) * self._scene.step // self._clock.evaluation * self._clock.evaluation
        return last if last > self._fires_at else self._fires_at + self._clock.evaluation


@dataclass(frozen=True, slots=True)
class _Looking:
    """What is seen of an alert.

    Attributes:
        exact: whether values must print as the exact ones; else it is enough if all print alike.
    """

    scene: Scene
    clock: Clock
    printed: Printed
    exact: bool = True

    def at(
        self, plays: Sequence[Play], moments: Sequence[int], expected: Sequence[int] = ()
    ) -> Story:
        """The story of these groups, who fire as often as expected at each moment.

        Raises UnsteadyError where it could be seen otherwise.
        """
        seen: dict[int, list[tuple[Labels, float]]] = {moment: [] for moment in moments}
        for play in plays:
            for moment in moments:
                if self.clock.fires(play.judge, moment):
                    seen[moment].append((play.group, self._value(play, moment)))
        if expected and tuple(map(len, seen.values())) != tuple(expected):
            raise UnsteadyError("no numbers were found with which it fires, and resolves again")
        series = {
            name: format_samples(values, play.grain)
            for play in plays
            for name, values in play.series.items()
        }
        return Story(step=self.scene.step, series=series, seen=seen)

    def _value(self, play: Play, moment: int) -> float:
        # An alert shows the value of the last evaluation.
        now = moment // self.clock.evaluation * self.clock.evaluation
        exact, possible = play.judge.values(now)
        value = exact if self.exact else min(possible)
        shown = self.printed(play.group, value)
        if any(self.printed(play.group, other) != shown for other in possible - {value}):
            raise UnsteadyError(
                "the value prints with digits that differ between versions of Prometheus; show it"
                f" as `{self.scene.shown_as}`"
            )
        return value
