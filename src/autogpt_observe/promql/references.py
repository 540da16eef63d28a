"""Which series an expression reads: the metric names in it, told from everything else.

A word is not enough to tell: `sum`, `by` or `offset` may all be metrics, and any word may be a
label. What counts is whether the grammar expects an operand or an operator where the word stands:
https://github.com/prometheus/prometheus/blob/main/promql/parser/generated_parser.y
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.promql.scanner import Kind, Token, grammatical, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUPING = frozenset({"by", "without"})
_MATCHING = frozenset({"on", "ignoring", "group_left", "group_right"})
_FILLS = frozenset({"fill", "fill_left", "fill_right"})
_NUMBERS = frozenset({"inf", "nan"})
_NAME_LABEL = "__name__"
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:([0-7]{3})|x(..)|u(.{4})|U(.{8})|(.))")
_END = Token(Kind.PUNCTUATION, "", -1)


def metric_names(text: str) -> tuple[Token, ...]:
    """The tokens that name a series the expression reads, in order, repeats included.

    For ``{__name__="x"}`` the token is an identifier made of the label's value, standing where the
    quoted value stands. A pattern (``=~``) names nothing. The text may be wrong PromQL: what can be
    told is told. Raises PromQLError where the scanner does.
    """
    return tuple(_Reader(grammatical(scan(text))).read())


class _Reader:
    """Walks the tokens once, knowing only whether an operand or an operator comes next."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._found: list[Token] = []

    def read(self) -> list[Token]:
        wants_operand = True
        while self._at < len(self._tokens):
            wants_operand = self._operand() if wants_operand else self._operator()
        return self._found

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def _take(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _operand(self) -> bool:
        """Read what may stand where an operand does; whether one is still wanted."""
        token = self._take()
        if token.kind is Kind.IDENTIFIER:
            return self._word(token)
        if token.text == "{":
            self._matchers()
            return False
        return token.kind is Kind.PUNCTUATION and token.text != ")"

    def _word(self, token: Token) -> bool:
        word = token.text.lower()
        following = self._peek()
        if word in _NUMBERS:
            return False
        filling = word in _FILLS and following.text == "("
        if word == "bool" or word in _MATCHING or filling:
            self._label_list()
            return True
        if following.text.lower() in _GROUPING:  # an aggregation, `sum by (a) (b)`
            self._take()
            self._label_list()
            return True
        if following.text == "(":
            return True
        self._found.append(token)
        return False

    def _operator(self) -> bool:
        """Read what may follow an operand; whether an operand is wanted next.

        That `@` and `offset` are followed by a number and no operand makes no difference here.
        """
        token = self._take()
        word = token.text.lower()
        if token.text == "{":
            self._matchers()
            return False
        if token.text == "[":
            while self._at < len(self._tokens) and self._take().text != "]":
                pass
            return False
        if word in _GROUPING:
            self._label_list()
            return False
        return token.text != ")"

    def _label_list(self) -> None:
        if self._peek().text != "(":
            return
        while self._at < len(self._tokens) and self._take().text != ")":
            pass

    def _matchers(self) -> None:
        while self._at < len(self._tokens):
            token = self._take()
            if token.text == "}":
                return
            alone = self._peek().text in (",", "}")
            if token.kind is Kind.STRING and alone and self._peek(-2).text in ("{", ","):
                self._name(token)  # `{"quoted.name"}`, which Prometheus 3 takes for `__name__`
            elif token.text == _NAME_LABEL and self._peek().text == "=":
                self._take()
                if self._peek().kind is Kind.STRING:
                    self._name(self._take())

    def _name(self, value: Token) -> None:
        self._found.append(Token(Kind.IDENTIFIER, unquote_string(value.text), value.start))


def unquote_string(text: str) -> str:
    """The value of a string token; escaped bytes that are no UTF-8 become U+FFFD."""
    if text.startswith("`"):
        return text[1:-1]
    pieces, at = [], 1
    for escape in _ESCAPE.finditer(text):
        pieces += [text[at : escape.start()].encode(), _unescaped(escape)]
        at = escape.end()
    return b"".join([*pieces, text[at:-1].encode()]).decode(errors="replace")


def _unescaped(escape: re.Match[str]) -> bytes:
    octal, byte, short, long, letter = escape.groups()
    if octal is not None:
        return bytes([int(octal, 8)])
    if byte is not None:
        return bytes([int(byte, 16)])
    if short is not None or long is not None:
        return chr(int(short or long, 16)).encode()
    return _LETTERS.get(letter, letter).encode()
