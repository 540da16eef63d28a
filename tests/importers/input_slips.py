"""The inputs of the cases as plain data, and every way to change one place of them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import yaml
from import_cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path = tuple[str | int, ...]


class _AsText(yaml.SafeLoader):
    """Reads every scalar as a text, as the importers do."""


_AsText.yaml_implicit_resolvers = {}


def inputs(case: str) -> dict[str, list[Any]]:
    """The documents of each input file of a case."""
    files = sorted(p for p in (CASES / case).iterdir() if p.stem not in ("expected", "told"))
    return {
        path.name: list(yaml.load_all(path.read_text(encoding="utf-8"), _AsText)) for path in files
    }


def dump(files: dict[str, list[Any]]) -> list[tuple[str, bytes]]:
    """The files as text: one key on each line, strings that stay strings."""
    return [
        (name, yaml.safe_dump_all(documents, sort_keys=False, width=10_000).encode())
        for name, documents in files.items()
    ]


def places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node below ``data`` and the way to it."""
    yield path, data
    entries: Iterable[tuple[Any, Any]] = data.items() if isinstance(data, dict) else ()
    if isinstance(data, list):
        entries = enumerate(data)
    for step, value in entries:
        yield from places(value, (*path, step))


def changed(files: dict[str, list[Any]], name: str, path: Path, value: Any) -> dict[str, list[Any]]:
    """The files with another value at one place."""
    result = deepcopy(files)
    node: Any = result[name]
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return result
