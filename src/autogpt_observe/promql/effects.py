"""What functions, aggregations and divisions do to values and units."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.promql.catalogue import SECONDS, Dimension, SeriesKind
from autogpt_observe.promql.tree import (
    Aggregation,
    Binary,
    Call,
    Node,
    Number,
    Range,
    Selector,
    bare,
)
from autogpt_observe.promql.values import (
    EVERYTHING,
    NOT_NEGATIVE,
    SHARE,
    Interval,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.promql.catalogue import Series

CLOCK = Interval(1.6e9, 1e11)
"""Unix time, from 2020 on."""

ABSENCE = frozenset({"absent", "absent_over_time"})
MAY_FIND_NOTHING = ABSENCE | {
    *("histogram_quantile", "histogram_fraction", "histogram_avg", "histogram_count"),
    *("histogram_sum", "histogram_stddev", "histogram_stdvar"),
}
SELECTING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
KEEP_VALUES = frozenset(
    {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "label_replace", "label_join"}
    | {"last_over_time", "first_over_time"}
)
SPREADING = frozenset(
    {"max_over_time", "min_over_time", "avg_over_time", "quantile_over_time", "mad_over_time"}
)
KEEP_SHARES = KEEP_VALUES | (SPREADING - {"mad_over_time"})
_KEEP_UNITS = (
    KEEP_VALUES
    | SPREADING
    | {"abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "scalar", "vector"}
    | {"increase", "delta", "idelta", "predict_linear", "sum_over_time", "stddev_over_time"}
    | {"holt_winters", "double_exponential_smoothing"}
)
_PER_SECOND = frozenset({"rate", "irate", "deriv"})
GROUPS_KEEP_SHARES = frozenset({"avg", "max", "min", "quantile"}) | SELECTING
GROUPS_KEEP_VALUES = frozenset({"sum", "avg", "max", "min", "quantile"}) | SELECTING
GROUPS_KEEP_UNITS = GROUPS_KEEP_VALUES | {"stddev"}

_BOUNDS: Mapping[str, Interval] = MappingProxyType(
    {
        **dict.fromkeys(("rate", "irate", "increase", "changes", "resets"), NOT_NEGATIVE),
        **dict.fromkeys(("sqrt", "exp", "stddev_over_time", "stdvar_over_time"), NOT_NEGATIVE),
        **dict.fromkeys(("abs", "timestamp", "mad_over_time", "histogram_count"), NOT_NEGATIVE),
        "count_over_time": Interval(1, math.inf),
        **dict.fromkeys(("present_over_time", "absent", "absent_over_time"), Interval(1, 1)),
        "histogram_fraction": SHARE,
        "sgn": Interval(-1, 1),
        "minute": Interval(0, 59),
        "hour": Interval(0, 23),
        "day_of_week": Interval(0, 6),
        "day_of_month": Interval(1, 31),
        "day_of_year": Interval(1, 366),
        "days_in_month": Interval(28, 31),
        "month": Interval(1, 12),
    }
)
_SAME_BOUNDS = KEEP_VALUES | (SPREADING - {"mad_over_time", "quantile_over_time"})
_MONOTONE_GROUPS = frozenset({"sum", "count", "max"})
_MONOTONE_CALLS = frozenset({"rate", "increase", "irate", "sum_over_time", "count_over_time"})


def bounds_after(
    name: str, bounds: Interval, given: Sequence[Interval], series: frozenset[Series]
) -> Interval:
    """Where the result of a function lies, from where its series and all its arguments lie."""
    if name in _BOUNDS:
        return _BOUNDS[name]
    if name in _SAME_BOUNDS:
        return bounds
    low, high = bounds
    match name:
        case "clamp" if len(given) == 3:  # noqa: PLR2004 - the vector, least, most
            return Interval(given[1].low, given[2].high)
        case "clamp_min" if len(given) == 2:  # noqa: PLR2004 - the vector, least
            return Interval(max(low, given[1].low), max(high, given[1].high))
        case "clamp_max" if len(given) == 2:  # noqa: PLR2004 - the vector, most
            return Interval(min(low, given[1].low), min(high, given[1].high))
        case "ceil" | "floor" | "round" if len(given) == 1:
            return Interval(
                low if math.isinf(low) else math.floor(low),
                high if math.isinf(high) else math.ceil(high),
            )
        case "sum_over_time":
            return bounds_of_group("sum", bounds)
        case "quantile_over_time" if given[0].low >= 0 and given[0].high <= 1:
            return bounds
        case "histogram_quantile" if given[0].low >= 0 and given[0].high <= 1:
            return _within_buckets(series)
        case _:
            return EVERYTHING


def _within_buckets(series: frozenset[Series]) -> Interval:
    """An estimate lies below the highest finite bound, and above zero where all bounds are."""
    tops = [found.labels.get("le") for found in series if found.kind is SeriesKind.BUCKET]
    if len(tops) != 1 or len(series) != 1 or not isinstance(tops[0], frozenset):
        return EVERYTHING
    finite = [float(bound) for bound in tops[0] if not math.isinf(float(bound))]
    if not finite:
        return EVERYTHING
    return Interval(0.0 if min(finite) > 0 else -math.inf, max(finite))


def bounds_of_group(op: str, bounds: Interval) -> Interval:
    """Where the result of an aggregation over at least one sample lies."""
    match op:
        case "count" | "count_values":
            return Interval(1, math.inf)
        case "group":
            return Interval(1, 1)
        case "stddev" | "stdvar":
            return NOT_NEGATIVE
        case "sum":
            low = bounds.low if bounds.low >= 0 else -math.inf
            return Interval(low, bounds.high if bounds.high <= 0 else math.inf)
        case _:
            return bounds


def unit_after(name: str, unit: Dimension | None) -> Dimension | None:
    """The unit of a function's result."""
    if name == "timestamp":
        return SECONDS
    if unit is None:
        return None
    if name in _PER_SECOND:
        return unit.times(SECONDS, -1)
    keeps = name in _KEEP_UNITS or name == "histogram_quantile"
    return unit if keeps else None


