"""The merged spec as text: YAML that reads back as the same spec, each value with its origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from autogpt_observe.diagnostics import printable
from autogpt_observe.spec.build import holds_parts, inner_type
from autogpt_observe.spec.model import Spec
from autogpt_observe.spec.tree import Mapping, Scalar, Sequence, is_switched_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.tree import Node

_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.%-]*|\+\d+", re.ASCII)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_COLUMN = 72


def format_resolved(tree: Mapping) -> str:
    """The tree as YAML with an origin comment (file and line) behind every value.

    Parts switched off by ``enabled: false``, `include` and the overlays under `environments`
    are left out: they have done their work.
    """
    lines: list[str] = []
    for name, entry in tree.entries.items():
        if name not in ("include", "environments"):
            lines += _lines(entry.key, entry.value, 0, inner_type(Spec, name))
    return "\n".join(lines)


def _lines(key: Scalar | None, node: Node, depth: int, type_: Any) -> Iterator[str]:
    lead = "  " * depth + ("- " if key is None else f"{_text(key)}: ")
    if isinstance(node, Mapping) and holds_parts(type_):
        left = {n: e for n, e in node.entries.items() if not is_switched_off(e.value)}
        node = Mapping(left, node.at)
    match node:
        case Scalar():
            yield _with_origin(lead + _text(node), node)
        case Mapping() if not node.entries:
            yield _with_origin(lead + "{}", node)
        case Sequence() if not node.items:
            yield _with_origin(lead + "[]", node)
        case Sequence() if all(isinstance(item, Scalar) for item in node.items):
            words = [_text(item) for item in node.items if isinstance(item, Scalar)]
            yield _with_origin(f"{lead}[{', '.join(words)}]", node)
        case Sequence():
            yield lead.rstrip()
            for item in node.items:
                yield from _lines(None, item, depth + 1, inner_type(type_, 0))
        case Mapping():
            yield lead.rstrip()
            for name, entry in node.entries.items():
                yield from _lines(entry.key, entry.value, depth + 1, inner_type(type_, name))


def _text(scalar: Scalar) -> str:
    if scalar.is_null:
        return "null"
    if scalar.plain and _PLAIN.fullmatch(scalar.text):
        return scalar.text
    return f'"{"".join(map(_escaped, scalar.text))}"'


def _escaped(char: str) -> str:
    return _ESCAPES.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}")


def _with_origin(line: str, node: Node) -> str:
    return f"{line:<{_COLUMN}}  # {printable(node.at.source.name)}:{node.at.line}"
