"""Files to documents: YAML of one or several documents, each node with its place in the file.

A spec is one document and its reader takes nothing else; here every document goes through that
reader alone, and its places are moved to where it stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Report, Source, Span
from autogpt_observe.spec.tree import MAX_BYTES, Mapping, Scalar, Sequence, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.diagnostics import Diagnostic
    from autogpt_observe.spec.tree import Node

# Wherever it stands, a line that starts so ends a document: https://yaml.org/spec/1.2.2/#document
_MARKER = re.compile(rb"(?:---|\.\.\.)(?:\s|$)")
_BLANK = re.compile(rb"\s*(?:#.*)?")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_IN_A_LIST = b"items:\n"
_LISTED = "items"
_MOST_DOCUMENTS = 10_000
_FIXES = {
    "yaml/merge-key": "repeat the values in the place of the `<<`",
    "yaml/size": "split it into several files",
    "yaml/depth": None,
    "yaml/tag": "remove it",
}

_Move = Callable[[Span], Span]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, or one object of a document that is a list of them."""

    root: Mapping
    file: str


def parse_documents(data: bytes, name: str, report: Report) -> tuple[Document, ...]:
    """The documents of a file; what can't be read is an error in the report, with its place."""
    whole = Source(name, _text(data))
    found: list[Document] = []
    if len(data) > MAX_BYTES:
        parse_tree(data, name, report)
        return ()
    for number, (line, chunk) in enumerate(_chunks(data)):
        if number >= _MOST_DOCUMENTS:
            message = f"the file has more than {_MOST_DOCUMENTS:,} documents"
            report.error("yaml/documents", message, Span(whole, line + 1, 1), fix="split it")
            break
        found += [Document(root, name) for root in _objects(chunk, line, whole, report)]
    return tuple(found)


def _text(data: bytes) -> str:
    return _LINE_END.sub(b"\n", data).decode(errors="replace").removeprefix("\ufeff")


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The text of each document that holds anything, and the number of lines before it."""
    start, lines = 0, _LINE_END.split(data)
    for number, line in enumerate([*lines, b"---"]):
        if _MARKER.match(line) is None:
            continue
        chunk = lines[start:number]
        if chunk and chunk[0].startswith(b"..."):
            chunk[0] = b""
        directives_only = all(_BLANK.fullmatch(c) or c.startswith(b"%") for c in chunk)
        if directives_only and any(c.startswith(b"%") for c in chunk):
            continue  # they belong to the document that follows
        if not all(_BLANK.fullmatch(c.removeprefix(b"---")) for c in chunk):
            yield start, b"\n".join(chunk)
        start = number


def _objects(chunk: bytes, line: int, whole: Source, report: Report) -> Iterator[Mapping]:
    found = Report()
    root = parse_tree(chunk, whole.name, found)
    listed = root is None and _is_list(found.diagnostics)
    if listed:
        found = Report()
        root = parse_tree(_IN_A_LIST + chunk.removeprefix(b"---"), whole.name, found)
        line -= 1

    def move(at: Span) -> Span:
        return Span(whole, max(1, at.line + line), at.column, at.length)

    for one in found.diagnostics:
        at = move(one.at) if one.at is not None else None
        report.add(replace(_for_import(one), at=at))
    if root is None:
        return
    _place(root, move)
    if not listed and not _is_kubernetes_list(root):
        yield root
        return
    items = root.get(_LISTED)
    for item in items.items if isinstance(items, Sequence) else ():
        if isinstance(item, Mapping):
            yield item
        else:
            message = "expected an object in the list of documents"
            report.error("import/kind", message, item.at, fix="remove it")


def _is_list(found: tuple[Diagnostic, ...]) -> bool:
    return any(one.id == "spec/type" and one.message.endswith("got a list") for one in found)


def _is_kubernetes_list(root: Mapping) -> bool:
    kind = root.get("kind")
    listed = isinstance(kind, Scalar) and kind.text.endswith("List")
    return listed and isinstance(root.get(_LISTED), Sequence)


def _for_import(found: Diagnostic) -> Diagnostic:
    if found.id in ("spec/type", "spec/empty"):
        message = found.message.replace("a map of sections at the top", "a map at the top")
        return replace(found, id="import/kind", message=message, fix=None)
    return replace(found, fix=_FIXES.get(found.id, found.fix))


def _place(root: Mapping, move: _Move) -> None:
    """Move every place below ``root``; a node that aliases share is moved once."""
    moved: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in moved:
            continue
        moved.add(id(node))
        node.at = move(node.at)
        if isinstance(node, Sequence):
            waiting += node.items
        elif isinstance(node, Mapping):
            waiting += [entry.key for entry in node.entries.values()]
            waiting += [entry.value for entry in node.entries.values()]
