"""Events that are too few for a verdict, and just enough of them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from autogpt_observe.render.derive.samples import round_number, up_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autogpt_observe.render.derive.clock import Clock, Judge

_FEWER_BY = 50
_JUST_MORE = (1020, 1080)
"""How much more than just enough, in thousandths: less than a tenth more."""


def few_counts(  # noqa: PLR0913 - the numbers of one condition
    judge: Callable[[Sequence[int]], Judge],
    *,
    least: int,
    window: int,
    step: int,
    lead: int,
    busy: int,
    clock: Clock,
) -> Sequence[int] | None:
    """Events at each sample, as many as are no verdict; None where even one is enough.

    Attributes of a condition: ``least`` events in a ``window`` are a verdict; ``lead`` samples are
    without events, and ``busy`` ones with events would make the alert fire.
    """
    spread = max(1, window // step)
    # Between samples an increase is extrapolated, the less so the longer the counter is known.
    quiet = [0] * (lead if step <= clock.evaluation else max(lead, spread // 2))
    few = least - 1
    while few > 0:
        if spread > busy + 2:
            counts = [*quiet, few, *[0] * busy]
        else:
            shares = range(busy + spread)
            counts = quiet + [(n + 1) * few // spread - n * few // spread for n in shares]
        if not clock.ever_holds(judge(counts), step * len(counts)):
            return counts
        few -= max(1, few // _FEWER_BY)
    return None


def enough_counts(
    *, least: int, window: int, step: int, lead: int, clock: Clock
) -> tuple[Sequence[int], int]:
    """Just enough events at each sample, in a grain, for an alert to fire.

    All at once, if they count for as long as the alert must hold; else evenly.
    """
    least = max(1, least)
    held = up_to(clock.hold + clock.evaluation, step) // step + 2
    if (held + 1) * step < window:
        return [*[0] * lead, least, *[0] * held], 1
    each = round_number(*(Fraction(least * step * more, window * 1000) for more in _JUST_MORE))
    samples = held + up_to(window + clock.evaluation, step) // step + 2
    return [*[0] * lead, *[each.numerator] * samples], each.denominator
