"""Label patterns of matchers, tried on values that are known.

Prometheus takes RE2, anchored at both ends, and lets `.` match line ends:
https://github.com/google/re2/wiki/Syntax. What Python reads another way is not tried at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.promql.build import quote_string
from autogpt_observe.promql.syntax import parse_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.promql.tree import Matcher

_ONLY_RE2 = re.compile(
    r"\[\[:|\\[pPCQEzAZ]|\(\?[imsU]*-|\(\?P?<[=!]|\(\?[=!#(>]|[*+?}]\+|\(\?U|\\\d"
)
_LITERAL = re.compile(r"(?<!\\)(?:\\\\)*\\Q")
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])|[^\\.+*?()|\[\]{}^$]")


_PIECE = re.compile(
    r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\[:[^\]]*:\]|\\.|[^\]])*\]"
    r"|(?P<repeated>[*+?]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\})(?P<lazy>\??)|.",
    re.DOTALL,
)
"""An escape, a class, a repetition, or one other character."""
_MOST_TIMES = 1000


class Alternative(NamedTuple):
    """One plain text of a pattern such as ``a|b``; ``start`` counts within the pattern."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """``pattern`` for `fullmatch`, or None where Python can't stand in for RE2."""
    if _ONLY_RE2.search(pattern):
        return None
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        return None


@lru_cache(maxsize=512)
def fault_of(pattern: str) -> str | None:
    """Why Prometheus can't read ``pattern``, or None; what the parser's library lets pass included.

    The library takes repetitions of repetitions and ever so many of them, which RE2 doesn't.
    """
    repeats = False
    for piece in _PIECE.finditer(pattern):
        if piece["repeated"] is None:
            repeats = False
            continue
        if repeats:
            return f"`{pattern}` repeats a repetition by `{piece[0]}`"
        times = [int(count[:9]) for count in (piece["least"], piece["most"]) if count]
        if any(count > _MOST_TIMES for count in times):
            return f"`{piece[0]}` is more than {_MOST_TIMES} times"
        repeats = True
    if _LITERAL.search(pattern):
        return None  # which the library doesn't know
    error = parse_error(f"x{{a=~{quote_string(pattern)}}}")
    return None if error is None else f"`{pattern}` is no regular expression"


def accepts(matcher: Matcher) -> Callable[[str], bool] | None:
    """Tells which values ``matcher`` lets pass; None where that can't be told."""
    value = matcher.value.text
    match matcher.op:
        case "=":
            return lambda candidate: candidate == value
        case "!=":
            return lambda candidate: candidate != value
    pattern = compiled(value)
    if pattern is None:
        return None
    if matcher.op == "=~":
        return lambda candidate: pattern.fullmatch(candidate) is not None
    return lambda candidate: pattern.fullmatch(candidate) is None


@lru_cache(maxsize=512)
def alternatives(pattern: str) -> tuple[Alternative, ...] | None:
    """The texts that ``pattern`` lists, ``a|b`` or ``(a|b)``; None if it is more than a list."""
    inner, shift = pattern, 0
    if pattern.startswith("(") and pattern.endswith(")"):
        shift = 3 if pattern.startswith("(?:") else 1
        inner = pattern[shift:-1]
    found, at = [], 0
    for part in inner.split("|"):
        plain = _plain(part)
        if plain is None:
            return None
        found.append(Alternative(plain, shift + at, shift + at + len(part)))
        at += len(part) + 1
    return tuple(found)


def _plain(part: str) -> str | None:
    if _META.search(part) is None:
        return part
    pieces, at = [], 0
    while at < len(part):
        found = _ESCAPED.match(part, at)
        if found is None:
            return None
        pieces.append(found[1] or found[0])
        at = found.end()
    return "".join(pieces)
