"""What was found wrong, where, and how to mend it.

Every stage that reads user input adds to a :class:`Report` instead of raising, so one run shows
all findings; the edge (the command line, ``obs.init``) raises one :class:`SpecError`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.errors import ObserveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autogpt_observe.secrets.scanner import Scanner

EXCERPT_WIDTH = 120
"""Longest piece of a source line that a caret excerpt shows, in characters."""
_LONGEST_TEXT = 800
_FEW_WORDS = 200

_SECRETS = re.compile(
    r"""
      \b[\w.%+-]{1,100}:[^\s:/@'"]{1,200}(?=@[\w.-]{1,200}:\d)  # user:password@host:port
    | (?<=api\.telegram\.org/bot)[^\s'"]{1,500}
    | (?i:(?<=[?&])(?:access_token|api_?key|auth|key|secret|sig|signature|token)=)[^\s&'"]{1,500}
    | (?i:(?:passw(?:or)?d|token|api_?key|(?:access|private|routing|secret|signing)_?key
        |client_?secret|credentials?|authorization|api_url(?=_file)|\burl(?=_file))
        (?:_file(?=["']?[ ]*:[ ]+["']?(?:https?:|[^\s/.,"'}]{16})))?["']?[ ]*:[ ]+)
      (?P<value>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s\[{|>"'][^\n]*)
    """,
    re.VERBOSE,
)
"""What the spec's own language, YAML, puts where secrets are: behind a key, to the line's end.

The formats of secrets are known to `secrets.Scanner`.
"""
_BLOT = "*"


class Severity(StrEnum):
    """How much a finding weighs: an error makes the spec unusable, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Source:
    """One text that was read: the name shown to the user, and the text itself."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The text's lines, without their line ends."""
        return tuple(self.text.split("\n"))


class Span(NamedTuple):
    """A stretch of one line of a source. ``line`` and ``column`` count from 1, in characters."""

    source: Source
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    Attributes:
        id: stable name of the check (``spec/unknown-key``), shared with its test and doc section.
        message: what is there and what was expected, one sentence, no full stop.
        fix: what to do about it, or None where the message already says so.
        at: where; None only for findings about no text at all (a file that can't be read).
    """

    id: str
    message: str
    at: Span | None = None
    fix: str | None = None
    severity: Severity = Severity.ERROR


class SpecError(ObserveError):
    """A spec that can't be used.

    Attributes:
        diagnostics: every finding of the run, errors and warnings, in the order of the text.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(format_diagnostics(self.diagnostics))


class Report:
    """Collects the findings of one run."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def error(self, id_: str, message: str, at: Span | None, *, fix: str | None = None) -> None:
        """Add an error; one that was already added (the same text read twice) is kept once."""
        self.add(Diagnostic(id=id_, message=message, at=at, fix=fix))

    def warn(self, id_: str, message: str, at: Span | None, *, fix: str | None = None) -> None:
        """Add a warning."""
        found = Diagnostic(id=id_, message=message, at=at, fix=fix, severity=Severity.WARNING)
        self.add(found)

    def add(self, found: Diagnostic) -> None:
        """Add a finding made elsewhere; its texts are kept without secrets and not too long."""
        fix = found.fix and _for_people(found.fix)
        self._found[replace(found, message=_for_people(found.message), fix=fix)] = None

    @property
    def has_errors(self) -> bool:
        """Whether any finding so far is an error."""
        return any(found.severity is Severity.ERROR for found in self._found)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, in the order of the text they point into."""
        return tuple(sorted(self._found, key=_reading_order))


def suggest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that ``word`` is most likely a slip of, or None when nothing is near.

    ``likeness`` is how near is near enough, from 0 to 1: the ratio of `difflib`.
    """
    words = tuple(known)
    if len(words) > _FEW_WORDS:
        words = _sharing_most(word, words)
    import difflib  # noqa: PLC0415  # seldom needed

    near = difflib.get_close_matches(word[:_FEW_WORDS], words, n=1, cutoff=likeness)
    return near[0] if near else None


def _sharing_most(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    # Comparing with each of ten thousand names takes a tenth of a second for every finding.
    by_piece = _by_piece(words)
    shared = Counter(near for piece in _pieces(word) for near in by_piece.get(piece, ()))
    return tuple(near for near, _ in shared.most_common(20))


@lru_cache(maxsize=8)
def _by_piece(words: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        for piece in _pieces(word):
            listed = found.setdefault(piece, [])
            if len(listed) < _FEW_WORDS:
                listed.append(word)
    return found


def _pieces(word: str) -> set[str]:
    padded = f"^{word}$"[:_FEW_WORDS]
    return {padded[at : at + 4] for at in range(len(padded) - 3)}


def did_you_mean(word: str, known: Sequence[str], *, most: int = 8) -> str:
    """The fix for an unknown word: the nearest known one, else a list of the known ones."""
    near = suggest(word, known)
    if near is not None:
        return f"did you mean `{near}`?"
    if not known:
        return "nothing is declared there"
    listed = ", ".join(f"`{name}`" for name in known[:most])
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"known: {listed}{more}"


def format_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """The findings as plain text: place, severity, id, excerpt with a caret, fix."""
    return "\n".join(format_diagnostic(found) for found in diagnostics)


def format_diagnostic(found: Diagnostic) -> str:
    """One finding as plain text, of one to five lines, without a line end."""
    place = f"{printable(str(found.at))}: " if found.at is not None else ""
    lines = [f"{place}{found.severity}: {printable(found.message)} [{found.id}]"]
    if found.at is not None:
        lines += _excerpt(found.at)
    if found.fix is not None:
        lines.append(f"  = {printable(found.fix)}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """``text`` with what could disturb a terminal (control and bidi characters) escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def looks_secret(text: str) -> bool:
    """Whether any part of ``text`` looks like a secret."""
    return _SECRETS.search(text) is not None or bool(_scanner().find(text))


def hide_secrets(text: str) -> str:
    """``text`` with what looks like a secret blotted out, character by character.

    Passwords in URLs, the tokens of well-known services, and what stands behind keys such as
    ``password:``. A finding about a spec is read in public build logs; a secret that strayed into
    the spec must not follow it there.
    """
    for found in reversed(_scanner().find(text)):
        blot = _BLOT * (found.end - found.start)
        text = f"{text[: found.start]}{blot}{text[found.end :]}"
    return _SECRETS.sub(_blotted, text)


@cache
def _scanner() -> Scanner:
    """Finds all that has a format, but e-mail addresses: those in a spec are meant to be read."""
    from autogpt_observe.secrets.kinds import EMAIL, KINDS  # noqa: PLC0415  # as below
    from autogpt_observe.secrets.scanner import Scanner  # noqa: PLC0415  # compiles a lot

    return Scanner(frozenset(KINDS) - {EMAIL})


def _blotted(found: re.Match[str]) -> str:
    kept = found.start("value") - found.start() if found["value"] is not None else 0
    return found[0][:kept] + _BLOT * (len(found[0]) - kept)


def _for_people(text: str) -> str:
    text = hide_secrets(text[: 2 * _LONGEST_TEXT])
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."


def _width(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.category(char) in ("Mn", "Me") for char in text)


def _excerpt(at: Span) -> list[str]:
    lines = at.source.lines
    if not 0 < at.line <= len(lines):
        return []
    cut = max(0, at.column - 1 - _LONGEST_TEXT)  # a line can hold a whole file
    start, end = at.column - 1 - cut, at.column - 1 - cut + at.length
    line = hide_secrets(lines[at.line - 1][cut : cut + end + _LONGEST_TEXT].rstrip("\r"))
    before, marked, after = line[:start], line[start:end], line[end:]
    if len(before) > EXCERPT_WIDTH // 2:
        before = "..." + before[-EXCERPT_WIDTH // 2 :]
    marked = marked[: EXCERPT_WIDTH // 2]
    shown = [printable(part.replace("\t", " ")) for part in (before, marked, after[:EXCERPT_WIDTH])]
    gutter = f"{at.line:>5} | "
    caret = " " * _width(shown[0]) + "^" * max(1, _width(shown[1]))
    return [(gutter + "".join(shown)).rstrip(), f"{'':>5} | {caret}"]


def _reading_order(found: Diagnostic) -> tuple[str, int, int, str]:
    if found.at is None:
        return ("", 0, 0, found.id)
    return (found.at.source.name, found.at.line, found.at.column, found.id)