def is_part_of(part: Node, whole: Node) -> bool:
    """Whether ``part`` counts some of what ``whole`` counts, so that their quotient is a share."""
    part, whole = bare(part), bare(whole)
    if isinstance(whole, Binary) and whole.op in (">", "!=") and whole.filters:
        return isinstance(bare(whole.right), Number) and is_part_of(part, whole.left)
    match part, whole:
        case Selector(), Selector():
            return _selects_less(part, whole)
        case Range(), Range():
            same = part.length.ms == whole.length.ms and part.shift[:2] == whole.shift[:2]
            return same and _selects_less(part.inner, whole.inner)
        case Call(), Call() if part.function == whole.function and part.function in _MONOTONE_CALLS:
            return is_part_of(part.arguments[0], whole.arguments[0])
        case Aggregation(), Aggregation() if part.op == whole.op and part.op in _MONOTONE_GROUPS:
            return _grouping(part) == _grouping(whole) and is_part_of(part.inner, whole.inner)
        case _:
            return False


def _grouping(node: Aggregation) -> tuple[bool, frozenset[str]]:
    if node.grouping is None:
        return (False, frozenset())
    return (node.grouping.without, frozenset(label.text for label in node.grouping.labels))


def _selects_less(part: Selector, whole: Selector) -> bool:
    if part.shift[:2] != whole.shift[:2] or part.name is None or whole.name is None:
        return False
    mine = {(m.label.text, m.op, m.value.text) for m in part.matchers}
    theirs = {(m.label.text, m.op, m.value.text) for m in whole.matchers}
    if part.name.text == whole.name.text:
        return theirs <= mine
    stem = whole.name.text.removesuffix("_count")
    one_bucket = any(label == "le" and op == "=" for label, op, _ in mine)
    return part.name.text == f"{stem}_bucket" and one_bucket and theirs <= mine
