"""When a ratio condition holds, worked out from counts of events alone.

Nothing here knows the PromQL that is rendered. What Prometheus adds to the counts, by extrapolating
``rate`` and ``increase`` to the whole window, is followed for both ways a window has been cut:
closed (Prometheus 2) and open on its left (Prometheus 3). Source: extrapolatedRate in
https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice, permutations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

_MOST_ORDERS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A counter of events: its value at each sample, from time 0 on.

    Attributes:
        bad: whether its events are bad ones.
        total: whether its events are among all events.
    """

    values: tuple[int, ...]
    bad: bool
    total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A ratio condition and the clock it is judged by; times in milliseconds.

    Attributes:
        step: time between samples.
        evaluation: time between evaluations.
        hold: how long the condition must hold before the alert fires.
        keep: how long the alert fires on after the condition cleared.
    """

    window: int
    above: Fraction
    min_events: int
    step: int
    evaluation: int
    hold: int
    keep: int

    def fires(self, streams: Sequence[Stream], moments: Iterable[int]) -> dict[int, bool]:
        """For each moment, whether the alert of these events fires.

        Raises ValueError for a moment at which Prometheus 2 and 3 differ; no test may look there.
        """
        wanted = sorted(moments)
        answers = {}
        traces = [self._trace(streams, wanted[-1], closed=closed) for closed in (True, False)]
        for moment in wanted:
            seen = {trace[moment // self.evaluation] for trace in traces}
            if len(seen) > 1:
                raise ValueError(f"Prometheus 2 and 3 differ at {moment} ms")
            answers[moment] = seen.pop()
        return answers

    def ever_holds(self, streams: Sequence[Stream]) -> bool:
        """Whether the condition holds at any evaluation, on either Prometheus."""
        moments = range(0, self.step * len(streams[0].values), self.evaluation)
        return any(
            self._holds(streams, moment, closed=closed)
            for moment in moments
            for closed in (True, False)
        )

    def shares(self, streams: Sequence[Stream], moment: int) -> set[float]:
        """The share of bad events as floats: every value that some Prometheus comes to.

        Its ``sum`` takes the series in no order we could know, so orders are tried.
        """
        found = set()
        for closed in (True, False):
            window = self._cut(streams, moment, closed=closed)
            if window is None:
                continue
            parts = _sums([_rate(s, window, self) for s in streams if s.bad])
            wholes = _sums([_rate(s, window, self) for s in streams if s.total])
            found |= {part / whole for part in parts for whole in wholes if whole}
        return found

    def _trace(self, streams: Sequence[Stream], end: int, *, closed: bool) -> list[bool]:
        """Whether the alert fires, evaluation by evaluation."""
        trace = []
        since: int | None = None
        cleared: int | None = None
        firing = False
        for now in range(0, end + 1, self.evaluation):
            if self._holds(streams, now, closed=closed):
                since = now if since is None else since
                cleared = None
                firing = firing or now - since >= self.hold
            else:
                cleared = now if cleared is None else cleared
                firing = firing and now - cleared < self.keep
                since = since if firing else None
            trace.append(firing)
        return trace

    def _holds(self, streams: Sequence[Stream], now: int, *, closed: bool) -> bool:
        window = self._cut(streams, now, closed=closed)
        if window is None:
            return False
        # Everything is doubled and times the span, so that it stays a whole number.
        bad = sum(_doubled(s, window, self.step) for s in streams if s.bad)
        total = sum(_doubled(s, window, self.step) for s in streams if s.total)
        enough = total >= self.min_events * 2 * window.span and total > 0
        return enough and bad * self.above.denominator > total * self.above.numerator

    def _cut(self, streams: Sequence[Stream], now: int, *, closed: bool) -> _Window | None:
        start = now - self.window
        after_start = -(-start // self.step) if closed else start // self.step + 1
        first = max(0, after_start)
        last = min(now // self.step, len(streams[0].values) - 1)
        if last <= first:
            return None
        span = (last - first) * self.step
        return _Window(first, last, span, first * self.step - start, now - last * self.step)


class _Window(NamedTuple):
    """What a window sees: its first and last sample, their distance, the gaps beside them."""

    first: int
    last: int
    span: int
    before: int
    after: int


def _doubled(stream: Stream, window: _Window, step: int) -> int:
    """The extrapolated increase, times twice the span."""
    start = stream.values[window.first]
    events = stream.values[window.last] - start
    # Not to before the moment at which the counter must have been zero.
    before = min(window.before * events, window.span * start)
    before = 2 * before if 10 * before < 11 * step * events else step * events
    after = 2 * window.after if 10 * window.after < 11 * step else step
    return events * (2 * window.span + after) + before


def _rate(stream: Stream, window: _Window, judge: Judge) -> float:
    """``rate`` in floats, each operation in Prometheus' own order."""
    start = float(stream.values[window.first])
    events = float(stream.values[window.last]) - start
    span, step = window.span / 1000, judge.step / 1000
    before, after = window.before / 1000, window.after / 1000
    if events > 0:
        before = min(before, span * (start / events))
    spanned = span + (before if before < step * 1.1 else step / 2)
    spanned += after if after < step * 1.1 else step / 2
    return events * (spanned / span / (judge.window / 1000))


def _sums(values: Sequence[float]) -> set[float]:
    naive = {sum(order, 0.0) for order in islice(permutations(values), _MOST_ORDERS)}
    return naive | {math.fsum(values)}
