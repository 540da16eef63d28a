"""Parses PromQL into a tree with places.

A precedence climber over the scanner's tokens, after the grammar of Prometheus 3:
https://github.com/prometheus/prometheus/blob/main/promql/parser/generated_parser.y
Types and the names and arguments of functions are not judged here: `syntax` does, by a library.
"""

from __future__ import annotations

from functools import lru_cache

from autogpt_observe.promql.functions import AGGREGATIONS
from autogpt_observe.promql.references import unquote_string
from autogpt_observe.promql.scanner import Kind, PromQLError, Token, grammatical, scan
from autogpt_observe.promql.tree import (
    COMPARISONS,
    NOW,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Group,
    Grouping,
    Length,
    Matcher,
    Matching,
    Node,
    Number,
    Range,
    Selector,
    Shift,
    Subquery,
    Text,
    Unary,
    Word,
)
from autogpt_observe.units import Duration

MOST_NESTED = 80
MOST_OPERATORS = 150
"""What walks the tree recurses; deeper trees would need more stack than Python gives."""

_BINDING = {
    "or": 1,
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(COMPARISONS, 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_TIGHTEST = 6
_NEVER_METRICS = frozenset({"bool", "on", "ignoring", "group_left", "group_right", "atan2"})
_FILLS = frozenset({"fill", "fill_left", "fill_right"})
_MATCH_OPERATORS = frozenset({"=", "!=", "=~", "!~"})
_END = Token(Kind.PUNCTUATION, "", -1)


class TooDeepError(PromQLError):
    """Valid or not, the expression is nested too deep to be looked into."""


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """The tree of ``text``. Raises PromQLError for what is no PromQL, TooDeepError for monsters."""
    parser = _Parser(text)
    node = parser.expression(1)
    if parser.token.text:
        raise parser.unexpected("an operator")
    return node


class _Parser:
    """Reads the tokens once, from left to right; ``token`` is the next one."""

    def __init__(self, text: str) -> None:
        self._tokens = grammatical(scan(text))
        self._length = len(text)
        self._at = 0
        self._depth = 0
        self._operators = 0
        self.token = self._tokens[0] if self._tokens else _END

    def unexpected(self, wanted: str) -> PromQLError:
        token = self.token
        if token.start < 0:
            end = self._tokens[-1].end if self._tokens else self._length
            return PromQLError(f"it ends where {wanted} should follow", max(0, end - 1))
        return PromQLError(
            f"`{token.text}` stands where {wanted} should", token.start, len(token.text)
        )

    def expression(self, least: int) -> Node:
        """An expression whose operators bind at least as tight as ``least``."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            message = f"more than {MOST_NESTED} levels of parentheses are not supported"
            raise TooDeepError(message, 0, self._length)
        left = self._signed()
        while (binding := _BINDING.get(op := self.token.text.lower(), 0)) >= least:
            left = self._binary(left, op, binding)
        self._depth -= 1
        return left

    def _binary(self, left: Node, op: str, binding: int) -> Binary:
        self._operators += 1
        if self._operators > MOST_OPERATORS:
            message = f"more than {MOST_OPERATORS} operators are not supported"
            raise TooDeepError(message, 0, self._length)
        op_start = self._take().start
        returns_bool = self.token.text.lower() == "bool"
        if returns_bool:
            if op not in COMPARISONS:
                raise self.unexpected("an operand")
            self._take()
        matching, fills = self._matching(op), False
        while self.token.text.lower() in _FILLS and self._following().text == "(":
            self._fill()
            fills = True
        right = self.expression(binding if op == "^" else binding + 1)
        return Binary(
            left.start, right.end, op, op_start, left, right, returns_bool, matching, fills
        )

    def _fill(self) -> None:
        self._take()
        self._expect("(")
        if self.token.text in ("+", "-"):
            self._take()
        if self.token.kind is not Kind.NUMBER and self.token.text.lower() not in ("inf", "nan"):
            raise self.unexpected("a number")
        self._take()
        self._expect(")")

    def _matching(self, op: str) -> Matching | None:
        word = self.token.text.lower()
        if word not in ("on", "ignoring"):
            return None
        start = self._take().start
        labels, end = self._labels()
        many = ""
        extra: tuple[Word, ...] = ()
        side = self.token.text.lower()
        if side in ("group_left", "group_right"):
            if op in SET_OPERATORS:
                raise self.unexpected("an operand")
            end = self._take().end
            many = side.removeprefix("group_")
            if self.token.text == "(":
                extra, end = self._labels()
        return Matching(word == "on", labels, many, extra, start, end)

    def _signed(self) -> Node:
        if self.token.text not in ("+", "-"):
            return self._shifted(self._operand())
        sign = self._take()
        inner = self.expression(_TIGHTEST)
        return Unary(sign.start, inner.end, sign.text, inner)

    def _operand(self) -> Node:
        token = self.token
        match token.kind:
            case Kind.NUMBER:
                self._take()
                return Number(token.start, token.end, _number(token))
            case Kind.DURATION:
                self._take()
                return Number(token.start, token.end, _duration(token) / 1000)
            case Kind.STRING:
                self._take()
                return Text(token.start, token.end, unquote_string(token.text))
            case Kind.IDENTIFIER:
                return self._word()
        if token.text == "(":
            self._take()
            inner = self.expression(1)
            return Group(token.start, self._expect(")").end, inner)
        if token.text == "{":
            return self._selector(None)
        raise self.unexpected("an operand")

    def _word(self) -> Node:
        word, following = self.token.text.lower(), self._following().text
        if word in ("inf", "nan"):
            token = self._take()
            return Number(token.start, token.end, float(word))
        if word in AGGREGATIONS and (following == "(" or following.lower() in ("by", "without")):
            return self._aggregation()
        if following == "(" and word not in _NEVER_METRICS:
            name = self._take()
            arguments, end = self._arguments()
            return Call(name.start, end, name.text, arguments)
        if word in _NEVER_METRICS:
            raise self.unexpected("an operand")
        token = self._take()
        return self._selector(Word(token.text, token.start, token.end))

    def _aggregation(self) -> Node:
        name = self._take()
        grouping = self._grouping()
        arguments, end = self._arguments()
        if grouping is None:
            grouping = self._grouping()
            end = grouping.end if grouping is not None else end
        if len(arguments) not in (1, 2):
            message = f"`{name.text}` takes one or two arguments, got {len(arguments)}"
            raise PromQLError(message, name.start, len(name.text))
        param = arguments[0] if arguments[1:] else None
        return Aggregation(name.start, end, name.text.lower(), param, arguments[-1], grouping)

    def _grouping(self) -> Grouping | None:
        word = self.token.text.lower()
        if word not in ("by", "without"):
            return None
        start = self._take().start
        labels, end = self._labels()
        return Grouping(word == "without", labels, start, end)

    def _labels(self) -> tuple[tuple[Word, ...], int]:
        """A list of labels in parentheses, and where it ends."""
        self._expect("(")
        found = []
        while self.token.text != ")":
            found.append(self._label())
            if self.token.text != ")":
                self._expect(",")
        return tuple(found), self._take().end

    def _label(self) -> Word:
        token = self.token
        if token.kind not in (Kind.IDENTIFIER, Kind.STRING) or ":" in token.text.strip("\"'`"):
            raise self.unexpected("a label")
        return _word_of(self._take())

    def _arguments(self) -> tuple[tuple[Node, ...], int]:
        self._expect("(")
        found: list[Node] = []
        while self.token.text != ")" or found:
            found.append(self.expression(1))
            if self.token.text == ")":
                break
            self._expect(",")
        return tuple(found), self._expect(")").end

    def _selector(self, name: Word | None) -> Selector:
        start = name.start if name is not None else self.token.start
        end = name.end if name is not None else 0
        matchers: list[Matcher] = []
        if self.token.text == "{":
            self._take()
            while self.token.text != "}":
                if self.token.kind is Kind.STRING and self._following().text in (",", "}"):
                    if name is not None:
                        raise self.unexpected("a matcher: the name is already given")
                    name = _word_of(self._take())
                else:
                    matchers.append(self._matcher())
                if self.token.text != "}":
                    self._expect(",")
            end = self._take().end
        named = [m.value for m in matchers if m.label.text == "__name__" and m.op == "="]
        if named and name is None:
            name = named[0]
        return Selector(start, end, name, tuple(matchers))

    def _matcher(self) -> Matcher:
        label = self._label()
        if self.token.text not in _MATCH_OPERATORS:
            raise self.unexpected("one of `=`, `!=`, `=~` and `!~`")
        op = self._take().text
        if self.token.kind is not Kind.STRING:
            raise self.unexpected("a string")
        return Matcher(label, op, _word_of(self._take()))

    def _shifted(self, node: Node) -> Node:
        """``node`` with the ranges, offsets and ``@`` behind it."""
        while True:
            if self.token.text == "[":
                node = self._range(node)
            elif self.token.text == "@" or self.token.text.lower() == "offset":
                node = self._moved(node)
            else:
                return node

    def _range(self, node: Node) -> Node:
        opening = self._take()
        length = self._length_of_time()
        if self.token.text != ":":
            if not isinstance(node, Selector):
                message = "ranges only allowed for vector selectors"
                raise PromQLError(message, opening.start)
            if node.shift is not NOW:
                message = "a range stands before `offset` and `@`, not behind them"
                raise PromQLError(message, opening.start)
            return Range(node.start, self._expect("]").end, node, length)
        self._take()
        step = self._length_of_time() if self.token.text != "]" else None
        return Subquery(node.start, self._expect("]").end, node, length, step)

    def _length_of_time(self) -> Length:
        token = self.token
        if token.kind is Kind.DURATION:
            ms = _duration(token)
        elif token.kind is Kind.NUMBER:
            ms = int(min(_number(token), float(2**53)) * 1000)
        else:
            raise self.unexpected("a duration")
        self._take()
        if not ms:
            raise PromQLError("a range can't be zero", token.start, len(token.text))
        return Length(ms, Word(token.text, token.start, token.end))

    def _moved(self, node: Node) -> Node:
        mark = self._take()
        if not isinstance(node, Selector | Range | Subquery):
            message = f"`{mark.text}` stands behind a series, a range or a subquery only"
            raise PromQLError(message, mark.start, len(mark.text))
        offset, at = node.shift.offset_ms, node.shift.at
        twice = at if mark.text == "@" else offset
        if twice is not None:
            raise PromQLError(f"`{mark.text}` is given twice", mark.start, len(mark.text))
        if mark.text == "@":
            at = self._time()
        else:
            sign = -1 if self.token.text == "-" else 1
            if self.token.text in ("-", "+"):
                self._take()
            offset = sign * self._length_of_time().ms
        end = self._tokens[self._at - 1].end
        return node._replace(end=end, shift=Shift(offset, at, mark.start, end))

    def _time(self) -> float | str:
        word = self.token.text.lower()
        if word in ("start", "end"):
            self._take()
            self._expect("(")
            self._expect(")")
            return word
        sign = -1 if word == "-" else 1
        if word in ("-", "+"):
            self._take()
        if self.token.kind is not Kind.NUMBER:
            raise self.unexpected("a time in seconds, `start()` or `end()`")
        return sign * _number(self._take())

    def _following(self) -> Token:
        after = self._at + 1
        return self._tokens[after] if after < len(self._tokens) else _END

    def _take(self) -> Token:
        taken = self.token
        if taken is _END:
            raise self.unexpected("more")
        self._at += 1
        self.token = self._tokens[self._at] if self._at < len(self._tokens) else _END
        return taken

    def _expect(self, text: str) -> Token:
        if self.token.text != text:
            raise self.unexpected(f"`{text}`")
        return self._take()


def _word_of(token: Token) -> Word:
    quoted = token.kind is Kind.STRING
    text = unquote_string(token.text) if quoted else token.text
    return Word(text, token.start, token.end, quoted)


def _duration(token: Token) -> int:
    try:
        return Duration.parse(token.text).ms
    except ValueError as error:
        message = f"`{token.text}` is no duration: {error}"
        raise PromQLError(message, token.start, len(token.text)) from error


def _number(token: Token) -> float:
    """Go's ``strconv.ParseInt`` of base 0, else a float: ``010`` is eight."""
    text = token.text
    try:
        if text[:2].lower() == "0x":
            return float(int(text, 16))
        if text[0] == "0" and text.isdecimal() and not set(text) & {"8", "9"}:
            return float(int(text, 8))
        return float(text)
    except (ValueError, OverflowError) as error:
        raise PromQLError(f"`{text}` is no number", token.start, len(text)) from error
