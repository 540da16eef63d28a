"""Checks that the two sides of an operator have series that match, and not too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.effects import SELECTING
from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.joins import compared_labels
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import SET_OPERATORS, Aggregation, Binary, Node, walk
from autogpt_observe.promql.values import ABSENT, ANY, meet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.shapes import Shape
    from autogpt_observe.promql.values import Values


def check_matching(reading: Reading) -> Iterator[Finding]:
    """Check every operator between two vectors, `or` apart, which needs no match."""
    for node in reading.nodes:
        if not isinstance(node, Binary) or node.op == "or" or node.fills:
            continue
        left, right = reading.shape(node.left), reading.shape(node.right)
        if left.kind is right.kind is ValueKind.INSTANT:
            unmatched = _unmatched(node, left, right)
            if unmatched is not None:
                yield _at_operator(node, *unmatched)
            elif node.op not in SET_OPERATORS:
                yield from _check_one_to_one(reading, node)


def _unmatched(node: Binary, left: Shape, right: Shape) -> tuple[str, str] | None:
    """Why no series of one side can match one of the other, and what to do."""
    for label in compared_labels(node, left, right):
        mine, theirs = left.label(label), right.label(label)
        if meet(mine, theirs):
            continue
        if ABSENT in (mine, theirs):
            has, lacks = ("left", "right") if theirs == ABSENT else ("right", "left")
            message = (
                f"no series match: the {has} side has the label `{label}`, the {lacks} has not"
            )
            return message, _lacking(node, label, left, right)
        message = (
            f"no series match: `{label}` is {_listed(mine)} on the left and"
            f" {_listed(theirs)} on the right"
        )
        return message, f"aggregate `{label}` away on both sides, or leave it out by `ignoring`"
    return None


def _lacking(node: Binary, label: str, left: Shape, right: Shape) -> str:
    shared = [
        name
        for name in compared_labels(node, left, right)
        if meet(left.label(name), right.label(name))
        and ABSENT not in (left.label(name), right.label(name))
    ]
    if node.matching is not None and node.matching.on:
        return f"match on labels that both have, not on `{label}`"
    if shared:
        return (
            f"match by what both have: `on ({', '.join(sorted(shared))})`, or aggregate both alike"
        )
    return f"aggregate `{label}` away, or give it to both sides by the same `by`"


def _listed(values: Values) -> str:
    if isinstance(values, frozenset):
        return " or ".join(f"`{value}`" for value in sorted(values)[:3])
    return "set"


def _check_one_to_one(reading: Reading, node: Binary) -> Iterator[Finding]:
    left, right = reading.shape(node.left), reading.shape(node.right)
    many = node.matching.many if node.matching is not None else ""
    compared = set(compared_labels(node, left, right))
    sides = (("left", node.left, left, "right"), ("right", node.right, right, "left"))
    for side, operand, shape, other in sides:
        if side == many or any(_drops_some(reading, below) for below in walk(operand)):
            continue
        label = next((name for name in shape.labels if _several(shape, name, compared)), None)
        if label is not None:
            message = (
                f"several series of the {side} side match one of the {other}: they differ in"
                f" `{label}`"
            )
            fix = f"aggregate the {side} side, or match on `{label}` too"
            yield _at_operator(node, message, fix if many else f"{fix}, or add `group_{side}`")
            return


def _drops_some(reading: Reading, node: Node) -> bool:
    """Whether some series of what is below ``node`` may be missing in what it gives."""
    if isinstance(node, Binary):
        return reading.shape(node.left).kind is reading.shape(node.right).kind
    return isinstance(node, Aggregation) and node.op in SELECTING


def _several(shape: Shape, label: str, compared: set[str]) -> bool:
    """Whether the side is sure to have series that differ in that label alone."""
    values = shape.label(label)
    if label in compared or shape.conditional or len(shape.series) != 1 or values is ANY:
        return False
    (series,) = shape.series
    enumerated = isinstance(values, frozenset) and len(values - {"other"}) > 1
    return enumerated and label in series.attributes


def _at_operator(node: Binary, message: str, fix: str) -> Finding:
    end = node.matching.end if node.matching is not None else node.op_start + len(node.op)
    return Finding(id="promql/matching", message=message, start=node.op_start, end=end, fix=fix)
