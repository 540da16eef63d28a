"""The numbers on either side of a limit that tests are made of."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from autogpt_observe.render.derive.samples import round_number
from autogpt_observe.render.derive.story import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autogpt_observe.spec.model.conditions import Judged

_NEAR = ((30, 70), (15, 45), (50, 85), (8, 20))
"""How far the tests keep from a limit, in thousandths of it: less than a tenth."""
_FAR = (400, 600)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, and on which side of it the condition holds."""

    value: Fraction
    above: bool

    def past(self, value: Fraction) -> bool:
        """Whether the condition holds for ``value``."""
        return value > self.value if self.above else value < self.value

    def past_at(self, floats: Iterable[float], limit: float, *, closed: bool) -> bool:
        """Whether the condition holds for what is exactly at the limit, but not so as floats.

        ``limit`` is what they are compared with. Where they come out on either side of it, one
        Prometheus says so and another the opposite, as of what stands at the cut of a window.
        """
        sides = {value > limit if self.above else value < limit for value in floats}
        return closed if len(sides) > 1 else True in sides

    def within(self, low: int, high: int) -> Fraction:
        """A round number past the limit by so many thousandths of it; short of it below zero."""
        size = abs(self.value) if self.above else -abs(self.value)
        ends = sorted(self.value + size * Fraction(share, 1000) for share in (low, high))
        return round_number(ends[0], ends[1])


def limit_of(when: Judged) -> tuple[Fraction, bool]:
    """The limit, and whether the condition holds above it, not below."""
    if when.above is not None:
        return Fraction(when.above.value), True
    if when.below is None:  # the reader demands one of the two
        raise TypeError(f"no limit for `{when.metric}`")
    return Fraction(when.below.value), False


def near_levels(limit: Limit) -> Iterator[Mapping[Level, Fraction]]:
    """Round numbers for each level, ever others."""
    if not limit.value:  # nothing is a share of zero away from it
        away = Fraction(1 if limit.above else -1)
        calm = Fraction(0) if limit.above else Fraction(1)
        yield {Level.PAST: away, Level.SHORT: limit.value, Level.CALM: calm, Level.IDLE: calm}
        return
    calm = limit.within(-_FAR[1], -_FAR[0])
    for low, high in _NEAR:
        past, short = limit.within(low, high), limit.within(-high, -low)
        yield {Level.PAST: past, Level.SHORT: short, Level.CALM: calm, Level.IDLE: calm}


OPPOSITE: Mapping[Level, Level] = {
    Level.IDLE: Level.IDLE,
    Level.CALM: Level.CALM,
    Level.SHORT: Level.PAST,
    Level.PAST: Level.CALM,
}
"""What a series that doesn't count does meanwhile: were it counted, the other would be seen."""


def opposite(course: Sequence[Level]) -> list[Level]:
    """The course of a series that doesn't count."""
    return [OPPOSITE[level] for level in course]
