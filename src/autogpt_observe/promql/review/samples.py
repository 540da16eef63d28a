"""Checks of how samples are read: which functions fit a series, and over what range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql import effects
from autogpt_observe.promql.catalogue import SeriesKind
from autogpt_observe.promql.functions import NEED_TWO_SAMPLES, ONLY_COUNTERS, ONLY_GAUGES
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import (
    COMPARISONS,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Group,
    Number,
    Range,
    Selector,
    Subquery,
    bare,
    walk,
)
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.catalogue import Series
    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.tree import Node

_COUNTS = (SeriesKind.COUNTER, SeriesKind.BUCKET)
_COMPARE_SAMPLES = NEED_TWO_SAMPLES | {"changes", "resets"}
_KNOWS_RESTARTS = {
    "deriv": "use `rate`, which knows of restarts",
    "predict_linear": "use `rate`, which knows of restarts, times the seconds ahead",
}
_EXTREMES = frozenset({"max", "min"})
_PRESENCE = frozenset({"count", "group"})


def check_samples(reading: Reading) -> Iterator[Finding]:
    """Each function is given the kind of series it is for, and a range with enough samples."""
    for node in reading.nodes:
        if not isinstance(node, Call):
            continue
        samples = next(
            (a for a in map(bare, node.arguments) if isinstance(a, Range | Subquery)), None
        )
        if samples is None:
            continue
        series = _series_of(reading, samples)
        if series is not None:
            yield from _check_kind(node, series)
        if node.function in _COMPARE_SAMPLES:
            yield from _check_length(reading, node, samples, series)


def _series_of(reading: Reading, samples: Range | Subquery) -> Series | None:
    inner = bare(samples.inner)
    if not isinstance(inner, Selector) or inner.name is None:
        return None
    return reading.catalogue.find(inner.name.text)


def _check_kind(node: Call, series: Series) -> Iterator[Finding]:
    name, end = node.function, node.start + len(node.function)
    if name in ONLY_COUNTERS and series.kind is SeriesKind.GAUGE:
        instead = "deriv" if name == "rate" else "delta"
        yield Finding(
            id="promql/rate",
            message=f"`{name}` takes every fall of the gauge `{series.name}` for a restart",
            start=node.start,
            end=end,
            fix=f"use `{instead}`, or declare the metric a counter if it is one",
        )
    elif name in ONLY_GAUGES and series.kind in _COUNTS:
        yield Finding(
            id="promql/delta",
            message=f"`{name}` takes a restart for a fall of the counter `{series.name}`",
            start=node.start,
            end=end,
            fix=_KNOWS_RESTARTS.get(name, "use `increase`, which knows of restarts"),
            warning=True,
        )


def _check_length(
    reading: Reading, node: Call, samples: Range | Subquery, series: Series | None
) -> Iterator[Finding]:
    if isinstance(samples, Subquery):
        interval = samples.step.ms if samples.step is not None else reading.evaluation_ms
        apart = f"its steps are {Duration(interval)} apart"
    elif series is not None and series.interval_ms:
        interval = series.interval_ms
        apart = f"those of `{series.name}` are {Duration(interval)} apart"
    else:
        return
    if samples.length.ms >= 2 * interval:
        return
    yield Finding(
        id="promql/short-range",
        message=f"`{node.function}` needs two samples, and a range of"
        f" {samples.length.word.text} seldom holds two: {apart}",
        start=samples.length.word.start,
        end=samples.length.word.end,
        fix=f"write at least `{Duration(2 * interval)}`; four intervals outlive a missed sample",
    )


def check_raw_counters(reading: Reading) -> Iterator[Finding]:
    """What a counter stands at says how long its process runs; its growth is what matters."""
    fine = {id(found) for node in reading.nodes for found in _harmless(reading, node)}
    fine |= {id(found) for node in reading.nodes for found in _largest(node)}
    inside = {id(below): name for node in reading.nodes for below, name in _resampled(node)}
    blamed: dict[str, Finding] = {}
    for node in reversed(reading.nodes):  # what is innermost is to blame, and of those the first
        for selector, use in reversed([*_uses(reading, node)]):
            if id(selector) not in fine and selector.name is not None:
                name = selector.name.text
                blamed[name] = _raw_counter(selector, name, use, inside.get(id(node)))
                fine.add(id(selector))
    yield from blamed.values()


def _raw_counter(selector: Selector, name: str, use: str, function: str | None) -> Finding:
    if function is None:
        message = f"the counter `{name}` is {use} as it stands, without `rate` or `increase`"
        fix = "a counter starts anew with its process: judge its growth, such as"
        fix = f"{fix} `increase({name}[1h])`"
    else:
        message = (
            f"the counter `{name}` is {use} before `{function}` sees it, which then takes the"
            " restart of one process for that of all"
        )
        fix = f"take `{function}` of the counter itself, and aggregate that"
    return Finding(
        id="promql/raw-counter",
        message=message,
        start=selector.start,
        end=selector.start + len(name),
        fix=fix,
        warning=True,
    )


def _resampled(node: Node) -> Iterator[tuple[Node, str]]:
    """What stands in a subquery that a function for counters reads, and that function."""
    match node:
        case Call(function=name, arguments=(Subquery(inner=inner),)) if name in ONLY_COUNTERS:
            for below in walk(inner):
                yield below, name
        case _:
            return


def _largest(node: Node) -> Iterator[Node]:
    """Counters of which the largest is watched: ``increase(max(x)[15m:1m])``."""
    for below, _ in _resampled(node):
        if isinstance(below, Aggregation) and below.op in _EXTREMES:
            yield from walk(below.inner)


def _harmless(reading: Reading, node: Node) -> Iterator[Selector]:
    """Counters below ``node`` of which only the presence, or whether they ever moved, counts."""
    match node:
        case Call(function=name) if name in effects.ABSENCE or name == "timestamp":
            yield from _raw(reading, node.arguments[0])
        case Aggregation(op=op) if op in _PRESENCE:
            yield from _raw(reading, node.inner)
        case Binary(op="and" | "unless", right=right):
            yield from _raw(reading, right)
            yield from _ever_moved(reading, bare(right))
        case Binary(op="==" | "!="):
            sides = [bare(node.left), bare(node.right)]
            counters = [side for side in sides if reading.shape(side).counter]
            zero = any(isinstance(side, Number) and not side.value for side in sides)
            if len(counters) == len(sides) or (zero and node.op == "=="):
                for side in counters:
                    yield from _raw(reading, side)
        case _:
            return


def _ever_moved(reading: Reading, node: Node) -> Iterator[Selector]:
    """The counter of a guard such as ``x_count > 0``: of its value only zero counts."""
    match node:
        case Binary(op=">" | "!=", left=left, right=right):
            limit = bare(right)
            if isinstance(limit, Number) and not limit.value:
                yield from _raw(reading, left)
        case _:
            return


def _uses(reading: Reading, node: Node) -> Iterator[tuple[Selector, str]]:
    match node:
        case Aggregation(op=op, inner=inner) if op in effects.GROUPS_KEEP_VALUES:
            for selector in _raw(reading, inner):
                yield selector, f"aggregated by `{op}`"
        case Binary(op=op) if op not in SET_OPERATORS:
            use = "compared" if op in COMPARISONS else "computed with"
            for selector in (*_raw(reading, node.left), *_raw(reading, node.right)):
                yield selector, use
        case Call(function=name) if name in effects.SPREADING:
            for selector in _raw(reading, node.arguments[-1]):
                yield selector, f"read by `{name}`"
        case Call(function="histogram_quantile"):
            for selector in _raw(reading, node.arguments[-1]):
                yield selector, "read"
        case _:
            return


def _raw(reading: Reading, node: Node) -> Iterator[Selector]:
    """The counters whose values come out of ``node`` unchanged, or merely aggregated."""
    if not reading.shape(node).counter:
        return
    match node:
        case Selector():
            yield node
        case Group(inner=inner) | Aggregation(inner=inner):
            yield from _raw(reading, inner)
        case Range(inner=inner) | Subquery(inner=inner):
            yield from _raw(reading, inner)
        case Call(arguments=arguments):
            for argument in arguments:
                yield from _raw(reading, argument)
        case Binary(left=left, right=right):
            yield from _raw(reading, left)
            yield from _raw(reading, right)
        case _:
            return
