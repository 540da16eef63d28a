"""Alerts that fire where there is no data: the bundle's tests must expect that of them.

The expression is worked out on an empty database, which takes no more than its constants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.importers.expressions import UnreadableError, parse_expression, selected
from autogpt_observe.importers.texts import is_template
from autogpt_observe.names import LabelName, Name
from autogpt_observe.promql import metric_names
from autogpt_observe.spec.model import Expectation, Firing, RuleTest
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import promql_parser

    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.importers.sources import AlertRule
    from autogpt_observe.spec.model import Alert

_NO_DATA = Name("no_data")
_ABSENT = ("absent", "absent_over_time")
_SCALARS = ("time", "pi", "scalar")
_OF_ONE = ("sum", "min", "max", "avg")
_SIMPLE = re.compile(r"\{\{\s*\$(?:labels\.\w+|value)\s*\}\}", re.ASCII)
_CLOCK = Duration.parse("1m")
_DEEPEST = 50

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


class _UnsureError(Exception):
    """What the expression gives can't be told."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """One sample; the labels in order, as pairs."""

    labels: tuple[tuple[str, str], ...]
    value: float


_Scalar = float | None  # None for one that depends on the clock
_Result = tuple[_Sample, ...]


def no_data_test(alert: Alert, rule: AlertRule, ledger: Ledger) -> Mapping[Name, RuleTest]:
    """The test that sees the alert fire on nothing, if it does; none for other alerts.

    One that may or may not is told.
    """
    result = _known(rule.expr.text)
    if result == () or _NO_DATA in alert.tests:
        return {}
    texts = [*alert.annotations.values(), *alert.labels.values()]
    if result is None or any(is_template(_SIMPLE.sub("", text)) for text in texts):
        message = f"`{rule.name.text}` may fire without any data, which the tests take for wrong"
        fix = f"if `autogpt-observe test` says so, give it a test named `{_NO_DATA}`"
        ledger.guessed(message, rule.name.at, fix=fix)
        return {}
    firing = tuple(
        Firing(value=f"{sample.value:g}", labels={LabelName(k): v for k, v in sample.labels})
        for sample in result
    )
    test = RuleTest(
        interval=_CLOCK,
        evaluation_interval=_CLOCK,
        series={},
        at={Duration(rule.for_.ms + _CLOCK.ms): Expectation(fires=firing)},
    )
    return {_NO_DATA: test}


def fires_always(text: str) -> bool:
    """Whether the expression reads nothing and gives samples all the same."""
    return bool(_known(text)) and not metric_names(text)


def _known(text: str) -> _Result | None:
    """The samples on an empty database; None where they can't be told."""
    try:
        return _vector(parse_expression(text), 0)
    except UnreadableError:
        return ()  # it will not be carried over
    except _UnsureError:
        return None


def _vector(node: promql_parser.Expr, depth: int) -> _Result:
    """The samples of an expression whose type is a vector."""
    import promql_parser as p  # noqa: PLC0415 - a compiled library that most commands never need

    if depth > _DEEPEST:
        raise _UnsureError
    match node:
        case p.VectorSelector() | p.MatrixSelector():
            return ()
        case p.ParenExpr() | p.SubqueryExpr():
            return _vector(node.expr, depth + 1)
        case p.UnaryExpr():
            inner = _vector(node.expr, depth + 1)
            return tuple(_Sample(one.labels, -one.value) for one in inner)
        case p.AggregateExpr():
            return _aggregated(node, depth)
        case p.Call():
            return _called(node, depth)
        case p.BinaryExpr():
            return _combined(node, depth)
        case _:
            raise _UnsureError


def _aggregated(node: promql_parser.AggregateExpr, depth: int) -> _Result:
    inner = _vector(node.expr, depth + 1)
    if not inner:
        return ()
    operator = str(node.op)
    if len(inner) > 1 or node.modifier is not None or operator not in (*_OF_ONE, "count"):
        raise _UnsureError
    return (_Sample((), 1.0 if operator == "count" else inner[0].value),)


