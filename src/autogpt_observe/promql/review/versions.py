"""Checks that the Prometheus the bundle is made for takes what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.functions import AGGREGATIONS, FUNCTIONS, Function
from autogpt_observe.promql.review.reading import Finding
from autogpt_observe.promql.tree import (
    Aggregation,
    Binary,
    Call,
    Number,
    Range,
    Selector,
    Subquery,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.promql.functions import VersionParts
    from autogpt_observe.promql.review.reading import Reading
    from autogpt_observe.promql.tree import Length, Node, Shift, Word

_MODIFIERS = (2, 33, 0)
_NUMBERS = (2, 54, 0)
_UTF8 = (3, 0, 0)
_FILL = (3, 10, 0)
_FLAG = "`--enable-feature=promql-experimental-functions`"


def check_versions(reading: Reading) -> Iterator[Finding]:
    """Functions and syntax are in the version named in `targets`."""
    for node in reading.nodes:
        match node:
            case Call(function=name):
                yield from _check_function(reading, node, name, FUNCTIONS.get(name))
            case Aggregation(op=name):
                yield from _check_function(reading, node, name, AGGREGATIONS.get(name))
            case Number() | Selector() | Range() | Subquery() | Binary():
                for since, what, start, end in _syntax(reading.text, node):
                    if reading.version < since:
                        yield _too_new(reading, what, since, start, end)
            case _:
                pass


def _check_function(
    reading: Reading, node: Node, name: str, known: Function | None
) -> Iterator[Finding]:
    if known is None:
        return
    end = node.start + len(name)
    if reading.version < known.since:
        yield _too_new(reading, f"`{name}`", known.since, node.start, end)
    elif known.until is not None and reading.version >= known.until:
        yield Finding(
            id="promql/version",
            message=f"`{name}` was removed in Prometheus {_dotted(known.until)}; the spec is for"
            f" {_dotted(reading.version)}",
            start=node.start,
            end=end,
            fix="it is called `double_exponential_smoothing` there",
        )
    elif known.experimental:
        yield Finding(
            id="promql/experimental",
            message=f"`{name}` is experimental: without {_FLAG} Prometheus refuses the file",
            start=node.start,
            end=end,
            warning=True,
        )


def _syntax(text: str, node: Node) -> Iterator[tuple[VersionParts, str, int, int]]:
    """What of a node's own notation is not of old: since when, its words, from where to where."""
    match node:
        case Number(start=start, end=end):
            written = text[start:end]
            if written[-1] in "smhdwy" or "_" in written:
                yield _NUMBERS, f"a number written `{written}`", start, end
        case Selector(name=name, matchers=matchers, shift=shift):
            words = [name] if name is not None and not matchers else []
            labels = [matcher.label for matcher in matchers]
            yield from _quoted([word for word in (*words, *labels) if word.quoted])
            yield from _moved(shift)
        case Range(length=length, shift=shift):
            yield from _bare_numbers([length])
            yield from _moved(shift)
        case Subquery(length=length, step=step, shift=shift):
            yield from _bare_numbers([length] if step is None else [length, step])
            yield from _moved(shift)
        case Binary(fills=True, op_start=start, right=right):
            yield _FILL, "`fill`", start, right.start
        case _:
            return


def _quoted(words: list[Word]) -> Iterator[tuple[VersionParts, str, int, int]]:
    for word in words:
        yield _UTF8, f"the name `{word.text}` in quotes", word.start, word.end


def _bare_numbers(lengths: list[Length]) -> Iterator[tuple[VersionParts, str, int, int]]:
    for _, word in lengths:
        if word.text[-1].isdigit():
            yield _NUMBERS, f"the range `{word.text}` without a unit", word.start, word.end


def _moved(shift: Shift) -> Iterator[tuple[VersionParts, str, int, int]]:
    if shift.at is not None:
        yield _MODIFIERS, "the `@` modifier", shift.start, shift.end
    if shift.offset_ms is not None and shift.offset_ms < 0:
        yield _MODIFIERS, "a negative offset", shift.start, shift.end


def _too_new(reading: Reading, what: str, since: VersionParts, start: int, end: int) -> Finding:
    return Finding(
        id="promql/version",
        message=f"{what} needs Prometheus {_dotted(since)}; the spec is for"
        f" {_dotted(reading.version)}",
        start=start,
        end=end,
        fix="write it another way, or raise `targets.prometheus`",
    )


def _dotted(version: VersionParts) -> str:
    major, minor, patch = version
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"
