"""Expressions for tests: generated ones, and a likeness that two parsers' trees can share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promql_parser as library
from hypothesis import strategies as st

from autogpt_observe.promql.tree import (
    Aggregation,
    Binary,
    Call,
    Group,
    Matching,
    Node,
    Number,
    Range,
    Selector,
    Shift,
    Subquery,
    Text,
    Unary,
)

if TYPE_CHECKING:
    from datetime import timedelta

Likeness = tuple[Any, ...]

_MANY = {"ManyToOne": "left", "OneToMany": "right"}


def likeness(node: Node) -> Likeness:  # noqa: C901 - one case for each kind of node
    """What our tree says, without places."""
    match node:
        case Number(value=value):
            return ("number", repr(value))
        case Text(value=value):
            return ("text", value)
        case Selector(name=name, matchers=matchers, shift=shift):
            read = [(m.label.text, m.op, m.value.text) for m in matchers]
            named = [] if any(label == "__name__" for label, _, _ in read) else [name]
            read += [("__name__", "=", word.text) for word in named if word is not None]
            return ("selector", tuple(sorted(read)), _shift(shift))
        case Range(inner=inner, length=length, shift=shift):
            return ("range", likeness(inner)[1], length.ms, _shift(shift))
        case Subquery(inner=inner, length=length, step=step, shift=shift):
            every = step.ms if step is not None else None
            return ("subquery", likeness(inner), length.ms, every, _shift(shift))
        case Call(function=function, arguments=arguments):
            return ("call", function, *map(likeness, arguments))
        case Aggregation(op=op, param=param, inner=inner, grouping=grouping):
            by = None
            if grouping is not None:
                by = (grouping.without, tuple(label.text for label in grouping.labels))
            return ("aggregation", op, param and likeness(param), likeness(inner), by)
        case Unary(op="+", inner=inner) | Group(inner=inner):
            return likeness(inner)
        case Unary(inner=inner):
            below = likeness(inner)
            if isinstance(inner, Number):
                return ("number", repr(-inner.value))
            return ("minus", below)
        case Binary():
            sides = (likeness(node.left), likeness(node.right))
            return ("binary", node.op, *sides, node.returns_bool, _matching(node.matching))


def _shift(shift: Shift) -> tuple[Any, ...]:
    at = f"{shift.at}()" if isinstance(shift.at, str) else shift.at
    return (shift.offset_ms or 0, f"{at:.3f}" if isinstance(at, float) else at)


def _matching(matching: Matching | None) -> tuple[Any, ...] | None:
    if matching is None:
        return None
    labels, extra = ([w.text for w in words] for words in (matching.labels, matching.extra))
    return (matching.on, tuple(labels), matching.many, tuple(extra))


def likeness_of_library(expr: Any) -> Likeness:  # noqa: C901 - as above
    """What the library's tree says, in the same words."""
    match expr:
        case library.NumberLiteral():
            return ("number", repr(expr.val))
        case library.StringLiteral():
            return ("text", expr.val)
        case library.VectorSelector():
            return ("selector", _matchers(expr), _library_shift(expr))
        case library.MatrixSelector():
            selector = expr.vector_selector
            length = round(expr.range.total_seconds() * 1000)
            return ("range", _matchers(selector), length, _library_shift(selector))
        case library.SubqueryExpr():
            times = (_ms(expr.range), _ms(expr.step))
            return ("subquery", likeness_of_library(expr.expr), *times, _library_shift(expr))
        case library.Call():
            return ("call", expr.func.name, *map(likeness_of_library, expr.args))
        case library.AggregateExpr():
            by = None
            if expr.modifier is not None:
                without = expr.modifier.type == library.AggModifierType.Without
                by = (without, tuple(expr.modifier.labels))
            param = expr.param and likeness_of_library(expr.param)
            return ("aggregation", str(expr.op), param, likeness_of_library(expr.expr), by)
        case library.UnaryExpr():
            return ("minus", likeness_of_library(expr.expr))
        case library.ParenExpr():
            return likeness_of_library(expr.expr)
        case library.BinaryExpr():
            sides = (likeness_of_library(expr.lhs), likeness_of_library(expr.rhs))
            modifier = expr.modifier
            returns_bool = modifier is not None and modifier.return_bool
            return ("binary", str(expr.op), *sides, returns_bool, _library_matching(modifier))
        case _:
            raise TypeError(expr)


def _ms(time: timedelta | None) -> int | None:
    return round(time.total_seconds() * 1000) if time is not None else None


