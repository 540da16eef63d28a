"""Reads every import of the package and says which ones go against the layers.

An import counts wherever it stands: at the top, inside a function, under TYPE_CHECKING, or as the
text of a late import (``import_module("autogpt_observe.x")``, a table of module names).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACE = "autogpt_observe"
"""The package itself: `__init__.py`, which offers the runtime's names."""


@dataclass(frozen=True)
class Layer:
    """Modules and subpackages of one height; they may import what lies below them.

    Attributes:
        sociable: whether they may import each other as well.
    """

    name: str
    rooms: tuple[str, ...]
    sociable: bool = False


LAYERS = (
    Layer(
        "ground",
        ("errors", "diagnostics", "names", "units", "artifacts", "secrets"),
        sociable=True,
    ),
    Layer("arithmetic", ("promql", "slo", "gotemplate")),
    Layer("spec", ("spec",)),
    Layer("targets", ("render", "runtime", "pipeline", "importers", "testing")),
    Layer("edges", ("output", "remote", "scaling", FACE)),
    Layer("proof", ("proof",)),
    Layer("command line", ("cli", "__main__"), sociable=True),
)
ALLOWED_BESIDE = {("testing", "runtime")}
"""The public fakes stand in for parts of the runtime, so they know its protocols."""

_HEIGHT = {room: height for height, layer in enumerate(LAYERS) for room in layer.rooms}


def check_layers(package: Path) -> list[str]:
    """The breaches in the package at ``package``, one line each, in the order of the files."""
    found = []
    for path in sorted(package.rglob("*.py")):
        shown = path.relative_to(package.parent.parent).as_posix()
        room = _room_of(path, package)
        if room not in _HEIGHT:
            found.append(
                f"{shown}:1: `{room}` belongs to no layer; name it in LAYERS of {__name__}"
            )
            continue
        for line, other in _imports(path, package):
            complaint = _judge(room, other)
            if complaint is not None:
                found.append(f"{shown}:{line}: {complaint}")
    return found


def _judge(room: str, other: str) -> str | None:
    if other == room or (room, other) in ALLOWED_BESIDE:
        return None
    if other not in _HEIGHT:
        return f"`{room}` imports `{other}`, which belongs to no layer"
    mine, theirs = LAYERS[_HEIGHT[room]], LAYERS[_HEIGHT[other]]
    if _HEIGHT[other] < _HEIGHT[room] or (mine is theirs and mine.sociable):
        return None
    return (
        f"`{room}` (layer {mine.name}) imports `{other}` (layer {theirs.name});"
        " imports go down to a lower layer only"
    )


def _room_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return FACE if parts == ("__init__",) else parts[0]


def _imports(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import of the package's own modules."""
    inside = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        for target in _targets(node, inside):
            head, *rest = target.split(".")
            if head == package.name:
                room = _room_named(rest, package)
                if room is not None:
                    yield node.lineno, room  # type: ignore[attr-defined]  # targets have lines


def _targets(node: ast.AST, inside: tuple[str, ...]) -> list[str]:
    """The dotted names that one node imports; ``inside`` is the package it stands in."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            base = [*inside[: len(inside) - level + 1]] if level else []
            base += [module] if module else []
            return [".".join([*base, alias.name]) for alias in names]
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
            args=[ast.Constant(value=str(text)), *_],
        ) if text.startswith("."):
            dots = len(text) - len(text.lstrip("."))
            return [".".join([*inside[: len(inside) - dots + 1], text[dots:]])]
        case ast.Constant(value=str(text)) if text.startswith(f"{inside[0]}."):
            first, *parts = text.removesuffix(".").split(
                "."
            )  # it ends so in f"package.room.{name}"
            return [text] if parts and all(map(str.isidentifier, [first, *parts])) else []
        case _:
            return []


def _room_named(rest: list[str], package: Path) -> str | None:
    """The room that ``package.rest`` names; None for the version, which is no part of the API."""
    if not rest or rest == ["*"]:
        return FACE
    if rest[0] in _HEIGHT or (package / f"{rest[0]}.py").exists() or (package / rest[0]).is_dir():
        return rest[0]
    return None if rest == ["__version__"] else FACE
