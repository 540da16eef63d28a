"""What a label can be, and between which numbers a sample lies.

A label that is not there and one with an empty value are the same to Prometheus, so "absent" is
the set of the empty value alone.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Open(Enum):
    """Label values that can't be listed."""

    ANY = "any value, or none"
    PRESENT = "some value"


Values = frozenset[str] | Open
"""The values a label can have: a finite set, or one of the open ones."""

ANY: Final = Open.ANY
PRESENT: Final = Open.PRESENT
ABSENT: Final = frozenset({""})


def meet(left: Values, right: Values) -> Values:
    """The values that both allow; the empty set where nothing is in both."""
    if left is ANY or right is ANY:
        return right if left is ANY else left
    if isinstance(left, Open):
        return right - ABSENT if isinstance(right, frozenset) else PRESENT
    return left - ABSENT if isinstance(right, Open) else left & right


def join(left: Values, right: Values) -> Values:
    """The values that either allows."""
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left | right
    listed = left if isinstance(left, frozenset) else right
    known_present = isinstance(listed, Open) or "" not in listed
    return PRESENT if known_present and ANY not in (left, right) else ANY


def chosen(values: Values, accept: Callable[[str], bool]) -> Values:
    """The values that a matcher lets pass; open values stay open, except that empty may go."""
    if isinstance(values, frozenset):
        return frozenset(value for value in values if accept(value))
    return values if values is PRESENT or accept("") else PRESENT


class Interval(NamedTuple):
    """The numbers from ``low`` to ``high``, both included; ``low > high`` holds none at all."""

    low: float
    high: float

    @property
    def is_empty(self) -> bool:
        """Whether no number is in it."""
        return self.low > self.high


EVERYTHING: Final = Interval(-math.inf, math.inf)
NOT_NEGATIVE: Final = Interval(0.0, math.inf)
SHARE: Final = Interval(0.0, 1.0)


def narrowed(bounds: Interval, op: str, limit: Interval) -> Interval:
    """The part of ``bounds`` that can be ``op`` to some number of ``limit``."""
    low, high = bounds
    match op:
        case ">":
            low = max(low, math.nextafter(limit.low, math.inf))
        case ">=":
            low = max(low, limit.low)
        case "<":
            high = min(high, math.nextafter(limit.high, -math.inf))
        case "<=":
            high = min(high, limit.high)
        case "==":
            low, high = max(low, limit.low), min(high, limit.high)
        case "!=" if limit.low == limit.high and low == high == limit.low:
            return Interval(math.inf, -math.inf)
    return Interval(low, high)


def always_holds(bounds: Interval, op: str, limit: Interval) -> bool:
    """Whether every number of ``bounds`` is ``op`` to every number of ``limit``."""
    match op:
        case ">":
            return bounds.low > limit.high
        case ">=":
            return bounds.low >= limit.high
        case "<":
            return bounds.high < limit.low
        case "<=":
            return bounds.high <= limit.low
        case "==":
            return bounds.low == bounds.high == limit.low == limit.high
        case _:
            return bounds.high < limit.low or bounds.low > limit.high


def computed(left: Interval, op: str, right: Interval) -> Interval:
    """Where ``left op right`` lies; NaN, which no comparison but ``!=`` lets pass, left out."""
    match op:
        case "+":
            return _spanned(left.low + right.low, left.high + right.high)
        case "-":
            return _spanned(left.low - right.high, left.high - right.low)
        case "*":
            return _spanned(*(_product(a, b) for a in left for b in right))
        case "/" if right.low > 0 or right.high < 0:
            return _spanned(*(_quotient(a, b) for a in left for b in right))
        case "/" if right.low >= 0 and left.low >= 0:
            return NOT_NEGATIVE
        case _:
            return EVERYTHING


def _spanned(*corners: float) -> Interval:
    if any(math.isnan(corner) for corner in corners):
        return EVERYTHING
    return Interval(min(corners), max(corners))


def _product(a: float, b: float) -> float:
    return 0.0 if 0 in (a, b) else a * b


def _quotient(a: float, b: float) -> float:
    return math.nan if math.isinf(a) and math.isinf(b) else a / b
