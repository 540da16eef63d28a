"""From a character of a text back to where it stands in the YAML it was written in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Span

if TYPE_CHECKING:
    from autogpt_observe.spec.tree import Scalar

_PROPERTY = re.compile(r"[&!]\S*\s+")
_SPACE = re.compile(r"\s*")
_CHARACTER = {
    '"': re.compile(r"\\(?:x.{2}|u.{4}|U.{8}|.)|[^\\]"),
    "'": re.compile(r"''|."),
}
"""One character of a quoted text, as it is written."""


def locate(scalar: Scalar, offset: int, length: int) -> Span | None:
    """Where ``length`` characters of the scalar's text stand, from ``offset`` on; cut at line ends.

    None where that can't be told: in an alias, and in a quoted text of several lines with escapes.
    """
    line = scalar.at.source.lines[scalar.at.line - 1]
    start = scalar.at.column - 1
    while (found := _PROPERTY.match(line, start)) is not None:  # an anchor or a tag
        start = found.end()
    opening = line[start : start + 1]
    if opening in ("|", ">"):
        return _in_rows(scalar, offset, length, scalar.at.line, 0)
    if opening in _CHARACTER and not scalar.plain:
        return _quoted(scalar, offset, length, start + 1) or _in_rows(
            scalar, offset, length, scalar.at.line - 1, start + 1
        )
    return _in_rows(scalar, offset, length, scalar.at.line - 1, start)


def _quoted(scalar: Scalar, offset: int, length: int, start: int) -> Span | None:
    line = scalar.at.source.lines[scalar.at.line - 1]
    quote, size = line[start - 1], len(scalar.text)
    written = [found.span() for found in _CHARACTER[quote].finditer(line, start)][: size + 1]
    closed = len(written) > size and line[written[size][0]] == quote
    marked = written[offset : min(offset + length, size)]
    if not closed or not marked:
        return None
    first, last = marked[0][0], marked[-1][1]
    return Span(scalar.at.source, scalar.at.line, first + 1, last - first)


def _in_rows(scalar: Scalar, offset: int, length: int, number: int, start: int) -> Span | None:
    # Line ends and indentation are the only difference between the text and its lines.
    text, lines = scalar.text, scalar.at.source.lines
    done = 0
    for index in range(number, len(lines)):
        begin, done = _after_space(lines[index], start), _after_space(text, done)
        row = lines[index][begin:].rstrip()
        size = _alike(row, text[done : done + len(row)])
        if offset < done + size:
            shift = max(0, offset - done)
            cut = max(1, min(length, size - shift))
            return Span(scalar.at.source, index + 1, begin + shift + 1, cut)
        if row and not size:
            return None
        done, start = done + size, 0
    return None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _alike(left: str, right: str) -> int:
    """How many characters the two begin with in common."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(left), len(right)))
