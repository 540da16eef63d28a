"""Checks of the unit tests that alerts bring: promtool must be able to read them.

The notation of samples was measured against promtool 2.42:
https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.promql import Kind, PromQLError, metric_names, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.promql import Token
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import RuleTest

_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_HISTOGRAM = r"\{\{[^{}]*\}\}"
_VALUE = rf"(?:[+-]?{_DIGITS}|{_HISTOGRAM})"
_SAMPLE = re.compile(
    rf"_|stale|[+-]?(?i:nan|inf)|{_VALUE}"
    rf"|(?:_|{_VALUE}(?:[+-]{_DIGITS}|[+-]{_HISTOGRAM})?)x(?P<times>\d+)",
    re.ASCII,
)
_ITEM = re.compile(r"(?:\{\{[^{}]*\}\}|[^ \t\r\n])+")
_MOST_TIMES = 1_000_000


def check_test(context: Context, test: RuleTest, path: Path) -> None:
    """Check the series, the samples and the moments of one unit test."""
    for series, samples in test.series.items():
        where = (*path, "series", series)
        _check_series(context, series, where)
        if "\n" in samples.rstrip():
            message = "the samples go on behind a line end, where promtool stops reading"
            fix = "write them on one line; `>-` in place of `|` makes one line of several"
            at = context.inside(where, samples.index("\n") + 1, 1)
            context.error("test/series", message, at, fix=fix)
        for found in _ITEM.finditer(samples):
            _check_sample(context, found, where)
    if not test.at:
        context.error("test/series", "the test looks at no moment", (*path, "at"))


def _check_series(context: Context, series: str, path: Path) -> None:
    at = context.key_at(path)
    try:
        names = metric_names(series)
        tokens = [t for t in scan(series) if t.kind not in (Kind.SPACE, Kind.COMMENT)]
    except PromQLError as error:
        context.error("test/series", f"can't read the series `{series}`: {error}", at)
        return
    if not _is_series(tokens):
        message = f"`{series}` is not the name of one series"
        fix = 'write a metric and its labels, such as `up{job="api"}`'
        context.error("test/series", message, at, fix=fix)
        return
    for token in names:
        refused = context.refused_series(token.text)
        if refused is not None:
            context.error("test/series", refused[0], at, fix=refused[1])


def _is_series(tokens: Sequence[Token]) -> bool:
    """Whether the tokens are a metric, or labels in braces, or both."""
    named = bool(tokens) and tokens[0].kind is Kind.IDENTIFIER
    labels = tokens[1:] if named else tokens
    if not labels:
        return named
    if labels[0].text != "{" or labels[-1].text != "}":
        return False
    inside = labels[1:-1]
    kinds = (Kind.IDENTIFIER, Kind.PUNCTUATION, Kind.STRING, Kind.PUNCTUATION)
    return all(
        token.kind is kinds[index % 4]
        and (index % 4 != 1 or token.text == "=")
        and (index % 4 != 3 or token.text == ",")  # noqa: PLR2004 - label, =, "value", comma
        for index, token in enumerate(inside)
    ) and len(inside) % 4 in (0, 3)


def _check_sample(context: Context, found: re.Match[str], path: Path) -> None:
    sample = _SAMPLE.fullmatch(found[0])
    at = context.inside(path, found.start(), len(found[0]))
    if sample is None:
        message = f"can't read the sample `{found[0]}`"
        fix = "write numbers, `a+bxn` (n more, rising by b), `axn`, `_` or `stale`"
        context.error("test/series", message, at, fix=fix)
    elif sample["times"] is not None and int(sample["times"][:20]) > _MOST_TIMES:
        message = f"`{found[0]}` makes more than {_MOST_TIMES:,} samples"
        fix = "take fewer, with a longer `interval`"
        context.error("test/series", message, at, fix=fix)
