"""No series of a metric is there."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import HISTOGRAM_SUFFIXES, MetricType
from autogpt_observe.render.derive.clock import UnsteadyError
from autogpt_observe.render.derive.labels import covering, labels_of, series_name, stranger_to
from autogpt_observe.render.derive.samples import LOOKBACK, up_to
from autogpt_observe.render.derive.story import Story

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.render.derive.clock import Clock
    from autogpt_observe.spec.model import AbsentCondition, Spec

_, _, _COUNT = HISTOGRAM_SUFFIXES
_PARTS = (2, 3, 5, 7, 11)
_THERE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceJudge:
    """Judges at which times there were samples; times in milliseconds.

    Attributes:
        samples: when there was one, in order.
        ends: when the series were marked as gone, in order.
        window: how long there must have been none; None where it counts what there is now.
    """

    samples: Sequence[int]
    ends: Sequence[int]
    window: int | None

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether nothing is there at an evaluation."""
        at = bisect_right(self.samples, now)
        if not at:
            return True
        last = self.samples[at - 1]
        reach = LOOKBACK if self.window is None else self.window
        if now - last > reach or (now - last == reach and not closed):
            return True
        return self.window is None and any(last < end <= now for end in self.ends)

    def values(self, now: int) -> tuple[float, set[float]]:  # noqa: ARG002 - it is always 1
        """What `absent` says."""
        return 1.0, {1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Absence:
    """The series that must be there, and the time between their samples."""

    spec: Spec
    when: AbsentCondition
    step: int
    clock: Clock

    def stories(self) -> Iterator[tuple[str, Story]]:
        """The stories by name."""
        clock, step = self.clock, self.step
        held = up_to(clock.hold, clock.evaluation)
        there = _THERE * clock.evaluation // step
        gone = up_to(held + (self._window or 0), step) // step + 3 * clock.evaluation // step
        back = (clock.keep + 3 * clock.evaluation) // step + 2
        course = [True] * there + [False] * gone + [True] * back
        last, again = (there - 1) * step, (there + gone) * step
        first = clock.first(self._judge(course), last, again - step)
        fires_at, over = first + held, up_to(again + clock.keep, clock.evaluation)
        yield "vanishes", self._story(course, (fires_at - clock.evaluation, fires_at, over))
        yield "there", self._story([True] * (there + gone), (0, fires_at))
        looked = (0, clock.hold + clock.evaluation, 2 * (clock.hold + clock.evaluation))
        yield "no_data", self._story([], looked)

    @property
    def _window(self) -> int | None:
        return None if self.when.window is None else self.when.window.ms

    def _judge(self, course: Sequence[bool]) -> AbsenceJudge:
        samples = [index * self.step for index, there in enumerate(course) if there]
        ends = [
            index * self.step for index, (was, is_) in enumerate(pairwise(course), 1) if was > is_
        ]
        return AbsenceJudge(samples=samples, ends=ends, window=self._window)

    def _story(self, course: Sequence[bool], moments: Sequence[int]) -> Story:
        judge = self._judge(course)
        pinned = {label: known[0] for label, known in self.when.where.items() if len(known) == 1}
        fires = [(labels_of(pinned), 1.0)]
        return Story(
            step=self.step,
            series=self._series(course) if course else {},
            seen={now: fires if self.clock.fires(judge, now) else [] for now in moments},
        )

    def _series(self, course: Sequence[bool]) -> Mapping[str, str]:
        name = series_that_must_be(self.spec, self.when)
        samples = _format(course, marked=self._window is None)
        series = {series_name(name, labels): samples for labels in covering(self.when.where)}
        stranger = stranger_to(self.spec, self.when, ())
        if stranger is not None:
            series[series_name(name, stranger)] = f"1x{len(course) - 1}"
        return series


def tell_absence(spec: Spec, when: AbsentCondition, clock: Clock) -> Mapping[str, Story]:
    """The stories of the condition, by name."""
    whole = [] if when.window is not None else [clock.evaluation]
    for step in (*whole, *(clock.evaluation // n for n in _PARTS if clock.evaluation % n == 0)):
        try:
            return dict(_Absence(spec=spec, when=when, step=step, clock=clock).stories())
        except UnsteadyError:
            continue  # the last sample leaves the window at the very moment of an evaluation
    raise ObserveError(
        f"no time between samples keeps them off the edge of {when.window}; write a window that is"
        " a multiple of the evaluation interval"
    )


def series_that_must_be(spec: Spec, when: AbsentCondition) -> str:
    """No series has the bare name of a classic histogram."""
    metric = spec.metrics.get(when.metric)
    histogram = metric is not None and metric.type is MetricType.HISTOGRAM
    return f"{when.metric}{_COUNT}" if histogram else when.metric


def _format(course: Sequence[bool], *, marked: bool) -> str:
    """In promtool's notation, with a marker where the series ends."""
    texts = []
    for there, run in groupby(course):
        length = len(list(run))
        if there:
            texts.append(f"1x{length - 1}")
            continue
        texts += ["stale", f"_x{length - 1}"] if marked else [f"_x{length}"]
    return " ".join(texts)
