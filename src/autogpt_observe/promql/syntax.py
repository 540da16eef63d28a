"""Whether an expression is valid PromQL, without a Prometheus."""

from __future__ import annotations

import re
from itertools import pairwise

from autogpt_observe.promql.build import quote_string
from autogpt_observe.promql.references import unquote_string
from autogpt_observe.promql.scanner import Kind, PromQLError, Token, grammatical, scan

_QUOTED_WORD = re.compile(r"'([A-Za-z_][A-Za-z0-9_]*)'")
_REGEX = re.compile(r"illegal regex for (.*)", re.DOTALL)
_DURATION = re.compile(r"not a valid duration string: (\S+)")
_TYPE = re.compile(r"\b(?:matrix|(?<!instant )vector(?! selector| type))\b")
_TYPES = {"matrix": "range vector", "vector": "instant vector"}
_UNBALANCED = ("left parenthesis", "right parenthesis", "end of input")
_UNEXPLAINED = "invalid promql query"
_HOLT_WINTERS = "holt_winters"
_MOST_TOKENS = 4000
"""The library recurses on the stack and takes the process with it at about 10,000 tokens."""
_OPERATORS = frozenset({"and", "or", "unless", "atan2"})
_CONNECTING = (
    _OPERATORS
    | {"offset", "bool", "by", "without"}
    | {"on", "ignoring", "group_left", "group_right"}
)
_OPENING, _CLOSING = "([{", ")]}"


def parse_error(text: str) -> PromQLError | None:
    """What is wrong with ``text``, or None; syntax and types, by the library `promql_parser`.

    The library knows no positions: the offset is the best that its message and the tokens allow,
    else the whole expression. It speaks the PromQL of Prometheus 3, so what only older or only
    newer servers take (`info()`, `x > 15m`) is for `promtool` to find.
    """
    import promql_parser  # noqa: PLC0415 - a compiled library that most commands never need

    try:
        tokens = scan(text)
    except PromQLError as error:
        return error
    if len(tokens) > _MOST_TOKENS:
        message = f"the expression has {len(tokens)} tokens; at most {_MOST_TOKENS} are supported"
        return PromQLError(message, 0, len(text))
    try:
        promql_parser.parse("".join(_plain(token) for token in tokens))
    except ValueError as error:
        return _located(str(error), text, grammatical(tokens))
    return None


def _plain(token: Token) -> str:
    # The library reads escapes in raw strings too, and has forgotten the old name of a function.
    if token.kind is Kind.STRING and token.text.startswith("`"):
        return quote_string(unquote_string(token.text))
    if token.text == _HOLT_WINTERS:
        return "double_exponential_smoothing"
    return token.text


def _located(said: str, text: str, tokens: list[Token]) -> PromQLError:
    message = _TYPE.sub(lambda found: _TYPES[found[0]], " ".join(said.split()))
    if not tokens:
        return PromQLError("there is no expression", 0, max(1, len(text)))
    if message == _UNEXPLAINED or any(hint in message for hint in _UNBALANCED):
        return _unbalanced(tokens) or _misplaced(tokens, message)
    blamed = _blamed(said, tokens)
    if blamed is not None:
        return PromQLError(message, blamed.start, len(blamed.text))
    return PromQLError(message, tokens[0].start, tokens[-1].end - tokens[0].start)


def _blamed(said: str, tokens: list[Token]) -> Token | None:
    regex = _REGEX.match(said)
    if regex is not None:
        strings = (token for token in tokens if token.kind is Kind.STRING)
        return next((s for s in strings if unquote_string(s.text) == regex[1]), None)
    duration = _DURATION.match(said)
    words = [duration[1]] if duration is not None else _QUOTED_WORD.findall(said)
    return next((token for word in words for token in tokens if token.text == word), None)


def _unbalanced(tokens: list[Token]) -> PromQLError | None:
    opened: list[Token] = []
    for token in tokens:
        if token.kind is not Kind.PUNCTUATION:
            continue
        if token.text in _OPENING:
            opened.append(token)
        elif token.text in _CLOSING:
            if not opened or _OPENING.index(opened[-1].text) != _CLOSING.index(token.text):
                return PromQLError(f"`{token.text}` closes nothing", token.start)
            opened.pop()
    if not opened:
        return None
    return PromQLError(f"`{opened[-1].text}` is never closed", opened[-1].start)


def _misplaced(tokens: list[Token], message: str) -> PromQLError:
    last = tokens[-1]
    if last.text in _OPERATORS or (last.kind is Kind.PUNCTUATION and last.text not in _CLOSING):
        return PromQLError(f"nothing follows `{last.text}`", last.start, len(last.text))
    for before, after in pairwise(tokens):
        if before.kind is Kind.IDENTIFIER and after.kind is Kind.IDENTIFIER:
            pair = f"`{before.text}` and `{after.text}`"
            if not {before.text.lower(), after.text.lower()} & _CONNECTING:
                return PromQLError(
                    f"no operator stands between {pair}", after.start, len(after.text)
                )
    whole = tokens[-1].end - tokens[0].start
    said = "not a PromQL expression" if message == _UNEXPLAINED else message
    return PromQLError(said, tokens[0].start, whole)
