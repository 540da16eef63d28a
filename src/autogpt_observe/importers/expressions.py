"""What a PromQL expression reads: series, how, and which of their labels it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.promql import Kind, parse_error, quote_string, scan
from autogpt_observe.promql.references import unquote_string

if TYPE_CHECKING:
    from collections.abc import Iterator

    import promql_parser

NAME_LABEL = "__name__"
_MADE_LABEL = ("label_replace", "label_join")


class UnreadableError(ObserveError):
    """An expression that is no PromQL."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: ``op`` is ``=``, ``!=``, ``=~`` or ``!~``."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Read:
    """One place where an expression reads series of one name.

    Attributes:
        name: the series' name; empty where only a pattern is given.
        matchers: the conditions in the braces.
        functions: the functions around it, the innermost first.
        labels: labels that groupings and matchings around it name.
        ranged: whether samples of a range are read.
    """

    name: str
    matchers: tuple[Matcher, ...]
    functions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class _Around:
    functions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def parse_expression(text: str) -> promql_parser.Expr:
    """The syntax tree of ``text``; raises UnreadableError where it is no PromQL."""
    import promql_parser  # noqa: PLC0415 - a compiled library that most commands never need

    error = parse_error(text)
    if error is not None:
        raise UnreadableError(str(error))
    # The library leaves some escapes of strings as they are: it gets them in the plainest form.
    tokens = (
        "double_exponential_smoothing"
        if t.text == "holt_winters"
        else quote_string(unquote_string(t.text))
        if t.kind is Kind.STRING
        else t.text
        for t in scan(text)
    )
    parsed: promql_parser.Expr = promql_parser.parse("".join(tokens))
    return parsed


def reads(text: str) -> tuple[Read, ...]:
    """Every place where ``text`` reads series; nothing for what is no PromQL."""
    try:
        return tuple(_walk(parse_expression(text)))
    except UnreadableError:
        return ()


def selected(selector: promql_parser.VectorSelector) -> Read:
    """The name and matchers of a selector."""
    matchers = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in selector.matchers.matchers]
    named = next((m.value for m in matchers if m.label == NAME_LABEL and m.op == "="), "")
    kept = tuple(m for m in matchers if m.label != NAME_LABEL)
    return Read(selector.name or named, kept)


_OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def _walk(root: promql_parser.Expr) -> Iterator[Read]:
    # a stack of our own: an expression may be nested deeper than Python recurses
    waiting: list[tuple[promql_parser.Expr, _Around]] = [(root, _Around())]
    while waiting:
        node, around = waiting.pop()
        found, below = _step(node, around)
        if found is not None:
            yield found
        waiting += reversed(below)


_Below = list[tuple["promql_parser.Expr", _Around]]


def _step(node: promql_parser.Expr, around: _Around) -> tuple[Read | None, _Below]:
    import promql_parser as p  # noqa: PLC0415 - as above

    match node:
        case p.VectorSelector():
            return _found(node, around, ranged=False), []
        case p.MatrixSelector():
            return _found(node.vector_selector, around, ranged=True), []
        case p.Call():
            return None, _arguments(node, around)
        case p.AggregateExpr():
            labels = tuple(node.modifier.labels) if node.modifier is not None else ()
            inner = _Around(around.functions, (*around.labels, *labels))
            return None, [(node.expr, inner)]
        case p.BinaryExpr():
            return None, _sides(node, around)
        case p.ParenExpr() | p.UnaryExpr() | p.SubqueryExpr():
            return None, [(node.expr, around)]
        case _:
            return None, []  # literals


def _found(selector: promql_parser.VectorSelector, around: _Around, *, ranged: bool) -> Read:
    read = selected(selector)
    return Read(read.name, read.matchers, around.functions, around.labels, ranged)


def _arguments(call: promql_parser.Call, around: _Around) -> _Below:
    import promql_parser as p  # noqa: PLC0415 - as above

    labels = around.labels
    name = call.func.name
    if name in _MADE_LABEL and len(call.args) > 1 and isinstance(call.args[1], p.StringLiteral):
        made = call.args[1].val
        labels = tuple(label for label in labels if label != made)
    inner = _Around((name, *around.functions), labels)
    return [(argument, inner) for argument in call.args]


def _sides(node: promql_parser.BinaryExpr, around: _Around) -> _Below:
    import promql_parser as p  # noqa: PLC0415 - as above

    modifier = node.modifier
    if modifier is None:
        return [(node.lhs, around), (node.rhs, around)]
    matched = tuple(modifier.matching.labels) if modifier.matching is not None else ()
    joined = tuple(modifier.group_labels or ())
    both = _Around(around.functions, (*around.labels, *matched))
    one = _Around(around.functions, (*both.labels, *joined))
    match modifier.card:
        case p.VectorMatchCardinality.ManyToOne:
            return [(node.lhs, both), (node.rhs, one)]
        case p.VectorMatchCardinality.OneToMany:
            return [(node.lhs, one), (node.rhs, both)]
        case _:
            return [(node.lhs, both), (node.rhs, both)]
