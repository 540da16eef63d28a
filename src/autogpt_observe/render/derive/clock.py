"""The way of an alert from a condition that holds to one that fires, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

from autogpt_observe.names import PromQL
from autogpt_observe.render.derive.labels import covering
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Alert, Spec, When

BOTH_CUTS = (True, False)
"""Closed windows (Prometheus 2) and those open on their left (Prometheus 3)."""
_MOST_EVALUATIONS = 2880
"""How many evaluations an alert may take to fire: 12 h at 15 s; promtool takes a second or two."""
_ENOUGH = 1000
"""How many it takes at most by a coarse clock, which then is a thousandth of the time or more."""
_MOST_SAMPLES = 10_000
"""How many samples one query of promtool may read."""
_SAMPLES_EACH = 5
"""How many samples tests of absence have between two evaluations at most, but for odd clocks."""
_ROUND = (
    (1000, (1, 2, 5, 10, 15, 20, 30)),
    (60_000, (1, 2, 5, 10, 15, 20, 30)),
    (3_600_000, (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)),
)


class UnsteadyError(Exception):
    """What would be seen is not the same on every Prometheus; no test may look there."""


class Holding(Protocol):
    """Whether something holds at an evaluation; times in milliseconds."""

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether it holds; ``closed`` is how Prometheus cuts windows."""


class Judge(Holding, Protocol):
    """Whether a condition holds for the samples of one group."""

    def values(self, now: int) -> tuple[float, set[float]]:
        """The expression's value: the exact one, and all that some Prometheus comes to."""


@dataclass(frozen=True, slots=True)
class _Cleared:
    """Where a condition does not hold."""

    judge: Judge

    def holds(self, now: int, *, closed: bool) -> bool:
        return not self.judge.holds(now, closed=closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When a condition is looked at, and how long it must hold; in milliseconds.

    Attributes:
        evaluation: time between evaluations; the first is at 0.
        hold: how long the condition must hold before the alert fires.
        keep: how long the alert fires on after the condition cleared.
    """

    evaluation: int
    hold: int
    keep: int

    def fires(self, judge: Judge, now: int) -> bool:
        """Whether the alert fires; raises UnsteadyError where Prometheus 2 and 3 differ."""
        seen = {self._fires(judge, now, closed=closed) for closed in BOTH_CUTS}
        if len(seen) > 1:
            raise UnsteadyError(f"Prometheus 2 and 3 differ at {now} ms")
        return seen.pop()

    def first(self, judge: Judge, start: int, end: int) -> int:
        """The evaluation from which the condition holds, between two at which it doesn't and does.

        It must not hold before. Raises UnsteadyError where Prometheus 2 and 3 differ.
        """
        found = {self._first(judge, start, end, closed=closed) for closed in BOTH_CUTS}
        if len(found) > 1:
            raise UnsteadyError(f"Prometheus 2 and 3 differ at {min(found)} ms")
        return found.pop()

    def cleared(self, judge: Judge, start: int, end: int) -> int:
        """The evaluation by which the condition cleared, after ``start`` and by ``end``."""
        cleared = _Cleared(judge)
        return max(self._first(cleared, start, end, closed=closed) for closed in BOTH_CUTS)

    def ever_holds(self, judge: Judge, end: int) -> bool:
        """Whether the condition holds at any evaluation before ``end``, on either Prometheus."""
        moments = range(0, end, self.evaluation)
        return any(judge.holds(now, closed=closed) for now in moments for closed in BOTH_CUTS)

    def _first(self, judge: Holding, start: int, end: int, *, closed: bool) -> int:
        low, high = start // self.evaluation, end // self.evaluation
        while high - low > 1:
            middle = (low + high) // 2
            if judge.holds(middle * self.evaluation, closed=closed):
                high = middle
            else:
                low = middle
        return high * self.evaluation

    def _fires(self, judge: Judge, now: int, *, closed: bool) -> bool:
        """Looks back no further than it must: over a run that is long enough, or a gap that is."""
        now = now // self.evaluation * self.evaluation
        while now >= 0:
            seen = now
            while not judge.holds(now, closed=closed):
                if now <= 0 or seen - now >= self.keep:
                    return False
                now -= self.evaluation
            seen = now
            while now >= 0 and judge.holds(now, closed=closed):
                if seen - now >= self.hold:
                    return True
                now -= self.evaluation
        return False


def evaluation_of(spec: Spec, alert: Alert) -> Duration:
    """The evaluation interval that an alert's derived tests are written for.

    That of the rules, or a coarser one where promtool would take long: it steps through them all.
    """
    own, lasts, samples = spec.prometheus.evaluation_interval, _length(alert.when), 0
    if isinstance(alert.when, AbsentCondition):
        samples = lasts * len(covering(alert.when.where)) * _SAMPLES_EACH
    lasts += alert.for_.ms + (alert.keep_firing_for.ms if alert.keep_firing_for is not None else 0)
    if lasts <= _MOST_EVALUATIONS * own.ms and samples <= _MOST_SAMPLES * own.ms:
        return own
    least = max(-(-lasts // _ENOUGH), -(-samples // _MOST_SAMPLES))
    round_ones = (unit * count for unit, counts in _ROUND for count in counts)
    fitting = (ms for ms in round_ones if ms >= least and ms % own.ms == 0)
    return Duration(next(fitting, -(-least // own.ms) * own.ms))


def _length(when: When) -> int:
    match when:
        case PromQL() | ThresholdCondition() | BurnCondition():
            return 0
        case AbsentCondition(window=window):
            return window.ms if window is not None else 0
        case StaleCondition(older_than=age):
            return age.ms
        case (
            RatioCondition()
            | RateCondition()
            | IncreaseCondition()
            | QuantileCondition()
            | TrendCondition()
        ):
            return when.window.ms
        case _:
            assert_never(when)


def clock_of(spec: Spec, alert: Alert) -> Clock:
    """The clock that the derived tests of ``alert`` go by."""
    return Clock(
        evaluation=evaluation_of(spec, alert).ms,
        hold=alert.for_.ms,
        keep=alert.keep_firing_for.ms if alert.keep_firing_for is not None else 0,
    )
