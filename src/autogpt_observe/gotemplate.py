"""Go's templates as Prometheus fills them in: parsed, with places, and checked without a server.

Grammar: https://pkg.go.dev/text/template; functions and variables:
https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.diagnostics import did_you_mean, printable
from autogpt_observe.errors import ObserveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OF_GO = "and call eq ge gt html index js le len lt ne not or print printf println slice urlquery"
_OF_PROMETHEUS = """
    args externalURL first graphLink humanize humanize1024 humanizeDuration humanizePercentage
    humanizeTimestamp label match parseDuration pathPrefix query reReplaceAll safeHtml sortByLabel
    stripDomain stripPort strvalue tableLink title toLower toTime toUpper value
"""
FUNCTIONS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        **dict.fromkeys((*_OF_GO.split(), *_OF_PROMETHEUS.split()), (0, 0, 0)),
        "toDuration": (3, 6, 0),
        "now": (3, 6, 0),
        "urlQueryEscape": (3, 8, 0),
    }
)
"""By name, since which Prometheus; zero for those that all have."""
VALUE_FUNCTIONS = frozenset({"humanize", "humanize1024", "humanizePercentage", "humanizeDuration"})
KNOWN_IN_ADVANCE = (
    "`$value`, `$labels.x`, and `$value` through humanize, humanize1024, humanizePercentage,"
    ' humanizeDuration or printf "%.2f"'
)
"""The actions whose text can be worked out without a Prometheus; `shown_by` tells them."""
FIELDS = ("Labels", "Value", "ExternalLabels", "ExternalURL")
VARIABLES = ("labels", "value", "externalLabels", "externalURL")

_OPENING = frozenset({"if", "with", "range", "define", "block"})
_MOVE_DOT = frozenset({"with", "range", "define", "block"})
_KEYWORDS = _OPENING | {"else", "end", "template", "break", "continue"}
_CONSTANTS = frozenset({"nil", "true", "false"})
_FIXED_POINT = re.compile(r'"(?:[^%"\\]|%%)*%(?:\.\d{1,2})?f(?:[^%"\\]|%%)*"')
_COMMENT = re.compile(r"\{\{(?:- )?/\*.*?\*/(?: -)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<character>'(?:[^'\\\n]|\\.)+')
    | (?P<variable>\$\w*)
    | (?P<field>\.[^\W\d]\w*)
    | (?P<number>[+-]?(?:\d[\w.]*|\.\d[\w]*)(?:(?<=[eE])[+-]\d+)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>:=|[=|(),.])
    """,
    re.VERBOSE,
)


