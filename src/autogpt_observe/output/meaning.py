"""What a new bundle changes, in the words of its products: alerts, thresholds, routes, panels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from autogpt_observe.diagnostics import printable
from autogpt_observe.output.slo_meaning import OBJECTIVE_FILES, describe_objective
from autogpt_observe.promql import Kind, PromQLError, scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_IDENTITIES = (
    ("alert", "alert"),
    ("record", "recording rule"),
    ("name", ""),
    ("job_name", "scrape job"),
    ("receiver", "route to"),
    ("title", ""),
)
"""Keys that tell the items of a list apart, and the word that goes before their value."""
_COMPARISONS = frozenset({">", ">=", "<", "<=", "==", "!="})
_LONGEST = 60
_DERIVED = {
    "rules/tests/": "unit tests changed along",
    "rules/routing-tests.yml": "routing tests changed along",
    "docs/": "page changed along",
}
"""Follows from what is told elsewhere; told in one line, or every change would be told twice."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """Stands for a value that is on one side only."""


_MISSING = _Missing()


def describe_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Every difference in meaning between two bundles, one line each, in the order of the paths.

    What merely follows from the others, such as a changed page, stands behind them.

    Args:
        before: text by relative path, as it is on disk.
        after: text by relative path, as it would be.

    Differences of layout alone (comments, quoting, order of keys) are no differences.
    """
    lines: list[str] = []
    following: list[str] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        if old is None or new is None:
            lines.append(f"{path}: {'added' if old is None else 'removed'}")
        else:
            changes = list(dict.fromkeys(_changes("", *_documents(path, old, new))))
            objective = OBJECTIVE_FILES.fullmatch(path)
            if objective is not None and changes:
                changes = list(describe_objective(objective[1], old, new, changes))
            found = changes or ["layout only"]
            along = next((said for top, said in _DERIVED.items() if path.startswith(top)), None)
            if along is not None and found != ["layout only"]:
                following.append(f"{path}: {along}")
            else:
                lines += [f"{path}: {line}" for line in found]
    return tuple(printable(line) for line in (*lines, *following))


def _documents(path: str, old: str, new: str) -> tuple[object, object]:
    """Both sides parsed; as lines where the language is another, or one side is damaged."""
    try:
        return _parse(path, old), _parse(path, new)
    except (ValueError, yaml.YAMLError, RecursionError):
        return _lines(old), _lines(new)


def _parse(path: str, text: str) -> object:
    if path.endswith(".json"):
        return json.loads(text)
    if path.endswith((".yml", ".yaml")):
        documents = list(yaml.load_all(text, Loader=_LOADER))
        return documents[0] if len(documents) == 1 else documents
    return _lines(text)


def _lines(text: str) -> dict[str, str]:
    return {f"line {n}": line for n, line in enumerate(text.splitlines(), 1)}


def _changes(where: str, old: object, new: object) -> Iterator[str]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            inner = f"{where} {key}".strip()
            yield from _changes(inner, old.get(key, _MISSING), new.get(key, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(where, old, new)
    elif old is _MISSING or new is _MISSING:
        value = new if old is _MISSING else old
        shown = f" ({_short(value)})" if not isinstance(value, dict | list) else ""
        yield f"{where} {'added' if old is _MISSING else 'removed'}{shown}"
    elif isinstance(old, str) and isinstance(new, str) and where.endswith("expr"):
        yield from _expression_changes(where, old, new)
    else:
        yield f"{where}: {_short(old)} -> {_short(new)}"


def _list_changes(where: str, old: list[object], new: list[object]) -> Iterator[str]:
    named = _named_items(old), _named_items(new)
    if named[0] is not None and named[1] is not None:
        # a list of named things: the name alone says where, the file says the rest
        for name in dict.fromkeys((*named[0], *named[1])):
            yield from _changes(name, named[0].get(name, _MISSING), named[1].get(name, _MISSING))
        if list(named[0]) != list(named[1]) and set(named[0]) == set(named[1]):
            yield f"{where}: order changed".lstrip(": ")
    elif len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{where}[{index}]", left, right)
    elif all(isinstance(item, str) for item in (*old, *new)):
        yield from (f"{where}: {_short(item)} removed" for item in old if item not in new)
        yield from (f"{where}: {_short(item)} added" for item in new if item not in old)
    else:
        yield f"{where}: {_short(old)} -> {_short(new)}"


def _named_items(items: list[object]) -> dict[str, object] | None:
    """The items by a name that tells them apart, or None where they have none."""
    maps = [item for item in items if isinstance(item, dict)]
    if len(maps) != len(items):
        return None
    for name_of in (_manifest_name, _silencing_name):
        built = {name_of(item): item for item in maps}
        if len(built) == len(items) and None not in built:
            return {str(name): item for name, item in built.items()}
    for key, word in _IDENTITIES:
        found: dict[str, object] = {f"{word} {m[key]}".strip(): m for m in maps if key in m}
        if len(found) == len(items):
            return found
    for name_of in (_own_name, _route_name):  # records and alerts in one group; routes
        built = {name_of(item): item for item in maps}
        if len(built) == len(items) and None not in built:
            return {str(name): item for name, item in built.items()}
    return None


def _own_name(item: dict[object, object]) -> str | None:
    return next((f"{word} {item[key]}".strip() for key, word in _IDENTITIES if key in item), None)


def _route_name(item: dict[object, object]) -> str | None:
    """A route of Alertmanager by its matchers too: several may lead to one receiver."""
    if "receiver" not in item:
        return None
    return f"route to {item['receiver']} of {_and(item.get('matchers'))}"


def _silencing_name(item: dict[object, object]) -> str | None:
    """An inhibition rule of Alertmanager, which has no name of its own."""
    if "source_matchers" not in item or "target_matchers" not in item:
        return None
    return f"{_and(item['source_matchers'])} silences {_and(item['target_matchers'])}"


def _and(matchers: object) -> str:
    return " and ".join(map(str, matchers)) if isinstance(matchers, list) else "all"


def _manifest_name(item: dict[object, object]) -> str | None:
    metadata = item.get("metadata")
    if "kind" in item and isinstance(metadata, dict) and "name" in metadata:
        return f"{item['kind']} {metadata['name']}"
    return None


def _expression_changes(where: str, old: str, new: str) -> Iterator[str]:
    """A changed number or window alone is told as such; anything else as the two texts."""
    alert = where.removesuffix("expr").strip()
    try:
        left = [token for token in scan(old) if token.kind is not Kind.SPACE]
        right = [token for token in scan(new) if token.kind is not Kind.SPACE]
    except PromQLError:
        left, right = [], []
    pairs = [(a, b) for a, b in zip(left, right, strict=False) if a.text != b.text]
    told = (Kind.NUMBER, Kind.DURATION, Kind.STRING)
    if len(left) != len(right) or not all(a.kind is b.kind and a.kind in told for a, b in pairs):
        yield f"{where}: {_short(old)} -> {_short(new)}"
        return
    for a, b in pairs:
        before = left[left.index(a) - 1].text if left.index(a) else ""
        number = "threshold" if before in _COMPARISONS else "number"
        word = {Kind.DURATION: "window", Kind.STRING: "label value"}.get(a.kind, number)
        yield f"{alert}: {word} {a.text} -> {b.text}"
    if not pairs:
        yield f"{where}: layout only"


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
