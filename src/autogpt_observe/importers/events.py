"""Queries of an indicator, read as what they count.

A service level objective of a spec selects samples of counters, or of one histogram; it can't
hold a query. The queries people write for Sloth and OpenSLO are nearly always a sum of rates, so
they are taken apart again. Where the labels are chosen in a way that a selection can't say (`!=`,
a pattern), a recording rule copies just these series, and the objective reads the copy: the copy
of a counter is a counter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autogpt_observe.importers.expressions import Matcher, Read, parse_expression, selected
from autogpt_observe.importers.naming import snake
from autogpt_observe.importers.statuses import status_codes
from autogpt_observe.names import BUCKET_BOUND, HISTOGRAM_SUFFIXES, LabelName, MetricName
from autogpt_observe.promql import quote_string
from autogpt_observe.promql.buckets import format_bound
from autogpt_observe.spec.model import BucketBound, Events, Latency, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    import promql_parser

_WINDOW = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_STAND_IN = "17m"  # for the window; that it is no usual one shows when it is mixed with another
_RATES = ("rate", "increase")
_LITERAL = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[\\.+*?()|\[\]{}^$-])+")
_INFINITE = ("+Inf", "Inf")


class InexpressibleError(ValueError):
    """A query that can't be said as a selection; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What an objective judges.

    Attributes:
        events: bad events among all events, or None.
        latency: observations of a histogram, or None.
        by: the labels that the queries keep.
        copies: the expressions of recording rules that the selections read, by name.
        notes: what it says in another way than the queries.
    """

    events: Events | None = None
    latency: Latency | None = None
    by: tuple[LabelName, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counted:
    """``sum by (by) (rate(metric{matchers}[window]))``."""

    read: Read
    by: tuple[str, ...]

    @property
    def key(self) -> tuple[str, frozenset[Matcher]]:
        return self.read.name, frozenset(self.read.matchers)


def indicate(
    name: str, *, total: str, bad: str | None = None, good: str | None = None
) -> Indicator:
    """The indicator of queries for bad or for good events, and for all; one of the two is given.

    Raises InexpressibleError, or UnreadableError for what is no PromQL.
    """
    whole = _counted(_parse(total), "the query for all events")
    if bad is not None:
        tree = _plain(_parse(bad))
        remaining = _difference(tree, whole)
        if remaining is not None:
            return _all_but(name, remaining, whole)
        return _events(name, _counted(tree, "the query for bad events"), whole)
    tree = _parse(good or "")
    return _all_but(name, _counted(tree, "the query for good events"), whole)


def indicate_ratio(name: str, query: str, *, failure: bool) -> Indicator:
    """The indicator of one query for a share: of bad events, or of good ones."""
    import promql_parser as p  # noqa: PLC0415 - a compiled library that most commands never need

    tree = _plain(_parse(query))
    if (
        isinstance(tree, p.BinaryExpr)
        and str(tree.op) == "-"
        and isinstance(tree.lhs, p.NumberLiteral)
        and tree.lhs.val == 1
    ):
        tree, failure = _plain(tree.rhs), not failure
    if not isinstance(tree, p.BinaryExpr) or str(tree.op) != "/":
        raise InexpressibleError("it is no share of one sum of rates in another")
    whole = _counted(tree.rhs, "what it divides by")
    part = _plain(tree.lhs)
    if not failure:
        return _all_but(name, _counted(part, "the share's part"), whole)
    remaining = _difference(part, whole)
    if remaining is not None:
        return _all_but(name, remaining, whole)
    return _events(name, _counted(part, "the share's part"), whole)


# --- reading queries -------------------------------------------------------------------------


def _parse(query: str) -> promql_parser.Expr:
    return parse_expression(_WINDOW.sub(_STAND_IN, query))


def _plain(node: promql_parser.Expr) -> promql_parser.Expr:
    """The expression without parentheses and without the zero for no data, which we add anyway."""
    import promql_parser as p  # noqa: PLC0415 - as above

    while True:
        if isinstance(node, p.ParenExpr):
            node = node.expr
        elif isinstance(node, p.BinaryExpr) and str(node.op) == "or" and _is_zero(node.rhs):
            node = node.lhs
        else:
            return node


def _is_zero(node: promql_parser.Expr) -> bool:
    import promql_parser as p  # noqa: PLC0415 - as above

    while isinstance(node, p.ParenExpr):
        node = node.expr
    if not isinstance(node, p.Call) or node.func.name != "vector":
        return False
    value = node.args[0]
    return isinstance(value, p.NumberLiteral) and value.val == 0


def _difference(node: promql_parser.Expr, whole: _Counted) -> _Counted | None:
    """What is left out, if the expression is all events without some."""
    import promql_parser as p  # noqa: PLC0415 - as above

    if not isinstance(node, p.BinaryExpr) or str(node.op) != "-":
        return None
    first = _counted(node.lhs, "what the query subtracts from")
    if first.key != whole.key:
        raise InexpressibleError("it subtracts from something else than all events")
    return _counted(node.rhs, "what the query subtracts")


def _counted(node: promql_parser.Expr, what: str) -> _Counted:
    import promql_parser as p  # noqa: PLC0415 - as above

    node = _plain(node)
    by: tuple[str, ...] = ()
    if isinstance(node, p.AggregateExpr):
        if str(node.op) != "sum":
            raise InexpressibleError(f"{what} is no sum but `{node.op}`")
        if node.modifier is not None:
            if node.modifier.type is not p.AggModifierType.By:
                raise InexpressibleError(f"{what} sums `without` labels; write `by`")
            by = tuple(node.modifier.labels)
        node = _plain(node.expr)
    return _Counted(_rated(node, what), by)


def _rated(node: promql_parser.Expr, what: str) -> Read:
    import promql_parser as p  # noqa: PLC0415 - as above

    if isinstance(node, p.Call) and node.func.name in _RATES:
        node = _plain(node.args[0])
        if isinstance(node, p.MatrixSelector):
            node = node.vector_selector
    if not isinstance(node, p.VectorSelector):
        raise InexpressibleError(f"{what} is no sum of the rates of one counter")
    if node.offset is not None or node.at is not None:
        raise InexpressibleError(f"{what} looks at another time")
    read = selected(node)
    if not read.name:
        raise InexpressibleError(f"{what} names no metric")
    return read


# --- building the indicator ------------------------------------------------------------------


def _by(part: _Counted, whole: _Counted) -> tuple[LabelName, ...]:
    if set(part.by) != set(whole.by):
        raise InexpressibleError("the two queries keep different labels")
    return tuple(_label(label) for label in whole.by)


def _label(name: str) -> LabelName:
    try:
        return LabelName.parse(name)
    except ValueError:
        raise InexpressibleError(f"`{name}` is a label of Prometheus' own") from None


def _events(name: str, bad: _Counted, whole: _Counted) -> Indicator:
    by = _by(bad, whole)
    chosen, total = _select(name, "bad", bad.read), _select(name, "total", whole.read)
    return Indicator(
        events=Events(bad=chosen.selection, total=total.selection),
        by=by,
        copies={**chosen.copies, **total.copies},
        notes=(*chosen.notes, *total.notes),
    )


def _all_but(name: str, good: _Counted, whole: _Counted) -> Indicator:
    """The indicator of all events but the good ones."""
    bound = _bound(good, whole)
    if bound is not None:
        return _latency(name, bound, good, whole)
    if good.read.name != whole.read.name:
        message = f"good events of `{good.read.name}` can't be told apart in `{whole.read.name}`"
        raise InexpressibleError(message)
    more = [matcher for matcher in good.read.matchers if matcher not in whole.read.matchers]
    if len(more) == 1 and len(good.read.matchers) == len(whole.read.matchers) + 1:
        opposite = Matcher(more[0].label, _OPPOSITE[more[0].op], more[0].value)
        bad = Read(whole.read.name, (*whole.read.matchers, opposite))
        return _events(name, _Counted(bad, good.by), whole)
    by = _by(good, whole)
    total = _select(name, "total", whole.read)
    copy = _copy(name, "bad")
    return Indicator(
        events=Events(bad=Selection(metric=copy), total=total.selection),
        by=by,
        copies={copy: f"{_series(whole.read)} unless {_series(good.read)}", **total.copies},
        notes=total.notes,
    )


_OPPOSITE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True, slots=True)
class _Selected:
    selection: Selection
    copies: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _select(name: str, role: str, read: Read) -> _Selected:
    """What selects the series, and the copy that it selects from, if it takes one."""
    if read.name.endswith("_bucket"):
        raise InexpressibleError("it counts buckets, and not as good ones among all")
    where = _where(read.matchers)
    if where is not None:
        return _Selected(Selection(metric=_metric(read.name), where=where))
    listed = tuple(status_codes(matcher) or matcher for matcher in read.matchers)
    where = _where(listed)
    if where is not None:
        notes = [
            f"`{old.label}{old.op}{quote_string(old.value)}` becomes the list of the registered"
            f" HTTP status codes that it selects"
            for old, new in zip(read.matchers, listed, strict=True)
            if old != new
        ]
        return _Selected(Selection(metric=_metric(read.name), where=where), notes=tuple(notes))
    copy = _copy(name, role)
    return _Selected(Selection(metric=copy), {copy: _series(read)})


def _copy(name: str, role: str) -> MetricName:
    return MetricName.parse(f"slo_{snake(name)}_{role}_total")


def _bound(good: _Counted, whole: _Counted) -> BucketBound | None:
    """The longest good time, if the good events are buckets of the histogram of all events."""
    name, rest = good.read.name, frozenset(good.read.matchers)
    bounds = [m for m in good.read.matchers if m.label == BUCKET_BOUND and m.op == "="]
    if not name.endswith("_bucket") or len(bounds) != 1:
        return None
    base, others = name.removesuffix("_bucket"), rest - {*bounds}
    infinite = {Matcher(BUCKET_BOUND, "=", word) for word in _INFINITE}
    of_whole = frozenset(whole.read.matchers)
    by_count = whole.read.name == f"{base}_count" and of_whole == others
    by_bucket = whole.read.name == name and of_whole & infinite and of_whole - infinite == others
    if not by_count and not by_bucket:
        return None
    written = bounds[0].value
    try:
        bound = BucketBound.parse(written)
    except ValueError:
        raise InexpressibleError(f"`{written}` is no bound above zero") from None
    if format_bound(bound.value).removesuffix(".0") != written.removesuffix(".0"):
        raise InexpressibleError(f"no client writes the bound `{written}` so")
    return bound


def _latency(name: str, bound: BucketBound, good: _Counted, whole: _Counted) -> Indicator:
    by = _by(good, whole)
    base = good.read.name.removesuffix("_bucket")
    matchers = tuple(m for m in good.read.matchers if m.label != BUCKET_BOUND)
    where = _where(matchers)
    if where is not None:
        return Indicator(latency=Latency(metric=_metric(base), where=where, within=bound), by=by)
    copy = f"slo_{snake(name)}"
    copies = {
        f"{copy}{suffix}": _series(Read(f"{base}{suffix}", matchers))
        for suffix in HISTOGRAM_SUFFIXES
    }
    latency = Latency(metric=MetricName.parse(copy), within=bound)
    return Indicator(latency=latency, by=by, copies=copies)


def _metric(name: str) -> MetricName:
    try:
        return MetricName.parse(name)
    except ValueError:
        message = f"`{name}` is a recorded series, and an objective reads counters"
        raise InexpressibleError(message) from None


def _where(matchers: tuple[Matcher, ...]) -> dict[LabelName, tuple[str, ...]] | None:
    """The values of each label; None where they can't be listed."""
    where: dict[LabelName, tuple[str, ...]] = {}
    for matcher in matchers:
        values = _values(matcher)
        if values is None or matcher.label in where:
            return None
        where[_label(matcher.label)] = values
    return where


def _values(matcher: Matcher) -> tuple[str, ...] | None:
    if matcher.op == "=":
        return (matcher.value,) if matcher.value else None  # an empty one means: without the label
    if matcher.op != "=~":
        return None
    pattern = matcher.value
    if re.fullmatch(r"\([^()]*\)", pattern):
        pattern = pattern[1:-1].removeprefix("?:")
    words = re.split(r"(?<!\\)\|", pattern)
    if not all(_LITERAL.fullmatch(word) for word in words):
        return None
    return tuple(re.sub(r"\\(.)", r"\1", word) for word in dict.fromkeys(words))


def _series(read: Read) -> str:
    matchers = ", ".join(f"{m.label}{m.op}{quote_string(m.value)}" for m in read.matchers)
    return f"{read.name}{{{matchers}}}" if matchers else read.name
