"""Finds the value that a text gives to a name: `name=value`, `"name": "value"`, `--name value`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.secrets.findings import PLACEHOLDER, Finding

if TYPE_CHECKING:
    from autogpt_observe.secrets.keys import KeyNames


_FURTHEST = 96
_QUOTE = r"[\"'`]"
_NAME_BEFORE = re.compile(rf"[ \t]{{0,4}}+(?:{_QUOTE}(?:\\){{0,15}}+)?+([\w.\-\[\]]{{2,80}})")
"""The name that ends before a sign, in a text that is read backwards."""
_PLACEHOLDER_BEFORE = "[redacted:"[::-1]
_PAIR = re.compile(
    rf"\([bBuU]?((?:\\){{0,15}}+{_QUOTE})([\w.-]{{2,80}})\1,[ \t]?+(?=[bBuU]?\\*+{_QUOTE})"
)
_FLAG = re.compile(
    rf"--([A-Za-z][\w.-]{{1,60}}+)(?:=|[ \t]{{1,4}}+|{_QUOTE},[ \t]?+(?={_QUOTE}))(?!-)"
)
_SIGN = re.compile(r"(?:=>|:=|={1,3}+|:{1,2}+|>)(?P<gap>[ \t]{0,8}+)(?:\r?\n[ \t]{1,40}+)?+")
_OPENING = re.compile(rf"[bBuUrRfF]{{0,2}}+((?:\\){{0,15}}+{_QUOTE})")
_BARE_BODY = {quote: re.compile(rf"(?:[^{quote}\\]|\\.)*+", re.DOTALL) for quote in ('"', "'", "`")}
_LIST = re.compile(r"[\[(][^\])\n]*+[\])]?+[^\s\"'`,;&<>)\]}]*+")
_PLAIN = r"(?:[^\s\"'`,;&<>)\]}\\]|\\(?![\\]*[\"'`]))"
_UNQUOTED = re.compile(rf"{_PLAIN}++(?:[,;&)\]}}]++(?![\w.%-]{{1,40}}+[=:]){_PLAIN}++)*+")
_LINE = re.compile(r"(?:[^\r\n\"'`\\]|\\(?![\\]*[\"'`rn]))++")
_SCHEME = re.compile(r"(?i:bearer|basic|token|negotiate|ntlm|api-?key|bot|key)[ \t]{1,4}+(?=\S)")
_LONG_SCHEME = re.compile(r"(?i:digest|hawk|oauth|signature|aws4-hmac-sha256)[ \t]")
_NOTHING = re.compile(r"(?i:none|null|nil|undefined|true|false|not[ _-]?set|\W*)")
_WORDY = re.compile(r"[A-Za-z]{1,24}[.,:;!?]?")
_MORE_PROSE = re.compile(r"[ \t]+[A-Za-z]")
_SHORT_NUMBER = re.compile(r"\d{1,4}")
_LONGEST_WORD = 32
_WEAK = frozenset({"token", "secret", "cookie", "credentials", "authorization", "custom-key"})
"""Kinds whose names are common words of prose: `Invalid token: unexpected end`."""


def find_assigned(text: str, at: int, names: KeyNames) -> Finding | None:
    """The secret that is given to the name before the sign (`=`, `:` or `>`) at ``at``."""
    before = text[max(0, at - _FURTHEST) : at][::-1]
    named = _NAME_BEFORE.match(before)
    if named is None or (
        text[at] == ">" and before[named.end() : named.end() + 1] not in ("<", ":")
    ):
        return None
    if before.startswith(_PLACEHOLDER_BEFORE, named.end()):
        return None
    in_query = before[named.end() : named.end() + 1] in ("?", "&")
    kind = (names.kind_in_query if in_query else names.kind)(named[1][::-1])
    sign = _SIGN.match(text, at)
    if kind is None or sign is None:
        return None
    loose = text[at] == ":" and sign.end() > sign.start("gap")
    return _find_value(text, sign.end(), kind, loose=loose)


def find_flagged(text: str, at: int, names: KeyNames) -> Finding | None:
    """The secret behind the flag of a command line whose two dashes stand at ``at``."""
    flag = _FLAG.match(text, at)
    kind = names.kind(flag[1]) if flag is not None else None
    if flag is None or kind is None:
        return None
    return _find_value(text, flag.end(), kind, loose=text[flag.end() - 1] in " \t")


def find_paired(text: str, at: int, names: KeyNames) -> Finding | None:
    """The secret in a pair of Python, ``('name', 'value')``, whose bracket stands at ``at``."""
    pair = _PAIR.match(text, at)
    kind = names.kind(pair[2]) if pair is not None else None
    if pair is None or kind is None:
        return None
    return _find_value(text, pair.end(), kind, loose=False)


def _find_value(text: str, start: int, kind: str, *, loose: bool) -> Finding | None:
    """The value that begins at ``start``; ``loose`` says that prose may stand there as well."""
    opening = _OPENING.match(text, start)
    if opening is not None:
        end = _end_of_quoted(text, opening.end(), opening[1])
        return _found(text, kind, opening.end(), end)
    placeholder = PLACEHOLDER.match(text, start)
    if placeholder is not None and not text[placeholder.end() : placeholder.end() + 1].isalnum():
        return None
    if text[start : start + 1] in ("[", "("):
        listed = _LIST.match(text, start)
        return _found(text, kind, start, listed.end()) if listed is not None else None
    end_or_none = _end_of_unquoted(text, start, kind, loose=loose)
    return _found(text, kind, start, end_or_none) if end_or_none is not None else None


def _found(text: str, kind: str, start: int, end: int) -> Finding | None:
    value = text[start : min(end, start + 64)]
    if end == start or _NOTHING.fullmatch(value) or PLACEHOLDER.fullmatch(value):
        return None
    return Finding(kind, start, end)


def _end_of_quoted(text: str, start: int, quote: str) -> int:
    """Where the text behind an opening quote ends; that of the line where nothing closes it."""
    if len(quote) == 1:
        end = _match_end(_BARE_BODY[quote], text, start)
    else:
        end = _end_of_escaped(text, start, quote)
    if end < len(text):
        return end
    newline = text.find("\n", start)
    return len(text) if newline < 0 else newline


def _end_of_escaped(text: str, start: int, quote: str) -> int:
    """The first ``quote`` (backslashes and a quotation mark) with no backslash more before it."""
    end = text.find(quote, start)
    while end > start and text[end - 1] == "\\":
        end = text.find(quote, end + len(quote))
    return len(text) if end < 0 else end


def _end_of_unquoted(text: str, start: int, kind: str, *, loose: bool) -> int | None:
    if kind == "authorization":
        if _LONG_SCHEME.match(text, start):
            return _match_end(_LINE, text, start)
        scheme = _SCHEME.match(text, start)
        if scheme is not None:
            return _match_end(_UNQUOTED, text, scheme.end())
    value = _UNQUOTED.match(text, start)
    if value is None or (loose and _is_prose(text, value, kind)):
        return None
    return _match_end(_LINE, text, start) if kind == "cookie" else value.end()


def _is_prose(text: str, value: re.Match[str], kind: str) -> bool:
    """Whether a value reads like a word of a sentence: behind a colon one can't be sure."""
    if value.end() - value.start() > _LONGEST_WORD or kind not in _WEAK:
        wordy = _WORDY.fullmatch(value[0]) is not None
        return wordy and _MORE_PROSE.match(text, value.end()) is not None
    return _WORDY.fullmatch(value[0]) is not None or _SHORT_NUMBER.fullmatch(value[0]) is not None


def _match_end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()
