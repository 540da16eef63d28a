"""Finds secrets in a text: one scan for anchors, and at each the way to tell for sure."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.secrets.anchors import (
    Branch,
    assignment_branches,
    choose_anchor,
    compile_branches,
    literal_branch,
)
from autogpt_observe.secrets.findings import Finding, add_finding
from autogpt_observe.secrets.kinds import (
    AWS_SECRET,
    BASIC,
    BEARER,
    EMAIL,
    FORMATS,
    PRIVATE_KEY,
    URL_CREDENTIALS,
)
from autogpt_observe.secrets.places import (
    find_aws_secret,
    find_basic,
    find_bearer,
    find_email,
    find_private_key,
    find_private_key_end,
    find_url_credentials,
)
from autogpt_observe.secrets.values import find_assigned, find_flagged, find_paired

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from autogpt_observe.secrets.keys import KeyNames
    from autogpt_observe.secrets.kinds import Format

    Finder = Callable[[str, int, int], Finding | None]
    """Looks closer: the text, where the literal stands, and the end of what was found before."""

_GLUED = re.compile(
    r"(?:\\[abfnrtv]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|\x1b\[[\d;]{0,8}m)\Z"
)
"""What ends in a letter or digit and is part of no word: escapes, and colours of a terminal."""
_LONGEST_GLUED = 12


class _Way(NamedTuple):
    """A way to recognise a secret: its literal, the anchor's place in it, and what makes sure."""

    literal: str
    back: int
    finder: Finder
    branch: Branch

    @property
    def sign(self) -> str:
        """What it is looked up by: the anchor, with what stands before it in the literal."""
        return self.literal[max(0, self.back - 1) : self.back + 1]


class Scanner:
    """Finds the secrets of some kinds; keeps nothing of the texts it reads.

    Args:
        kinds: the kinds to find, of `kinds.KINDS`.
        names: which names say that their value is a secret; None to leave names aside.
    """

    def __init__(self, kinds: Collection[str], *, names: KeyNames | None = None) -> None:
        ways = [*_format_ways(kinds), *_place_ways(kinds)]
        if names is not None:
            ways += _name_ways(names)
        by_sign: dict[str, list[_Way]] = {}
        for way in sorted(ways, key=lambda way: -len(way.literal)):
            by_sign.setdefault(way.sign, []).append(way)
        self._ways = {sign: tuple(same) for sign, same in by_sign.items()}
        self._aws_secrets = AWS_SECRET in kinds
        self.look = compile_branches(dict.fromkeys(way.branch for way in ways)).search
        """Finds the next anchor; a text in which it finds none holds no secret."""

    def find(self, text: str) -> list[Finding]:
        """Every secret of ``text``, in order; they don't overlap. Takes time linear in the text."""
        found: list[Finding] = []
        at = 0
        while (anchor := self.look(text, at)) is not None:
            at = anchor.end()
            new = self._find_at(text, at - 1, found[-1].end if found else 0)
            if new is None:
                continue
            add_finding(found, new)
            if self._aws_secrets and (secret := find_aws_secret(text, new)) is not None:
                add_finding(found, secret)
            at = max(at, new.end)
        return found

    def _find_at(self, text: str, anchor: int, done: int) -> Finding | None:
        for sign in (text[anchor - 1 : anchor + 1], text[anchor]):
            for literal, back, finder, _ in self._ways.get(sign, ()):
                start = anchor - back
                if start >= 0 and text.startswith(literal, start):
                    new = finder(text, start, done)
                    if new is not None:
                        return new
        return None


def _format_ways(kinds: Collection[str]) -> Iterator[_Way]:
    for format_ in FORMATS:
        if format_.kind in kinds:
            for literal in format_.literals:
                for offset in format_.offsets:
                    yield _literal_way(literal, _format_finder(format_, offset))


def _format_finder(format_: Format, offset: int) -> Finder:
    def find(text: str, literal: int, _done: int) -> Finding | None:
        start = literal - offset
        if start < 0 or (format_.whole and not _begins_word(text, start)):
            return None
        found = _compiled(format_.pattern).match(text, start)
        if found is None:
            return None
        return Finding(format_.kind, *found.span("secret" if found.re.groups else 0))

    return find


def _place_ways(kinds: Collection[str]) -> Iterator[_Way]:
    """The kinds that are known by what stands around them."""
    at_sign = Branch("@", r"(?<=\S@)(?=[\w\[])")
    if URL_CREDENTIALS in kinds:
        yield _Way("@", 0, _plain(find_url_credentials), at_sign)
    if EMAIL in kinds:
        yield _Way("@", 0, _plain(find_email), at_sign)
        yield _Way("%40", 0, _plain(find_email), Branch("%", r"(?=40[^\W_])"))
    if PRIVATE_KEY in kinds:
        yield _literal_way("-----BEGIN ", _plain(find_private_key))
        yield _literal_way("-----END ", find_private_key_end)
    if BEARER in kinds:
        yield from (_literal_way(f"{word} ", _plain(find_bearer)) for word in ("Bearer", "BEARER"))
    if BASIC in kinds:
        yield from (_literal_way(f"{word} ", _plain(find_basic)) for word in ("Basic", "BASIC"))


def _name_ways(names: KeyNames) -> Iterator[_Way]:
    for branch in assignment_branches(names.endings()):
        yield _Way(branch.char, 0, lambda text, at, _: find_assigned(text, at, names), branch)
    pair = Branch("(", r"(?=[bBuU]?[\"'`\\])")
    yield _Way("(", 0, lambda text, at, _: find_paired(text, at, names), pair)
    flagged = Branch("-", r"(?<![\w-]-)(?=-[A-Za-z])")
    yield _Way("--", 0, lambda text, at, _: find_flagged(text, at, names), flagged)


def _literal_way(literal: str, finder: Finder) -> _Way:
    return _Way(literal, choose_anchor(literal).at, finder, literal_branch(literal))


def _plain(finder: Callable[[str, int], Finding | None]) -> Finder:
    return lambda text, at, _done: finder(text, at)


def _begins_word(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    if not (before.isascii() and before.isalnum()):
        return True
    return _GLUED.search(text[max(0, start - _LONGEST_GLUED) : start]) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
