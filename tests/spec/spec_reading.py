"""Reads specs out of texts, and says what was found as a user sees it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Report, format_diagnostics
from autogpt_observe.spec.load import Loaded, read_all_environments, read_spec
from autogpt_observe.spec.tree import Mapping, Scalar, Sequence, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec import model
    from autogpt_observe.spec.tree import Node

EVERY_KEY = (Path(__file__).parent / "every_key.yaml").read_text(encoding="utf-8")
SMALL = "version: 1\nservice: {name: crawler, owner: agents-team}\n"
"""The smallest spec; what a test adds starts on its third line."""


def read_text(
    text: str | bytes, *, environment: str | None = None, everywhere: bool = False
) -> Loaded:
    """Read ``text`` as `observe.yaml`, alone in its folder."""
    with TemporaryDirectory() as folder:
        return read_files({"observe.yaml": text}, Path(folder), environment, everywhere=everywhere)


def read_files(
    files: dict[str, str | bytes],
    folder: Path,
    environment: str | None = None,
    *,
    everywhere: bool = False,
) -> Loaded:
    """Write the files into ``folder`` and read the first of them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    first = folder / next(iter(files))
    return read_all_environments(first) if everywhere else read_spec(first, environment=environment)


def found_in(loaded: Loaded) -> str:
    """All findings as one text, with the paths of files as short as their names."""
    text = format_diagnostics(loaded.diagnostics)
    for found in loaded.diagnostics:
        if found.at is not None and found.at.source.name.startswith("/"):
            top = found.at.source.name.split("/observe.yaml")[0]
            text = text.replace(f"{top}/", "")
    return text


def found(text: str | bytes, *, environment: str | None = None, everywhere: bool = False) -> str:
    """What reading ``text`` as `observe.yaml` finds."""
    return found_in(read_text(text, environment=environment, everywhere=everywhere))


def found_after_small(text: str, *, everywhere: bool = False) -> str:
    """What is found in ``text`` behind the smallest spec."""
    return found(SMALL + dedent(text), everywhere=everywhere)


def spec_of(text: str, *, environment: str | None = None) -> model.Spec:
    """The spec of a text that has no findings but warnings."""
    loaded = read_text(text, environment=environment)
    assert loaded.spec is not None, found_in(loaded)
    return loaded.spec


def tree_findings(data: str | bytes) -> str:
    """What parsing alone finds."""
    report = Report()
    parse_tree(data if isinstance(data, bytes) else data.encode(), "observe.yaml", report)
    return format_diagnostics(report.diagnostics)


def tree_of(text: str) -> Mapping:
    """The tree of a text without findings."""
    report = Report()
    tree = parse_tree(text.encode(), "observe.yaml", report)
    assert tree is not None
    assert report.diagnostics == ()
    return tree


def expected(text: str) -> str:
    """An expected text out of an indented block of a test."""
    return dedent(text).strip("\n")


def walk(
    node: Node, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Every node below ``node`` with its path, parents first."""
    yield path, node
    match node:
        case Mapping():
            for name, entry in node.entries.items():
                yield from walk(entry.value, (*path, name))
        case Sequence():
            for index, item in enumerate(node.items):
                yield from walk(item, (*path, index))
        case Scalar():
            pass
