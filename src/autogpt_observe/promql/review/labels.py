"""Checks of the labels and label values that an expression names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean, suggest
from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.regexes import accepts, alternatives
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import Aggregation, Binary, Selector
from autogpt_observe.promql.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autogpt_observe.promql.catalogue import Series
    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.shapes import Shape
    from autogpt_observe.promql.tree import Matcher, Word

_BOUND = "le"
_NOT_IN_EXPRESSIONS = {
    "environment": "an external label: it is put on what leaves Prometheus",
    "alertname": "a label of alerts",
    "severity": "a label of alerts",
    "service": "a label of alerts",
    "owner": "a label of alerts",
}


def check_labels(reading: Reading) -> Iterator[Finding]:
    """Labels in matchers, groupings and joins are there, and so are the values asked for."""
    for node in reading.nodes:
        match node:
            case Selector(name=name) if name is not None:
                series = reading.catalogue.find(name.text)
                if series is not None:
                    for matcher in node.matchers:
                        yield from _check_matcher(series, matcher)
            case Aggregation():
                yield from _check_grouping(reading, node)
            case Binary() if node.matching is not None:
                yield from _check_join(reading, node)
            case _:
                pass


def _check_matcher(series: Series, matcher: Matcher) -> Iterator[Finding]:
    label = matcher.label.text
    if label == "__name__":
        return
    known = series.labels.get(label, series.rest)
    if known == ABSENT:
        accept = accepts(matcher)
        idle = accept is None or accept("")
        yield _unknown(matcher.label, f"`{series.name}`", _names(series), series, idle=idle)
    elif matcher.op == "=" and not matcher.value.text:
        if label not in series.attributes:
            return  # an external metric may well have series without it
        yield Finding(
            id="promql/unknown-value",
            message=f"`{label}` of `{series.name}` is never empty, so this selects nothing",
            start=matcher.value.start,
            end=matcher.value.end,
        )
    elif isinstance(known, frozenset):
        yield from _check_values(series, matcher, known)


def _check_values(series: Series, matcher: Matcher, known: frozenset[str]) -> Iterator[Finding]:
    accept, label = accepts(matcher), matcher.label.text
    if accept is None:
        return
    value = matcher.value
    excludes = matcher.op in ("!=", "!~")
    passing = {candidate for candidate in known if accept(candidate)}
    listed = sorted(known - {"other"}, key=_by_size if label == _BOUND else str)
    if not passing:
        yield Finding(
            id="promql/le" if label == _BOUND else "promql/unknown-value",
            message=_no_value(series, matcher),
            start=value.start,
            end=value.end,
            fix=None if excludes else _meant(label, value.text, listed),
        )
    elif excludes and passing == known and value.text:
        yield Finding(
            id="promql/idle-matcher",
            message=f"no `{label}` of `{series.name}` is `{value.text}`, so nothing is left out",
            start=value.start,
            end=value.end,
            fix=did_you_mean(value.text, listed),
            warning=True,
        )
    elif matcher.op == "=~":
        yield from _check_alternatives(series, matcher, known, listed)


def _no_value(series: Series, matcher: Matcher) -> str:
    label, value = matcher.label.text, matcher.value.text
    if matcher.op in ("!=", "!~"):
        return f"every `{label}` of `{series.name}` is left out, so this selects nothing"
    if matcher.op == "=~":
        return f"no `{label}` of `{series.name}` matches `{value}`"
    if label == _BOUND:
        return f'`{series.name}` has no bucket with `le="{value}"`'
    return f"`{value}` is no value of `{label}`"


def _meant(label: str, value: str, listed: list[str]) -> str:
    if label == _BOUND:
        same = next((bound for bound in listed if _number(bound) == _number(value)), None)
        if same is not None:
            return f'the client writes `le="{same}"`'
        return f"its bounds are {', '.join(f'`{bound}`' for bound in listed)}"
    return did_you_mean(value, listed)


def _check_alternatives(
    series: Series, matcher: Matcher, known: frozenset[str], listed: list[str]
) -> Iterator[Finding]:
    value, label = matcher.value, matcher.label.text
    for part in alternatives(value.text) or ():
        if part.text in known:
            continue
        plain = value.end - value.start == len(value.text) + 2  # nothing in it is escaped
        start = value.start + 1 + part.start if plain else value.start
        yield Finding(
            id="promql/idle-matcher",
            message=f"no `{label}` of `{series.name}` is `{part.text}`",
            start=start,
            end=start + max(1, part.end - part.start) if plain else value.end,
            fix=_meant(label, part.text, listed),
            warning=True,
        )


def _check_grouping(reading: Reading, node: Aggregation) -> Iterator[Finding]:
    if node.grouping is None:
        return
    inner = reading.shape(node.inner)
    for label in node.grouping.labels:
        if inner.label(label.text) == ABSENT:
            what, series = _whose(inner), _only(inner)
            yield _unknown(label, what, _there(inner), series, idle=node.grouping.without)


def _check_join(reading: Reading, node: Binary) -> Iterator[Finding]:
    left, right = reading.shape(node.left), reading.shape(node.right)
    matching = node.matching
    if matching is None or ValueKind.SCALAR in (left.kind, right.kind):
        return
    for label in matching.labels:
        if left.label(label.text) == right.label(label.text) == ABSENT:
            both = [*_there(left), *_there(right)]
            yield _unknown(label, "neither side", both, None, idle=not matching.on)
    one = left if matching.many == "right" else right
    for label in matching.extra:
        if one.label(label.text) == ABSENT:
            yield _unknown(label, _whose(one), _there(one), _only(one), idle=False)


def _unknown(
    label: Word, what: str, known: Iterable[str], series: Series | None, *, idle: bool
) -> Finding:
    name = label.text
    fix = _NOT_IN_EXPRESSIONS.get(name)
    if fix is not None:
        fix = f"`{name}` is {fix}, and no expression sees it"
    else:
        listed = sorted({*known})
        fix = did_you_mean(name, listed) if listed else "it has no labels at all"
        if suggest(name, listed) is None and series is not None and series.declared_at:
            fix += f"; or declare it in {series.declared_at}"
    lacks = (
        f"{what} has the label `{name}`"
        if what == "neither side"
        else (f"{what} has no label `{name}`")
    )
    return Finding(
        id="promql/idle-label" if idle else "promql/unknown-label",
        message=f"{lacks}, so it changes nothing" if idle else lacks,
        start=label.start,
        end=label.end,
        fix=fix,
        warning=idle,
    )


def _names(series: Series) -> list[str]:
    return [label for label, values in series.labels.items() if values != ABSENT]


def _there(shape: Shape) -> list[str]:
    return [label for label, values in shape.labels.items() if values != ABSENT]


def _only(shape: Shape) -> Series | None:
    """The one series that a shape is made of, if its labels are still those of the series."""
    if len(shape.series) != 1:
        return None
    (series,) = shape.series
    return series if series.labels.keys() <= shape.labels.keys() else None


def _whose(shape: Shape) -> str:
    series = _only(shape)
    return f"`{series.name}`" if series is not None else "what stands there"


def _number(bound: str) -> float | None:
    try:
        return float(bound)
    except ValueError:
        return None


def _by_size(bound: str) -> float:
    return float(bound)