def _library_matching(modifier: Any) -> tuple[Any, ...] | None:
    if modifier is None or modifier.matching is None:
        return None
    on = modifier.matching.type == library.LabelModifierType.Include
    extra = tuple(modifier.group_labels or ())
    many = _MANY.get(str(modifier.card).rpartition(".")[2], "")
    return (on, tuple(modifier.matching.labels), many, extra)


def _matchers(selector: Any) -> tuple[tuple[str, str, str], ...]:
    signs = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    read = [
        (m.name, signs[str(m.op).rpartition(".")[2]], m.value) for m in selector.matchers.matchers
    ]
    if selector.name and not any(label == "__name__" for label, _, _ in read):
        read.append(("__name__", "=", selector.name))
    return tuple(sorted(read))


def _library_shift(expr: Any) -> tuple[Any, ...]:
    offset = round(expr.offset.total_seconds() * 1000) if expr.offset is not None else 0
    return (offset, str(expr.at).removeprefix("@ ") if expr.at is not None else None)


METRICS = st.sampled_from(
    ["a", "b_total", "c:d:rate5m", "sum", "by", "offset", "x_bucket", "start"]
)
LABELS = st.sampled_from(["job", "le", "by", "on", "sum", "site", "offset"])
VALUES = st.sampled_from(['"x"', "'it\\'s'", "`raw.*`", '""', '"a|b"', '"\\u00e9"'])
DURATIONS = st.sampled_from(["5m", "1h30m", "250ms", "1d"])
LISTS = st.lists(LABELS, max_size=3).map(lambda labels: f"({', '.join(labels)})")
GAPS = st.sampled_from(["", " ", "\n", "  # why\n"])
_SHIFTS = st.sampled_from(["", "", "", " offset 5m", " offset -1h", " @ 5", " @ end()"])


_MATCHERS = st.tuples(LABELS, st.sampled_from(["=", "!=", "=~", "!~"]), VALUES).map("".join)
_BRACES = st.lists(_MATCHERS, max_size=2).map(lambda found: f"{{{', '.join(found)}}}")
_SERIES = st.tuples(METRICS, st.just("") | _BRACES).map("".join)
_SELECTORS = st.tuples(_SERIES, _SHIFTS).map("".join)
_RANGES = st.tuples(_SERIES, DURATIONS, _SHIFTS).map(lambda p: f"{p[0]}[{p[1]}]{p[2]}")
_OVER_RANGE = ("rate", "increase", "max_over_time", "deriv", "changes", "absent_over_time")
_OVER_VECTOR = ("abs", "absent", "sort", "timestamp", "ceil")
_LEAVES = st.one_of(
    _SELECTORS,
    st.tuples(st.sampled_from(_OVER_RANGE), _RANGES).map(lambda p: f"{p[0]}({p[1]})"),
    st.sampled_from(["1", ".5", "1e3", "0x1F", "Inf", "NaN", "017", "time()", "vector(1)"]),
)


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    on = st.tuples(st.sampled_from([" on ", " ignoring "]), LISTS).map("".join)
    joins = st.one_of(
        st.just(""),
        on,
        st.tuples(st.just(" on (job) group_left "), LISTS).map("".join),
        st.just(" ignoring (le) group_right () "),
    )
    bools = st.sampled_from(["", " bool"])
    operators = st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "%", "^", "atan2"]), joins),
        st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), bools, joins),
        st.tuples(st.sampled_from(["and", "or", "unless", "AND"]), st.just("") | on),
    ).map("".join)
    aggregation = st.sampled_from(["sum", "count", "max", "AVG", "group"])
    grouping = st.tuples(st.sampled_from([" by ", " without "]), LISTS).map("".join)
    return st.one_of(
        st.tuples(inner, GAPS, operators, GAPS, inner).map(
            lambda p: f"{p[0]} {p[1]}{p[2]} {p[3]}{p[4]}"
        ),
        st.tuples(st.sampled_from(_OVER_VECTOR), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from("-+"), inner).map("".join),
        st.tuples(aggregation, grouping, inner).map(lambda p: f"{p[0]}{p[1]}({p[2]})"),
        st.tuples(aggregation, inner, grouping).map(lambda p: f"{p[0]}({p[1]}){p[2]}"),
        st.tuples(inner, DURATIONS, st.sampled_from(["", "1m"]), _SHIFTS).map(
            lambda p: f"max_over_time(({p[0]})[{p[1]}:{p[2]}]{p[3]})"
        ),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"topk(3, {text})"),
        inner.map(lambda text: f'label_replace({text}, "a", "$1", "b", "(.*)")'),
        inner.map(lambda text: f"histogram_quantile(0.9, {text})"),
    )


EXPRESSIONS = st.recursive(_LEAVES, _deeper, max_leaves=6)
"""PromQL that any parser takes, types apart."""
