"""The account of an import: whatever an input says is carried over, or it is listed.

A reader takes keys from a :class:`Part`. What no reader took is found at the end by
:func:`list_leftovers`, so that a key nobody thought of can't be dropped in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import suggest
from autogpt_observe.spec.tree import Mapping, Scalar, Sequence, describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autogpt_observe.diagnostics import Report, Span
    from autogpt_observe.spec.tree import Entry, Node

LOST = "import/lost"
"""Something of the input is not in the spec."""
CHANGED = "import/changed"
"""Something of the input is in the spec in another form."""
GUESSED = "import/guessed"
"""Something the spec needs was not in the input, and what stands there needs a look."""


class Ledger:
    """Which keys were taken, and what is told about the rest."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._taken: set[int] = set()
        self._whole: set[int] = set()
        self._asked: dict[int, dict[str, None]] = {}

    def lost(self, message: str, at: Span, *, fix: str | None = None) -> None:
        """Tell that something is not carried over."""
        self._report.warn(LOST, message, at, fix=fix)

    def changed(self, message: str, at: Span, *, fix: str | None = None) -> None:
        """Tell that something is carried over in another form."""
        self._report.warn(CHANGED, message, at, fix=fix)

    def guessed(self, message: str, at: Span | None, *, fix: str | None = None) -> None:
        """Tell what was put where the input says nothing."""
        self._report.warn(GUESSED, message, at, fix=fix)

    def take(self, entry: Entry) -> None:
        """Mark one key as dealt with; what is below it has its own account."""
        self._taken.add(id(entry))

    def ask(self, node: Mapping, key: str) -> None:
        """Note that a map of this kind may have the key."""
        self._asked.setdefault(id(node), {})[key] = None

    def settle(self, node: Node) -> None:
        """Mark everything below ``node`` as dealt with."""
        self._whole.add(id(node))

    def list_leftovers(self, root: Mapping) -> None:
        """Tell every key below ``root`` that nobody took, the topmost of each branch."""
        waiting: list[Node] = [root]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if id(node) in self._whole or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Sequence):
                waiting += node.items
            elif isinstance(node, Mapping):
                waiting += [e.value for e in node.entries.values() if id(e) in self._taken]
                self._tell(node)

    def _tell(self, node: Mapping) -> None:
        known = tuple(self._asked.get(id(node), ()))
        for key, entry in node.entries.items():
            if id(entry) not in self._taken:
                near = suggest(key, known)
                fix = f"did you mean `{near}`?" if near is not None else None
                message = f"`{key}` is not carried over: it has no place in a spec"
                self.lost(message, entry.key.at, fix=fix)


class Part:
    """A map of the input, read key by key; ``of`` says what it is, for people."""

    def __init__(self, node: Mapping, of: str, ledger: Ledger) -> None:
        self.node = node
        self.of = of
        self.ledger = ledger

    @property
    def at(self) -> Span:
        """Where it starts."""
        return self.node.at

    def at_key(self, key: str) -> Span:
        """Where ``key`` stands, else where the map starts."""
        entry = self.node.entries.get(key)
        return entry.key.at if entry is not None else self.at

    def text(self, key: str) -> Scalar | None:
        """The text under ``key``, or None where there is none."""
        node = self._take(key)
        if isinstance(node, Scalar):
            return None if node.is_null else node
        self._refuse(key, node, "a text")
        return None

    def texts(self, key: str) -> dict[str, Scalar]:
        """The texts under the keys of a map."""
        node = self._take(key)
        if not isinstance(node, Mapping):
            self._refuse(key, node, "a map")
            return {}
        inner = Part(node, f"`{key}` of {self.of}", self.ledger)
        found = {}
        for name, entry in node.entries.items():
            if isinstance(entry.value, Scalar):
                self.ledger.take(entry)
                found[name] = entry.value
            else:
                inner._refuse(name, inner._take(name), "a text")
        return found

    def part(self, key: str) -> Part | None:
        """The map under ``key``, or None where there is none."""
        node = self._take(key)
        if isinstance(node, Mapping):
            return Part(node, f"`{key}` of {self.of}", self.ledger)
        self._refuse(key, node, "a map")
        return None

    def parts(self, key: str) -> list[Part]:
        """The maps in the list under ``key``."""
        node = self._take(key)
        if not isinstance(node, Sequence):
            self._refuse(key, node, "a list")
            return []
        found = []
        for item in node.items:
            if isinstance(item, Mapping):
                found.append(Part(item, f"`{key}` of {self.of}", self.ledger))
            else:
                message = f"expected a map in `{key}` of {self.of}, got {describe(item)}"
                self.ledger.lost(message, item.at)
                self.ledger.settle(item)
        return found

    def names(self, key: str, reference: str) -> list[str | None]:
        """What a list refers to: texts, or maps with one under ``reference``; None for others."""
        node = self._take(key)
        found: list[str | None] = []
        for item in node.items if isinstance(node, Sequence) else [node] if node else []:
            named = item
            if isinstance(item, Mapping) and reference in item.entries:
                self.ledger.take(item.entries[reference])
                named = item.entries[reference].value
            found.append(named.text if isinstance(named, Scalar) else None)
        return found

    def ignore(self, keys: Iterable[str]) -> None:
        """Take keys whose meaning the spec keeps without them."""
        for key in keys:
            self._take(key)

    def lose(self, key: str, message: str, *, fix: str | None = None) -> None:
        """Tell why ``key``, if it is there, is not carried over with all that is below it."""
        node = self._take(key)
        if node is not None:
            self.ledger.settle(node)
            self.ledger.lost(message, self.at_key(key), fix=fix)

    def drop(self, why: str, at: Span | None = None, *, fix: str | None = None) -> None:
        """Tell why the whole part is not carried over."""
        self.ledger.settle(self.node)
        self.ledger.lost(f"{self.of} is not carried over: {why}", at or self.at, fix=fix)

    def has(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self.node.entries

    def misfit(self, key: str) -> str | None:
        """What stands under ``key``, if it is no text: ``a map``."""
        entry = self.node.entries.get(key)
        if entry is None or isinstance(entry.value, Scalar):
            return None
        return describe(entry.value)

    def _take(self, key: str) -> Node | None:
        self.ledger.ask(self.node, key)
        entry = self.node.entries.get(key)
        if entry is None:
            return None
        self.ledger.take(entry)
        return entry.value

    def _refuse(self, key: str, node: Node | None, expected: str) -> None:
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return
        self.ledger.settle(node)
        message = f"`{key}` of {self.of} is not carried over: expected {expected}"
        self.ledger.lost(f"{message}, got {describe(node)}", node.at)