def _called(node: promql_parser.Call, depth: int) -> _Result:
    import promql_parser as p  # noqa: PLC0415 - as above

    name, arguments = node.func.name, list(node.args)
    if name == "vector":
        value = _scalar(arguments[0], depth + 1)
        if value is None:
            raise _UnsureError
        return (_Sample((), value),)
    vectors = [one for one in arguments if not _is_scalar(one)]
    inner = [one for argument in vectors for one in _vector(argument, depth + 1)]
    if name in _ABSENT and vectors:
        if inner:
            return ()
        bare = (
            vectors[0].vector_selector if isinstance(vectors[0], p.MatrixSelector) else vectors[0]
        )
        if isinstance(bare, p.ParenExpr):
            raise _UnsureError
        return (_Sample(_absent_labels(bare), 1.0),)
    if inner or not vectors:
        raise _UnsureError
    return ()


def _absent_labels(node: promql_parser.Expr) -> tuple[tuple[str, str], ...]:
    """The labels that `absent` makes of its argument: those that it was sure to have."""
    import promql_parser as p  # noqa: PLC0415 - as above

    if not isinstance(node, p.VectorSelector):
        return ()
    matchers = selected(node).matchers
    names = [matcher.label for matcher in matchers]
    return tuple(
        (m.label, m.value)
        for m in matchers
        if m.op == "=" and m.value and names.count(m.label) == 1
    )


def _combined(node: promql_parser.BinaryExpr, depth: int) -> _Result:
    operator = str(node.op)
    if _is_scalar(node.rhs) and not _is_scalar(node.lhs):
        inner = _vector(node.lhs, depth + 1)
        return _against(node, operator, inner, _scalar(node.rhs, depth + 1)) if inner else ()
    if _is_scalar(node.lhs):
        if _is_scalar(node.rhs) or _vector(node.rhs, depth + 1):
            raise _UnsureError
        return ()
    left, right = _vector(node.lhs, depth + 1), _vector(node.rhs, depth + 1)
    if operator == "or" and not (left and right):
        return left or right
    if operator == "unless" and not (left and right):
        return left
    if left and right:
        raise _UnsureError
    return ()


def _against(
    node: promql_parser.BinaryExpr, operator: str, inner: _Result, limit: _Scalar
) -> _Result:
    bool_ = node.modifier is not None and node.modifier.return_bool
    if limit is None or bool_:
        raise _UnsureError
    if operator in _COMPARISONS:
        return tuple(one for one in inner if _COMPARISONS[operator](one.value, limit))
    if operator in _ARITHMETIC:
        compute = _ARITHMETIC[operator]
        return tuple(_Sample(one.labels, compute(one.value, limit)) for one in inner)
    raise _UnsureError


def _is_scalar(node: promql_parser.Expr) -> bool:
    import promql_parser as p  # noqa: PLC0415 - as above

    waiting = [node]
    while waiting:
        one = waiting.pop()
        match one:
            case p.NumberLiteral() | p.StringLiteral():
                pass
            case p.ParenExpr() | p.UnaryExpr():
                waiting.append(one.expr)
            case p.BinaryExpr():
                waiting += [one.lhs, one.rhs]
            case p.Call():
                if one.func.name not in _SCALARS:
                    return False
            case _:
                return False
    return True


def _scalar(node: promql_parser.Expr, depth: int) -> _Scalar:
    """The number, or None for one that depends on the clock."""
    import promql_parser as p  # noqa: PLC0415 - as above

    if depth > _DEEPEST:
        raise _UnsureError
    match node:
        case p.NumberLiteral():
            return node.val
        case p.ParenExpr():
            return _scalar(node.expr, depth + 1)
        case p.BinaryExpr() if str(node.op) in _ARITHMETIC:
            left, right = _scalar(node.lhs, depth + 1), _scalar(node.rhs, depth + 1)
            if left is None or right is None:
                return None
            return _ARITHMETIC[str(node.op)](left, right)
        case _:
            return None
