"""Checks of what an alert waits for: it must be able to hold, and not to hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autogpt_observe.promql.effects import SELECTING
from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.review.reading import Finding, Purpose
from autogpt_observe.promql.shapes import holds_always
from autogpt_observe.promql.tree import Aggregation, Binary, Number, Selector, bare, canonical
from autogpt_observe.promql.values import EVERYTHING, Interval, narrowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.tree import Node

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_AS_WATCHDOG = "an alert that is to fire always says so with `watchdog: true`"


def check_alert(reading: Reading) -> Iterator[Finding]:
    """Check the whole condition, and every comparison in it."""
    for node in reading.nodes:
        if isinstance(node, Binary):
            yield from _check_possible(reading, node)
        elif isinstance(node, Aggregation):
            yield from _check_kept(reading, node)
    shape = reading.shape(reading.root)
    if shape.kind in (ValueKind.RANGE, ValueKind.STRING):
        return
    if reading.purpose is Purpose.WATCHDOG:
        if not shape.certain:
            message = "a watchdog fires always, and this may find nothing"
            yield _about(reading, "alert/watchdog", message, "write `vector(1)`")
    elif shape.kind is ValueKind.SCALAR:
        message = "the condition is a number, so the alert fires always, even at 0"
        yield _about(reading, "alert/always-fires", message, _AS_WATCHDOG)
    elif shape.certain:
        message = "the condition holds whatever is scraped, so the alert fires always"
        yield _about(reading, "alert/always-fires", message, _AS_WATCHDOG)
    elif not shape.conditional:
        yield from _check_unconditional(reading)


def _check_unconditional(reading: Reading) -> Iterator[Finding]:
    top = bare(reading.root)
    if isinstance(top, Binary) and top.returns_bool:
        message = f"`{top.op} bool` gives 0 or 1 and drops nothing, so the alert fires always"
        yield _about(reading, "alert/always-fires", message, "remove `bool`")
        return
    idle = [n for n in reading.nodes if isinstance(n, Binary) and n.filters]
    for node in idle:
        left, right = reading.shape(node.left), reading.shape(node.right)
        if holds_always(node, left, right):
            bounds = right.bounds if left.kind is ValueKind.SCALAR else left.bounds
            yield Finding(
                id="alert/always-fires",
                message=f"what is compared is {_lies(bounds)} in any case, so the alert fires"
                " whenever there is data",
                start=node.op_start,
                end=node.end,
                fix="compare with a value that it can be on either side of",
            )
            return
    match top:
        case Selector(name=name, matchers=(_, *_)) if name and name.text.endswith("_info"):
            return  # such series say by their labels alone what is the case
    message = "nothing is compared, so the alert fires whenever there is data, whatever it says"
    fix = "add a limit, such as `> 0`"
    yield _about(reading, "alert/no-comparison", message, fix, warning=True)


def _check_kept(reading: Reading, node: Aggregation) -> Iterator[Finding]:
    """``topk`` and the like keep some series."""
    count = bare(node.param) if node.param is not None else None
    if node.op not in SELECTING or not isinstance(count, Number):
        return
    nothing = not count.value if node.op == "limit_ratio" else not count.value >= 1
    if nothing:
        yield Finding(
            id="alert/never-fires",
            message=f"`{node.op}` of {reading.written(count)} keeps nothing, so it never holds",
            start=count.start,
            end=count.end,
            fix="write how many series to keep",
        )


def _check_possible(reading: Reading, node: Binary) -> Iterator[Finding]:
    if node.op == "and":
        yield from _check_both(node)
        return
    impossible = _with_itself(node) or _with_nan(node)
    if impossible is not None:
        message, fix = impossible
        start, end = node.op_start, node.end
        yield Finding(id="alert/never-fires", message=message, start=start, end=end, fix=fix)
        return
    left, right = reading.shape(node.left), reading.shape(node.right)
    if not node.filters or left.kind is right.kind is ValueKind.SCALAR:
        return
    flipped = left.kind is ValueKind.SCALAR
    value, limit = (right, left) if flipped else (left, right)
    op = _FLIPPED.get(node.op, node.op) if flipped else node.op
    if not narrowed(value.bounds, op, limit.bounds).is_empty:
        return
    judged = node.right if flipped else node.left
    start = node.start if flipped else node.op_start
    end = node.op_start + len(node.op) if flipped else node.end
    written = " ".join(reading.text[start:end].split())
    yield Finding(
        id="alert/never-fires",
        message=f"`{reading.written(judged)}` is {_lies(value.bounds)}, so `{written}` never holds",
        start=start,
        end=end,
        fix="choose a limit that it can pass",
    )


def _with_itself(node: Binary) -> tuple[str, str] | None:
    """Why a value that is compared with itself, or taken away from itself, leaves nothing."""
    if node.op == "unless" and canonical(_source(node.left)) == canonical(node.right):
        return (
            "what is left has the labels of what is taken away, so nothing is left of it",
            "name other series, or compare one side",
        )
    if node.filters and node.op in ("<", ">") and canonical(node.left) == canonical(node.right):
        return f"no value is `{node.op}` itself, so it never holds", "compare with something else"
    return None


def _source(node: Node) -> Node:
    """What ``node`` holds some series of, with the labels that they have there."""
    match bare(node):
        case Binary(op="and" | "unless", left=left):
            return _source(left)
        case Binary(filters=True, left=left, right=right) if isinstance(bare(right), Number):
            return _source(left)
        case found:
            return found


def _with_nan(node: Binary) -> tuple[str, str] | None:
    limits = [side for side in map(bare, (node.left, node.right)) if isinstance(side, Number)]
    if not node.filters or node.op == "!=" or not any(math.isnan(n.value) for n in limits):
        return None
    return "nothing compares with NaN, so it never holds", "`x != x` finds what is NaN"


def _check_both(node: Binary) -> Iterator[Finding]:
    left, right = _limits(node.left), _limits(node.right)
    for key, bounds in right.items():
        other = left.get(key)
        if other is None:
            continue
        if Interval(max(bounds.low, other.low), min(bounds.high, other.high)).is_empty:
            yield Finding(
                id="alert/never-fires",
                message="the two sides of `and` set limits to the same value that exclude each"
                " other",
                start=node.op_start,
                end=node.right.end,
                fix="write `or`, or mend one of the limits",
            )


def _limits(node: Node) -> Mapping[str, Interval]:
    """What a condition demands of an expression's value, by the expression."""
    node = bare(node)
    if not isinstance(node, Binary):
        return {}
    if node.op == "and":
        found = dict(_limits(node.left))
        for key, (low, high) in _limits(node.right).items():
            known = found.get(key, EVERYTHING)
            found[key] = Interval(max(known.low, low), min(known.high, high))
        return found
    if node.op == "unless":
        return _limits(node.left)
    limit = getattr(bare(node.right), "value", None)
    if not node.filters or not isinstance(limit, float):
        return {}
    return {canonical(node.left): narrowed(EVERYTHING, node.op, Interval(limit, limit))}


def _lies(bounds: Interval) -> str:
    low, high = bounds
    if low == high:
        return f"always {low:.6g}"
    if math.isinf(low):
        return f"at most {high:.6g}"
    if math.isinf(high):
        return f"at least {low:.6g}"
    return f"between {low:.6g} and {high:.6g}"


def _about(reading: Reading, id_: str, message: str, fix: str, *, warning: bool = False) -> Finding:
    return Finding(
        id=id_,
        message=message,
        start=reading.root.start,
        end=reading.root.end,
        fix=fix,
        warning=warning,
    )
