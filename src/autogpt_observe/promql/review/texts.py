"""Checks of the texts that Prometheus reads only when it evaluates: patterns, and labels to write.

Sources: evalLabelReplace, evalLabelJoin and count_values in
https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go and engine.go
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.promql.regexes import fault_of
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import Aggregation, Call, Selector, Text, bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.tree import Node

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_ANY_TEXT = (3, 0, 0)
"""Since when a label may be called anything but nothing."""
_PATTERNS = ("=~", "!~")


def check_texts(reading: Reading) -> Iterator[Finding]:
    """Patterns can be read, and labels that are made have names that labels can have."""
    for node in reading.nodes:
        match node:
            case Selector(matchers=matchers):
                for matcher in matchers:
                    if matcher.op in _PATTERNS:
                        word = matcher.value
                        yield from _check_pattern(word.text, word.start, word.end)
            case Call(function="label_replace", arguments=(_, target, _, _, pattern)):
                yield from _check_label(reading, target)
                text = bare(pattern)
                if isinstance(text, Text):
                    yield from _check_pattern(text.value, text.start, text.end)
            case Call(function="label_join", arguments=(_, target, _, *sources)):
                for label in (target, *sources):
                    yield from _check_label(reading, label)
            case Aggregation(op="count_values", param=target) if target is not None:
                yield from _check_label(reading, target)
            case _:
                pass


def _check_label(reading: Reading, label: Node) -> Iterator[Finding]:
    text = bare(label)
    if not isinstance(text, Text):
        return
    if _LABEL.fullmatch(text.value) or (text.value and reading.version >= _ANY_TEXT):
        return
    yield Finding(
        id="promql/syntax",
        message=f'Prometheus can\'t evaluate this: "{text.value}" is no name of a label',
        start=text.start,
        end=text.end,
        fix="write letters, digits and `_`, and no digit first",
    )


def _check_pattern(pattern: str, start: int, end: int) -> Iterator[Finding]:
    fault = fault_of(pattern)
    if fault is None:
        return
    yield Finding(
        id="promql/syntax",
        message=f"Prometheus can't evaluate this: {fault}",
        start=start,
        end=end,
        fix="patterns are those of RE2, https://github.com/google/re2/wiki/Syntax",
    )
