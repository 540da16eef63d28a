"""What Prometheus makes of the samples of a series, and promtool's notation for them.

Samples are whole numbers of a `grain`: the value is the number divided by it. Grains are powers of
two (or of ten, for times), so that sums are exact in Prometheus' floats as well as here.

A range has been cut in two ways: closed on both sides (Prometheus 2) and open on its left
(Prometheus 3). Source: extrapolatedRate in
https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go
"""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import accumulate, islice, pairwise, permutations
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.units import format_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOOKBACK = 300_000
"""How old the newest sample of a series may be, in milliseconds: Prometheus' default."""
_SAMPLES_IN_A_WINDOW = 40
_FEWEST_IN_A_WINDOW = 4
_MOST_ORDERS = 24
_MOST_STATES = 256
_UNEVEN = ((3, 4), (5, 4), (3, 5), (7, 5), (7, 8), (11, 8))


class Window(NamedTuple):
    """What a window sees: its first and last sample, their distance, the gaps beside them."""

    first: int
    last: int
    span: int
    before: int
    after: int


def cut_window(now: int, *, length: int, step: int, count: int, closed: bool) -> Window | None:
    """The window that ends ``now``, over ``count`` samples; None where it sees fewer than two."""
    start = now - length
    first = max(0, -(-start // step) if closed else start // step + 1)
    last = min(now // step, count - 1)
    if last <= first:
        return None
    span = (last - first) * step
    return Window(first, last, span, first * step - start, now - last * step)


def gained(values: Sequence[int], window: Window, step: int) -> int:
    """The extrapolated increase of a counter, times twice the span: a whole number."""
    start = values[window.first]
    events = values[window.last] - start
    # Not to before the moment at which the counter must have been zero.
    before = min(window.before * events, window.span * start)
    before = 2 * before if 10 * before < 11 * step * events else step * events
    after = 2 * window.after if 10 * window.after < 11 * step else step
    return events * (2 * window.span + after) + before


def float_increase(values: Sequence[int], window: Window, *, step: int, grain: int) -> float:
    """``increase`` in floats, each operation in Prometheus' own order."""
    events, factor = _float_gain(values, window, step, grain)
    return events * factor


def float_rate(
    values: Sequence[int], window: Window, *, step: int, grain: int, length: int
) -> float:
    """``rate`` over a window of that length in floats, each operation in Prometheus' own order."""
    events, factor = _float_gain(values, window, step, grain)
    return events * (factor / (length / 1000))


def _float_gain(
    values: Sequence[int], window: Window, step: int, grain: int
) -> tuple[float, float]:
    start = values[window.first] / grain
    events = values[window.last] / grain - start
    span, between = window.span / 1000, step / 1000
    before, after = window.before / 1000, window.after / 1000
    if events > 0:
        before = min(before, span * (start / events))
    spanned = span + (before if before < between * 1.1 else between / 2)
    spanned += after if after < between * 1.1 else between / 2
    return events, spanned / span


def float_sums(values: Sequence[float]) -> set[float]:
    """Every sum that a Prometheus may come to: it takes the series in no order we could know.

    Equal values are interchangeable, and tests give series few different ones: then all orders are
    followed at once, else some of them.
    """
    kinds = Counter(values)
    if math.prod(count + 1 for count in kinds.values()) > _MOST_STATES:
        orders = [*islice(permutations(values), _MOST_ORDERS), sorted(values)]
        # Not `sum`, which makes up for what rounding loses from Python 3.12 on.
        return {reduce(add, order, 0.0) for order in orders} | {math.fsum(values)}
    left = {tuple(kinds.values()): {0.0}}
    for _ in values:
        after: dict[tuple[int, ...], set[float]] = {}
        for counts, sums in left.items():
            for at, value in enumerate(kinds):
                if counts[at]:
                    rest = (*counts[:at], counts[at] - 1, *counts[at + 1 :])
                    after.setdefault(rest, set()).update(total + value for total in sums)
        left = after
    return left[(0,) * len(kinds)] | {math.fsum(values)}


def sample_steps(window: int, evaluation: int) -> Iterator[int]:
    """Times between samples: evaluations fall on samples, and a window has some, not too many.

    Later ones are no multiple of the time between evaluations, so that a window that begins at an
    evaluation seldom begins at a sample.
    """
    if window >= _FEWEST_IN_A_WINDOW * evaluation:
        even = evaluation * max(1, window // (evaluation * _SAMPLES_IN_A_WINDOW))
    else:
        parts = max(1, -(-_FEWEST_IN_A_WINDOW * evaluation // max(1, window)))
        finer = (evaluation // n for n in range(parts, evaluation) if evaluation % n == 0)
        even = next(finer, 1)
    yield even
    for part, whole in _UNEVEN:
        step, rest = divmod(even * part, whole)
        if not rest and step * _FEWEST_IN_A_WINDOW <= window:
            yield step


def sample_step(window: int, evaluation: int) -> int:
    """The first of them."""
    return next(sample_steps(window, evaluation), 1)


def up_to(length: int, unit: int) -> int:
    """``length`` rounded up to whole units."""
    return -(-length // unit) * unit


def round_number(low: Fraction, high: Fraction) -> Fraction:
    """The roundest number between the two: few decimal digits, else few binary places."""
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -round_number(-high, -low)
    unit = Fraction(10 ** (len(str(int(high))) - 1))
    while not low < (nearest := round((low + high) / 2 / unit) * unit) < high:
        unit /= 10 if unit > 1 else 2
    return nearest


def grain_of(numbers: Iterable[Fraction]) -> int:
    """The grain in which all of them are whole numbers."""
    return math.lcm(*(number.denominator for number in numbers))


def split_evenly(counts: Sequence[int], ways: int) -> Iterator[list[int]]:
    """The counts spread over so many series, as evenly as whole numbers allow."""
    for way in range(ways):
        yield [count // ways + (way < count % ways) for count in counts]


def summed(counts: Iterable[int]) -> tuple[int, ...]:
    """A counter's values, from its events at each sample."""
    return tuple(accumulate(counts))


def format_samples(values: Sequence[int], grain: int = 1) -> str:
    """Values in promtool's notation: ``a+bxn`` is ``a`` and ``n`` more, rising by b.

    https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
    """
    runs = [(values[0], 0, 0)]
    for before, now in pairwise(values):
        rise, (start, rising, more) = now - before, runs[-1]
        if rise == rising or (len(runs) == 1 and not more):
            runs[-1] = start, rise, more + 1
        else:
            runs.append((now, rise, 0))
    return " ".join(_run(*run, grain) for run in runs)


def _run(start: int, rise: int, more: int, grain: int) -> str:
    first = format_exact(start, grain)
    if not more:
        return first
    sign = "-" if rise < 0 else "+"
    return f"{first}{sign}{format_exact(abs(rise), grain)}x{more}" if rise else f"{first}x{more}"


def format_exact(value: int, grain: int) -> str:
    """A sample as a decimal number; exact, as a grain has no factors but 2 and 5."""
    return str(value) if grain == 1 else format_decimal(Decimal(value) / grain)
