"""Checks of the type of an expression, and of units that are added or compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import COMPARISONS, Binary, Number, bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.shapes import Shape
    from autogpt_observe.promql.tree import Node

_SAME_UNIT = COMPARISONS | {"+", "-", "%"}
_PERCENT = 2
"""From here on a limit of a ratio is taken for a percentage; an overload may well be above 1."""


def check_type(reading: Reading) -> Iterator[Finding]:
    """A rule or a panel can only take a vector or a number."""
    kind = reading.shape(reading.root).kind
    if kind is ValueKind.RANGE:
        fix = "put it into a function such as `rate` or `max_over_time`"
    elif kind is ValueKind.STRING:
        fix = "remove the quotes around the expression"
    else:
        return
    yield Finding(
        id="promql/type",
        message=f"the expression is a {kind}, which can't be evaluated to samples",
        start=reading.root.start,
        end=reading.root.end,
        fix=fix,
    )


def check_units(reading: Reading) -> Iterator[Finding]:
    """Seconds are not compared with bytes, nor a ratio with a percentage."""
    for node in reading.nodes:
        if isinstance(node, Binary) and node.op in _SAME_UNIT:
            left, right = reading.shape(node.left), reading.shape(node.right)
            if _differ(left, right):
                yield Finding(
                    id="promql/units",
                    message=f"`{node.op}` joins {left.unit} with {right.unit}",
                    start=node.op_start,
                    end=node.op_start + len(node.op),
                    fix="convert one side, or mend the `unit` of the metric",
                    warning=True,
                )
            elif node.op in COMPARISONS:
                yield from _check_percent(left, node.right)
                yield from _check_percent(right, node.left)


def _differ(left: Shape, right: Shape) -> bool:
    if left.constant or right.constant or left.unit is None or right.unit is None:
        return False
    return left.unit != right.unit


def _check_percent(shape: Shape, limit: Node) -> Iterator[Finding]:
    value = _constant(limit)
    if not shape.share or value is None or value < _PERCENT:
        return
    name = next((series.name for series in shape.series), "it")
    yield Finding(
        id="promql/units",
        message=f"`{name}` is a ratio, so it is hardly ever near {value:g}",
        start=limit.start,
        end=limit.end,
        fix=f"write `{value / 100:g}` for {value:g} %",
        warning=True,
    )


def _constant(node: Node) -> float | None:
    node = bare(node)
    return node.value if isinstance(node, Number) else None
