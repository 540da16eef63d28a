"""When an error budget burns too fast, worked out from counts of events alone.

A window's share of bad events is that of the events in it, however they were spread. Windows that
are added up see whole tiles only: the last one that is over, and those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.samples import cut_window, gained

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter of events: its value at each sample, from time 0 on.

    Attributes:
        bad: 1 where its events are bad ones, -1 where they are the good ones of a total, else 0.
        total: 1 where its events are among all events, else 0.
    """

    values: Sequence[int]
    bad: int
    total: int


class Events(NamedTuple):
    """The events of a window."""

    bad: Fraction
    total: Fraction


class Counted:
    """The counters of one group, and how they are read; times in milliseconds.

    Whole tests look at the same windows and tiles again and again, so what was counted is kept.
    """

    def __init__(
        self, counters: Sequence[Counter], *, step: int, tile: int, tiled: frozenset[int]
    ) -> None:
        """Take the counters, and how they are read.

        Args:
            counters: of one group.
            step: time between samples.
            tile: the window whose events are recorded.
            tiled: the windows that are added up from it.
        """
        self._counters = counters
        self._step = step
        self._tile = tile
        self._tiled = tiled
        # Good observations of a histogram are taken from its total.
        self._by_exclusion = any(counter.bad < 0 for counter in counters)
        self._known: dict[tuple[int, int, bool], Events] = {}
        nothing = Events(Fraction(0), Fraction(0))
        self._sums = {closed: [nothing] for closed in BOTH_CUTS}

    def events(self, window: int, now: int, *, closed: bool) -> Events:
        """The events of a window that ends ``now``."""
        if window not in self._tiled:
            return self._raw(window, now, closed=closed)
        start = now - window
        first = -(-start // self._tile) if closed else start // self._tile + 1
        until = self._tiles_until(now // self._tile, closed=closed)
        before = self._tiles_until(max(0, first) - 1, closed=closed)
        return Events(until.bad - before.bad, until.total - before.total)

    def share(self, window: int, now: int, *, closed: bool) -> Fraction | None:
        """The share of bad events; None where there were none at all."""
        found = self.events(window, now, closed=closed)
        return found.bad / found.total if found.total else None

    def _tiles_until(self, last: int, *, closed: bool) -> Events:
        """The events of all tiles up to that one; the first, which ends at time 0, has none."""
        sums = self._sums[closed]
        for end in range(len(sums), last + 1):
            tile = self._raw(self._tile, end * self._tile, closed=closed)
            sums.append(Events(sums[-1].bad + tile.bad, sums[-1].total + tile.total))
        return sums[max(0, last)]

    def _raw(self, window: int, now: int, *, closed: bool) -> Events:
        place = (window, now, closed)
        if place not in self._known:
            self._known[place] = self._counted(window, now, closed=closed)
        return self._known[place]

    def _counted(self, window: int, now: int, *, closed: bool) -> Events:
        count = len(self._counters[0].values)
        cut = cut_window(now, length=window, step=self._step, count=count, closed=closed)
        if cut is None:
            return Events(Fraction(0), Fraction(0))
        bad = total = 0
        for counter in self._counters:
            if counter.bad or counter.total:
                grown = gained(counter.values, cut, self._step)
                bad, total = bad + grown * counter.bad, total + grown * counter.total
        bad += total if self._by_exclusion else 0
        return Events(Fraction(max(0, bad), 2 * cut.span), Fraction(total, 2 * cut.span))


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnJudge:
    """Whether a burn condition holds for one group.

    Attributes:
        above: the share of bad events that both windows must be above.
        min_events: the fewest events in the long window.
    """

    counted: Counted
    long: int
    short: int
    above: Fraction
    min_events: int

    def holds(self, now: int, *, closed: bool) -> bool:
        """Whether it holds at an evaluation."""
        long = self.counted.events(self.long, now, closed=closed)
        short = self.counted.events(self.short, now, closed=closed)
        return all(
            window.total > 0 and window.bad > self.above * window.total for window in (long, short)
        ) and (self.min_events == 1 or long.total >= self.min_events)

    def values(self, now: int) -> tuple[float, set[float]]:
        """The long window's share: the exact one, and those to which rounding may lead."""
        shares = [self.counted.share(self.long, now, closed=closed) for closed in BOTH_CUTS]
        exact = float(shares[0] or 0)
        near = {float(s or 0) * (1 + sign * _ROUNDING) for s in shares for sign in (-1, 0, 1)}
        return exact, near
