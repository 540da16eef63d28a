"""Which labels two sides of an operator are matched by, and which the result has.

https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.values import ABSENT, Values, meet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.promql.shapes import Shape
    from autogpt_observe.promql.tree import Binary


def compared_labels(node: Binary, left: Shape, right: Shape) -> list[str]:
    """The labels that must be equal on both sides, as far as they are known by name."""
    matching = node.matching
    if matching is not None and matching.on:
        return [label.text for label in matching.labels]
    ignored = {label.text for label in matching.labels} if matching is not None else set()
    return [label for label in {**left.labels, **right.labels} if label not in ignored]


def joined_labels(node: Binary, left: Shape, right: Shape) -> tuple[Mapping[str, Values], Values]:
    """The labels of what an arithmetic operator or a comparison of two vectors gives."""
    matching = node.matching
    many = matching.many if matching is not None else ""
    one, other = (right, left) if many == "right" else (left, right)
    labels = dict(one.labels)
    for label in compared_labels(node, left, right):
        labels[label] = meet(one.label(label), other.label(label)) or one.label(label)
    if matching is None:
        return labels, meet(one.rest, other.rest) or one.rest
    if many:
        return {**labels, **{e.text: other.label(e.text) for e in matching.extra}}, one.rest
    if matching.on:
        return {label.text: labels[label.text] for label in matching.labels}, ABSENT
    return {**labels, **{label.text: ABSENT for label in matching.labels}}, one.rest
