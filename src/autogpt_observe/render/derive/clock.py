"""The way of an alert from a condition that holds to one that fires, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Alert, Spec

BOTH_CUTS = (True, False)
"""Closed windows (Prometheus 2) and those open on their left (Prometheus 3)."""


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


def clock_of(spec: Spec, alert: Alert) -> Clock:
    """The clock that ``alert`` is judged by."""
    return Clock(
        evaluation=spec.prometheus.evaluation_interval.ms,
        hold=alert.for_.ms,
        keep=alert.keep_firing_for.ms if alert.keep_firing_for is not None else 0,
    )
