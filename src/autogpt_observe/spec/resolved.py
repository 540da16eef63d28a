"""The merged spec as text: YAML that reads back as the same spec, each value with its origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.spec.tree import Mapping, Scalar, Sequence, is_switched_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.tree import Node

_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.%-]*")
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
            lines += _lines(Scalar(name, plain=True, at=entry.key.at), entry.value, 0)
    return "\n".join(lines)


def _lines(key: Scalar | None, node: Node, depth: int) -> Iterator[str]:
    lead = "  " * depth + ("- " if key is None else f"{_text(key.text, plain=True)}: ")
    match node:
        case Scalar():
            yield _with_origin(lead + _text(node.text, plain=node.plain), node)
        case Mapping() if not node.entries:
            yield _with_origin(lead + "{}", node)
        case Sequence() if not node.items:
            yield _with_origin(lead + "[]", node)
        case Sequence() if all(isinstance(item, Scalar) for item in node.items):
            words = [_text(i.text, plain=i.plain) for i in node.items if isinstance(i, Scalar)]
            yield _with_origin(f"{lead}[{', '.join(words)}]", node)
        case Sequence():
            yield lead.rstrip()
            for item in node.items:
                yield from _lines(None, item, depth + 1)
        case Mapping():
            yield lead.rstrip()
            for entry in node.entries.values():
                if not is_switched_off(entry.value):
                    yield from _lines(entry.key, entry.value, depth + 1)


def _text(text: str, *, plain: bool) -> str:
    if plain and _PLAIN.fullmatch(text):
        return text
    inner = "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{inner}"'


def _with_origin(line: str, node: Node) -> str:
    return f"{line:<{_COLUMN}}  # {node.at.source.name}:{node.at.line}"
