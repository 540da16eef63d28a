"""Splits PromQL into tokens that know where they stand. Joined, the tokens are the text.

Follows https://github.com/prometheus/prometheus/blob/main/promql/parser/lex.go, with one token
more: white space, so that nothing of the text is lost. Keywords, functions, metrics and labels are
all identifiers here; telling them apart takes the grammar (see `references`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from autogpt_observe.diagnostics import printable
from autogpt_observe.errors import ObserveError


class PromQLError(ObserveError):
    """PromQL that can't be read.

    Attributes:
        offset: where in the text, in characters from 0.
        length: how many characters are to blame, at least 1.
    """

    def __init__(self, message: str, offset: int, length: int = 1) -> None:
        super().__init__(message)
        self.offset = offset
        self.length = length


class Kind(StrEnum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    DURATION = "duration"
    STRING = "string"
    PUNCTUATION = "punctuation"


class Token(NamedTuple):
    """A piece of the text; ``start`` counts characters from 0."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset of the first character after it."""
        return self.start + len(self.text)


_HEX4 = r"(?![dD][89a-fA-F])[0-9a-fA-F]{4}"  # no surrogates
_ESCAPE = (
    rf"\\(?:[abfnrtv\\QUOTE]|[0-3][0-7]{{2}}|x[0-9a-fA-F]{{2}}|u{_HEX4}|U0000{_HEX4}"
    r"|U00(?:0[1-9a-fA-F]|10)[0-9a-fA-F]{4})"
)
_INSIDE_DOUBLE = r'(?:[^"\\\n]|' + _ESCAPE.replace("QUOTE", '"') + ")*"
_INSIDE_SINGLE = r"(?:[^'\\\n]|" + _ESCAPE.replace("QUOTE", "'") + ")*"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r]+)
    | (?P<comment>\#[^\n\r]*)
    | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_]))
    | (?P<number>(?:0[xX][0-9a-fA-F_]+
                  | (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_.]))
    | (?P<string>"{_INSIDE_DOUBLE}"|'{_INSIDE_SINGLE}'|`[^`]*`)
    | (?P<identifier>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<punctuation>==|!=|<=|>=|=~|!~|[-+*/%^=<>@(){{}}\[\],:])
    """,
    re.VERBOSE | re.ASCII,
)
_STEP = re.compile(r"(?P<punctuation>:)|(?P<identifier>[A-Za-z_]\w*)", re.ASCII)
_BROKEN_NUMBER = re.compile(r"\.?\d[\w.]*", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"\\(?:x\w{0,2}|u\w{0,4}|U\w{0,8}|\d{1,3}|[^\n])", re.ASCII)
_NOTHING_TO_GRAMMAR = (Kind.SPACE, Kind.COMMENT)
_KINDS = {kind.value: kind for kind in Kind}


@lru_cache(maxsize=64)  # one expression is read by several checks, one after the other
def scan(text: str) -> tuple[Token, ...]:
    """The tokens of ``text``, white space and comments included.

    Raises PromQLError at what no token can start with: a stray character, a string without its
    end or with an unknown escape, a number with letters in it.
    """
    tokens = []
    at, in_range = 0, False
    while at < len(text):
        # The colon of `[30m:1m]` stands alone; anywhere else it is part of a name.
        found = (_STEP.match(text, at) if in_range else None) or _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _unreadable(text, at)
        piece = found[0]
        tokens.append(Token(_KINDS[found.lastgroup], piece, at))
        if piece in ("[", "]"):
            in_range = piece == "["
        at = found.end()
    return tuple(tokens)


def grammatical(tokens: tuple[Token, ...]) -> list[Token]:
    """The tokens that the grammar sees: all but white space and comments."""
    return [token for token in tokens if token.kind not in _NOTHING_TO_GRAMMAR]


def _unreadable(text: str, at: int) -> PromQLError:
    first = text[at]
    if first in "\"'`":
        return _broken_string(text, at)
    number = _BROKEN_NUMBER.match(text, at)
    if number is not None:
        written = number[0]
        return PromQLError(f"`{written}` is neither a number nor a duration", at, len(written))
    return PromQLError(f"unexpected character `{printable(first)}`", at)


def _broken_string(text: str, at: int) -> PromQLError:
    quote, here = text[at], at + 1
    if quote != "`":
        inside = re.compile(_INSIDE_DOUBLE if quote == '"' else _INSIDE_SINGLE).match(text, here)
        here = inside.end() if inside is not None else here
        escape = _BROKEN_ESCAPE.match(text, here)
        if escape is not None:
            shown = printable(escape[0])
            message = f"unknown escape `{shown}` in a string; write `\\\\` for a backslash"
            return PromQLError(message, here, len(escape[0]))
    line_end = text.find("\n", at)
    end = len(text) if quote == "`" or line_end < 0 else line_end
    return PromQLError(f"the string has no closing {quote}", at, max(1, end - at))
