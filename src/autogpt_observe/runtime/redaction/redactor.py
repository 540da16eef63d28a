"""Replaces secrets in texts and in nested data, before they leave the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.runtime.redaction.nested import MOST_ITEMS, Walk
from autogpt_observe.secrets.findings import PLACEHOLDER, Finding, add_finding, placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.redaction.patterns import CustomPattern
    from autogpt_observe.secrets.keys import KeyNames
    from autogpt_observe.secrets.scanner import Scanner

UNREADABLE = "unreadable"
_MOST_NAMES = 4_096
_MOST_PASSES = 8
"""Where secrets touch one another, one may show its end only when the next is gone."""
_PLAIN = frozenset({int, float, bool, type(None)})


class Redactor:
    """Replaces secrets by their kind: ``[redacted:openai-api-key]``.

    Pure: no output, no clock, nothing kept of what it reads (of fields' names, hashes). It never
    raises: what it can't read it replaces as a whole. Any number of threads may share one. What is
    redacted already it leaves alone.

    Args:
        make_scanner: gives what finds the built-in kinds and secrets behind names; called at the
            first text, since compiling takes some milliseconds.
        names: which names of fields say that their value is a secret.
        patterns: what else to replace.
    """

    __slots__ = ("_harmless", "_look", "_make_scanner", "_names", "_patterns", "_scanner")

    def __init__(
        self,
        make_scanner: Callable[[], Scanner],
        *,
        names: KeyNames,
        patterns: tuple[CustomPattern, ...] = (),
    ) -> None:
        self._make_scanner = make_scanner
        self._scanner: Scanner | None = None
        self._look: Callable[[str], object] = self._first_look
        self._names = names
        self._patterns = patterns
        self._harmless: set[int] = set()

    def text(self, text: str) -> str:
        """``text`` without secrets: the same object where there is none."""
        try:
            return text if self._look(text) is None else self._redact(text)
        except Exception:  # noqa: BLE001 - it neither raises nor lets pass what it could not read
            return placeholder(UNREADABLE)

    def value(self, key: str | None, value: object) -> object:
        """``value``, which stands under ``key``, without secrets: the same object if it has none.

        Reads texts, bytes, mappings, lists, tuples, sets and deques to a depth, and copies what it
        changes: a mapping becomes a dict, a subclass what it extends, a deque a list. Where the
        name says that the value is a secret the whole of it is replaced, unless it is None, True,
        False or empty. Other objects, exceptions among them, come back as they are: give what is
        written of them to `text`.
        """
        try:
            kind = None if key is None or self._is_harmless(key) else self._names.kind(key)
            if kind is None:
                if type(value) is str:
                    return self.text(value)
                if type(value) is dict and self._is_clean(value):
                    return value
            return Walk(self.text, self._kind_unless_harmless, MOST_ITEMS).under(kind, value)
        except Exception:  # noqa: BLE001 - as in `text`
            return placeholder(UNREADABLE)

    def _is_clean(self, fields: dict[object, object]) -> bool:
        """Whether fields are flat and free of secrets, as those of most events are.

        One look at all texts is a third cheaper than one at each, and what differs, a secret that
        seems to go on in the next text, is read again, each by itself.
        """
        if hash(tuple(fields)) not in self._harmless and not self._have_harmless_names(fields):
            return False
        texts = []
        for value in fields.values():
            kind = type(value)
            if kind is str:
                texts.append(value)
            elif kind not in _PLAIN:
                return False
        return self._look("\n".join(texts)) is None  # type: ignore[arg-type]  # they are texts

    def _have_harmless_names(self, fields: dict[object, object]) -> bool:
        if not all(type(name) is str and self._is_harmless(name) for name in fields):
            return False
        self._remember(hash(tuple(fields)))
        return True

    def _remember(self, number: int) -> None:
        if len(self._harmless) < _MOST_NAMES:
            self._harmless.add(number)

    def _is_harmless(self, name: str) -> bool:
        """Whether a name is no secret itself and says nothing of its value.

        Such names are remembered, by their hash: a name may be a secret too, and no text is kept.
        """
        number = hash(name)
        if number in self._harmless:
            return True
        if self._names.kind(name) is not None or self.text(name) is not name:
            return False
        self._remember(number)
        return True

    def _kind_unless_harmless(self, name: str) -> str | None:
        return None if self._is_harmless(name) else self._names.kind(name)

    def _first_look(self, text: str) -> object:
        self._scanner = self._make_scanner()
        # A pattern of the user's own may match anything: with one, every text is read in full.
        self._look = _always if self._patterns else self._scanner.look
        return self._look(text)

    def _redact(self, text: str) -> str:
        if type(text) is not str:
            text = str.__str__(text)  # a subclass may slice in its own way
        for _ in range(_MOST_PASSES):
            found = self._find(text)
            if not found:
                break
            text = replace_findings(text, found)
        return text

    def _find(self, text: str) -> list[Finding]:
        found = self._scanner.find(text) if self._scanner is not None else []
        return self._with_patterns(text, found) if self._patterns else found

    def _with_patterns(self, text: str, found: list[Finding]) -> list[Finding]:
        done = [hit.span() for hit in PLACEHOLDER.finditer(text)]
        own = [
            Finding(pattern.name, start, end)
            for pattern in self._patterns
            for start, end in pattern.find(text)
            if not any(start < its_end and its_start < end for its_start, its_end in done)
        ]
        if not own:
            return found
        merged: list[Finding] = []
        for finding in sorted((*own, *found), key=lambda each: (each.start, -each.end)):
            add_finding(merged, finding)
        return merged


def replace_findings(text: str, found: list[Finding]) -> str:
    """``text`` with what was found, in order, replaced by its kind."""
    pieces: list[str] = []
    at = 0
    for kind, start, end in found:
        pieces += (text[at:start], placeholder(kind))
        at = end
    return "".join((*pieces, text[at:]))


def _always(_text: str) -> object:
    return True
