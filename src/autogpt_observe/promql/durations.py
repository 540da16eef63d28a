"""An expression on another clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.scanner import Kind, PromQLError, Token, scan
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from fractions import Fraction


def scale_durations(text: str, factor: Fraction) -> str:
    """``text`` with its durations (ranges, offsets, subqueries) times ``factor``, all else as is.

    Whole milliseconds, at least 1 ms; the very same text at factor 1. Bare numbers are never
    touched, not even those that mean seconds (``time() - x > 900``). Raises PromQLError where the
    scanner does and at a duration whose units are out of order.
    """
    if factor == 1:
        return text
    return "".join(
        _scaled(token, factor) if token.kind is Kind.DURATION else token.text
        for token in scan(text)
    )


def _scaled(token: Token, factor: Fraction) -> str:
    try:
        length = Duration.parse(token.text)
    except ValueError as error:
        raise PromQLError(
            f"`{token.text}` is no duration: {error}", token.start, len(token.text)
        ) from error
    return str(length.scaled(factor))
