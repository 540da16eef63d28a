"""Checks of quantiles: they are made of buckets, by `le`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.catalogue import SeriesKind
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import Aggregation, Call, Number, bare, walk
from autogpt_observe.promql.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.tree import Node

_FIT = (SeriesKind.BUCKET, SeriesKind.NATIVE, SeriesKind.UNKNOWN)
_BOUND = "le"


def check_histograms(reading: Reading) -> Iterator[Finding]:
    """Check every ``histogram_quantile`` and the share that every quantile asks for."""
    for node in reading.nodes:
        match node:
            case Call(function="histogram_quantile", arguments=(share, buckets)):
                yield from _check_share(share)
                yield from _check_buckets(reading, buckets)
            case Call(function="quantile_over_time", arguments=(share, _)):
                yield from _check_share(share)
            case Aggregation(op="quantile", param=share) if share is not None:
                yield from _check_share(share)
            case _:
                pass


def _check_share(share: Node) -> Iterator[Finding]:
    number = bare(share)
    if not isinstance(number, Number) or 0 <= number.value <= 1:
        return
    percent = 2 <= number.value <= 100  # noqa: PLR2004 - per cent
    yield Finding(
        id="promql/histogram",
        message=f"there is no quantile {number.value:g}: it gives infinity",
        start=share.start,
        end=share.end,
        fix=f"write `{number.value / 100:g}`" if percent else "write a number from 0 to 1",
    )


def _check_buckets(reading: Reading, buckets: Node) -> Iterator[Finding]:
    shape = reading.shape(buckets)
    misfit = next((series for series in shape.series if series.kind not in _FIT), None)
    if misfit is not None:
        stem = misfit.name.removesuffix("_sum").removesuffix("_count")
        exists = reading.catalogue.find(f"{stem}_bucket")
        yield Finding(
            id="promql/histogram",
            message=f"`{misfit.name}` has no buckets, so there is nothing to take a quantile of",
            start=buckets.start,
            end=buckets.end,
            fix=f"read `{stem}_bucket`"
            if exists is not None
            else "read the buckets of a histogram",
        )
        return
    classic = any(series.kind is SeriesKind.BUCKET for series in shape.series)
    if not classic or shape.label(_BOUND) != ABSENT:
        return
    start, end, fix = buckets.start, buckets.end, "keep `le`"
    for node in walk(buckets):
        if isinstance(node, Aggregation) and reading.shape(node.inner).label(_BOUND) != ABSENT:
            start, end, fix = _lost_at(node)
    yield Finding(
        id="promql/histogram",
        message="`le` is aggregated away, and without it there are no buckets",
        start=start,
        end=end,
        fix=fix,
    )


def _lost_at(node: Aggregation) -> tuple[int, int, str]:
    name_end = node.start + len(node.op)
    if node.grouping is None:
        return node.start, name_end, f"write `{node.op} by (le) (...)`"
    labels = [label.text for label in node.grouping.labels]
    if node.grouping.without:
        rest = ", ".join(label for label in labels if label != _BOUND)
        return node.grouping.start, node.grouping.end, f"write `without ({rest})`"
    written = f"write `by ({', '.join([*labels, _BOUND])})`"
    return node.grouping.start, node.grouping.end, written