class TemplateSyntaxError(ObserveError):
    """A template that Prometheus would refuse.

    Attributes:
        offset: where in the text, in characters from 0.
        length: how many characters are to blame, at least 1.
        fix: what to do about it, or None.
    """

    def __init__(self, message: str, offset: int, length: int = 1, fix: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.length = length
        self.fix = fix


class TokenKind(StrEnum):
    """What a token of an action is."""

    STRING = "string"
    CHARACTER = "character"
    VARIABLE = "variable"
    FIELD = "field"
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"


class TemplateToken(NamedTuple):
    """A piece of an action; ``start`` counts characters of the whole template from 0."""

    kind: TokenKind
    text: str
    start: int
    joined: bool
    """Whether it follows the token before it without white space, as the `.x` of `$labels.x`."""

    @property
    def end(self) -> int:
        """Offset of the first character after it."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Action:
    """``{{ ... }}``; a comment has no tokens."""

    start: int
    end: int
    tokens: tuple[TemplateToken, ...]


class Shown(NamedTuple):
    """What an action shows: a label, or else the value; as it is, or through a function.

    Attributes:
        format: what `printf` is given, without its quotes.
    """

    label: str | None = None
    function: str | None = None
    format: str = ""


class LabelUse(NamedTuple):
    """A label of the alert's series that a template prints or tests."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """A template: its plain texts and actions in order, and the labels it uses."""

    pieces: tuple[str | Action, ...]
    labels: tuple[LabelUse, ...]


def parse_template(text: str, *, version: tuple[int, int, int] = (99, 0, 0)) -> Template:
    """Read ``text``; raises TemplateSyntaxError for what a Prometheus of that version refuses."""
    pieces = tuple(_split(text))
    checker = _Checker(version)
    for piece in pieces:
        if isinstance(piece, Action) and piece.tokens:
            checker.check(piece)
    checker.finish()
    return Template(pieces, tuple(checker.labels))


def shown_by(action: Action) -> Shown | None:
    """What ``action`` shows, if that is among `KNOWN_IN_ADVANCE`."""
    match tuple(token.text for token in action.tokens):
        case ("$labels" | ".Labels", field) if action.tokens[1].joined:
            return Shown(label=field.removeprefix("."))
        case ("$value" | ".Value",):
            return Shown()
        case (("$value" | ".Value"), "|", name) | (name, ("$value" | ".Value")):
            return Shown(function=name) if name in VALUE_FUNCTIONS else None
        case ("printf", text, "$value" | ".Value") | ("$value" | ".Value", "|", "printf", text):
            return (
                Shown(function="printf", format=text[1:-1])
                if _FIXED_POINT.fullmatch(text)
                else None
            )
        case _:
            return None


def _split(text: str) -> Iterator[str | Action]:
    at, trims = 0, False
    while (start := text.find("{{", at)) >= 0:
        comment = _COMMENT.match(text, start)
        action = Action(start, comment.end(), ()) if comment is not None else _action(text, start)
        plain = text[at:start]
        plain = plain.lstrip(" \t\r\n") if trims else plain
        if text.startswith("{{- ", start):
            plain = plain.rstrip(" \t\r\n")
        if plain:
            yield plain
        yield action
        at, trims = action.end, text[: action.end].endswith(" -}}")
    rest = text[at:]
    rest = rest.lstrip(" \t\r\n") if trims else rest
    if rest:
        yield rest


def _action(text: str, start: int) -> Action:
    at = start + (3 if text.startswith("{{- ", start) else 2)
    tokens: list[TemplateToken] = []
    joined = False
    while True:
        closed = 3 if text.startswith("-}}", at) and text[at - 1] in " \t\r\n" else 2
        if closed == 3 or text.startswith("}}", at):  # noqa: PLR2004 - as above
            return _closed(Action(start, at + closed, tuple(tokens)))
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _unreadable(text, start, at)
        if found.lastgroup == "space":
            joined = False
        else:
            kind = TokenKind(found.lastgroup)
            tokens.append(TemplateToken(kind, found[0], at, joined))
            joined = True
        at = found.end()


def _closed(action: Action) -> Action:
    if not action.tokens:
        length = action.end - action.start
        raise TemplateSyntaxError("there is nothing between `{{` and `}}`", action.start, length)
    return action


def _unreadable(text: str, start: int, at: int) -> TemplateSyntaxError:
    if at >= len(text) or text.startswith("{{", at) or "}}" not in text[start:]:
        return TemplateSyntaxError("`{{` is never closed", start, 2, "add `}}`")
    if text[at] in "\"`'":
        length = max(1, text.find("}}", at) - at)
        return TemplateSyntaxError(f"the string has no closing {text[at]}", at, length)
    fix = None
    if text[at] == "-" and re.search(r"[$.]labels?\.\w+$", text[start:at], re.IGNORECASE):
        fix = 'write `{{ index $labels "..." }}` for a label whose name is no Go name'
    return TemplateSyntaxError(f"unexpected character `{printable(text[at])}`", at, 1, fix)


class _Checker:
    """Goes through the actions in order, and keeps the open blocks and the variables."""

    def __init__(self, version: tuple[int, int, int]) -> None:
        self.labels: list[LabelUse] = []
        self._version = version
        self._open: list[TemplateToken] = []
        self._variables = set(VARIABLES)

    def check(self, action: Action) -> None:
        """Check one action that is no comment."""
        first, *rest = action.tokens
        if first.kind is not TokenKind.WORD or first.text not in _KEYWORDS:
            self._pipeline(list(action.tokens), action)
            return
        if first.text == "end":
            if not self._open:
                raise TemplateSyntaxError("`end` closes nothing", first.start, len(first.text))
            self._open.pop()
        elif first.text == "else":
            self._otherwise(first, rest, action)
        else:
            if first.text in _OPENING:
                self._open.append(first)
            if first.text in ("if", "with", "range"):
                if not rest:
                    message = f"nothing follows `{first.text}`"
                    raise TemplateSyntaxError(message, first.start, len(first.text))
                self._pipeline(rest, action)

    def _otherwise(self, first: TemplateToken, rest: list[TemplateToken], action: Action) -> None:
        if not self._open or self._open[-1].text in ("define", "block"):
            raise TemplateSyntaxError("`else` stands outside of `if`", first.start, 4)
        if rest and rest[0].text in ("if", "with"):
            self._pipeline(rest[1:], action)
        elif rest:
            raise TemplateSyntaxError(f"`{rest[0].text}` can't follow `else`", rest[0].start)

    def finish(self) -> None:
        """Every block is closed."""
        if self._open:
            opened = self._open[-1]
            message = f"`{opened.text}` is never closed"
            raise TemplateSyntaxError(message, opened.start, len(opened.text), "add `{{ end }}`")

    def _pipeline(self, tokens: list[TemplateToken], action: Action) -> None:
        tokens = self._declared(tokens)
        depth, starts_command, stage = 0, True, 1
        for index, token in enumerate(tokens):
            if token.text == "(" and token.kind is TokenKind.SIGN:
                depth, starts_command = depth + 1, True
                continue
            if token.text == ")" and token.kind is TokenKind.SIGN:
                depth -= 1
                if depth < 0:
                    raise TemplateSyntaxError("`)` closes nothing", token.start)
            elif token.text == "|" and token.kind is TokenKind.SIGN:
                if starts_command:
                    raise TemplateSyntaxError("nothing stands before `|`", token.start)
                starts_command, stage = True, stage + 1
                _check_stage(tokens, index)
                continue
            else:
                self._operand(tokens, index)
            starts_command = False
        if depth:
            opened = next(t for t in tokens if t.text == "(")
            raise TemplateSyntaxError("`(` is never closed", opened.start)
        if starts_command and not (tokens and tokens[-1].text == "|"):
            place = tokens[-1] if tokens else action.tokens[-1]
            raise TemplateSyntaxError(
                f"nothing follows `{place.text}`", place.start, len(place.text)
            )

    def _declared(self, tokens: list[TemplateToken]) -> list[TemplateToken]:
        """The tokens behind ``$x :=``, ``$x =`` or ``$i, $x :=``, whose variables are new."""
        signs = [
            i for i, t in enumerate(tokens) if t.text in (":=", "=") and t.kind is TokenKind.SIGN
        ]
        if not signs:
            return tokens
        named = [t for t in tokens[: signs[0]] if t.kind is TokenKind.VARIABLE]
        if tokens[signs[0]].text == ":=":
            self._variables |= {t.text[1:] for t in named}
        return tokens[signs[0] + 1 :]

    def _operand(self, tokens: list[TemplateToken], index: int) -> None:
        token = tokens[index]
        match token.kind:
            case TokenKind.WORD if token.text not in _CONSTANTS:
                self._function(token)
                if token.text == "index" and index + 2 < len(tokens):
                    self._indexed(tokens[index + 1], tokens[index + 2])
            case TokenKind.VARIABLE:
                self._variable(tokens, index)
            case TokenKind.FIELD if not token.joined and not self._dot_moved:
                self._field(tokens, index)
            case TokenKind.SIGN if token.text in ("=", ":=", ","):
                raise TemplateSyntaxError(
                    f"unexpected `{token.text}`", token.start, len(token.text)
                )
            case _:
                pass

    @property
    def _dot_moved(self) -> bool:
        return any(opened.text in _MOVE_DOT for opened in self._open)

    def _function(self, token: TemplateToken) -> None:
        since = FUNCTIONS.get(token.text)
        if since is None:
            message = f"there is no template function `{token.text}`"
            fix = did_you_mean(token.text, tuple(FUNCTIONS))
            if token.text in VARIABLES:
                fix = f"write `${token.text}`"
            raise TemplateSyntaxError(message, token.start, len(token.text), fix)
        if self._version < since:
            message = f"the function `{token.text}` needs Prometheus {since[0]}.{since[1]}"
            raise TemplateSyntaxError(message, token.start, len(token.text))

    def _variable(self, tokens: list[TemplateToken], index: int) -> None:
        token = tokens[index]
        name = token.text[1:]
        if name and name not in self._variables:
            known = [f"${variable}" for variable in sorted(self._variables)]
            fix = did_you_mean(token.text, known)
            message = f"there is no variable `{token.text}`"
            raise TemplateSyntaxError(message, token.start, len(token.text), fix)
        chain = _chain(tokens, index + 1)
        if name == "labels":
            self._labels(token, chain)
        elif name == "value" and chain:
            message = "`$value` is a number and has no fields"
            raise TemplateSyntaxError(message, chain[0].start, len(chain[0].text))
        elif not name and chain:
            self._chain_of_dot(chain)

    def _field(self, tokens: list[TemplateToken], index: int) -> None:
        self._chain_of_dot([tokens[index], *_chain(tokens, index + 1)])

    def _chain_of_dot(self, chain: list[TemplateToken]) -> None:
        first = chain[0]
        if first.text[1:] not in FIELDS:
            known = [f".{name}" for name in FIELDS]
            message = f"an alert's template has no `{first.text}`"
            fix = did_you_mean(first.text, known)
            raise TemplateSyntaxError(message, first.start, len(first.text), fix)
        if first.text == ".Labels":
            self._labels(first, chain[1:])

    def _labels(self, whole: TemplateToken, chain: list[TemplateToken]) -> None:
        if not chain:
            return
        if len(chain) > 1:
            message = "a label is a text and has no fields"
            raise TemplateSyntaxError(message, chain[1].start, len(chain[1].text))
        self.labels.append(LabelUse(chain[0].text[1:], whole.start, chain[0].end))

    def _indexed(self, container: TemplateToken, label: TemplateToken) -> None:
        if container.text == "$labels" and label.kind is TokenKind.STRING and not label.joined:
            self.labels.append(LabelUse(label.text[1:-1], label.start, label.end))


def _check_stage(tokens: list[TemplateToken], index: int) -> None:
    """Only a function can take what is piped."""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if after is None:
        return  # Go lets it pass
    values = (TokenKind.STRING, TokenKind.NUMBER, TokenKind.CHARACTER)
    if after.kind in values or (after.kind is TokenKind.WORD and after.text in _CONSTANTS):
        message = f"`{after.text}` is no function, so nothing can be passed on to it"
        raise TemplateSyntaxError(message, after.start, len(after.text))


def _chain(tokens: list[TemplateToken], at: int) -> list[TemplateToken]:
    """The fields that follow without white space: ``.x`` and ``.y`` of ``$v.x.y``."""
    found = []
    while at < len(tokens) and tokens[at].kind is TokenKind.FIELD and tokens[at].joined:
        found.append(tokens[at])
        at += 1
    return found
