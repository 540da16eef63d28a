"""Sums, shares and fallbacks between expressions, for rules that record them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.build import Condition, Expression
from autogpt_observe.units import format_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from autogpt_observe.units import Duration


def constant(value: Decimal) -> Expression:
    """One sample without labels."""
    return Expression(f"vector({format_decimal(value)})")


def or_zero(value: Expression, everywhere: Expression) -> Expression:
    """``value``, and 0 for the labels that only ``everywhere`` has samples for."""
    return Expression(f"({value} or 0 * {everywhere})")


def minus(value: Expression, part: Expression, *, least: Decimal) -> Expression:
    """``value`` without ``part``, at least ``least``; nothing where one of them is missing."""
    return Expression(f"clamp_min({value} - {part}, {format_decimal(least)})")


def complement(share: Expression) -> Expression:
    """What is left of 1; never below 0, whatever the rounding of floats."""
    return Expression(f"clamp_min(1 - {share}, 0)")


def left_of(whole: Decimal, used: Expression, *, per: Decimal) -> Expression:
    """``whole`` without ``used``, which is counted in units of ``per``; may be negative."""
    return Expression(f"({format_decimal(whole)} - {times_over(used, per)})")


def times_over(value: Expression, unit: Decimal) -> Expression:
    """How many times ``unit`` the value is."""
    return Expression(f"{value} / {format_decimal(unit)}")


def times(value: Expression, factor: Decimal) -> Expression:
    """``value`` times ``factor``."""
    return Expression(f"{value} * {format_decimal(factor)}")


def sum_of_tiles(series: Expression, window: Duration, tile: Duration) -> Expression:
    """The sum of the values that ``series`` had at each whole multiple of ``tile``."""
    return Expression(f"sum_over_time({series}[{window}:{tile}])")


def both_on(condition: Condition, other: Condition, *, by: Sequence[str]) -> Condition:
    """The samples of ``condition`` for whose labels ``by`` there is a sample of ``other``."""
    return Condition(f"{condition} and on ({', '.join(by)}) ({other})")


def rounded(value: Expression, to: Decimal) -> Expression:
    """``value`` rounded to a multiple of ``to``; its name is gone."""
    return Expression(f"round({value}, {format_decimal(to)})")
