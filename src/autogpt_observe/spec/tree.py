"""Text to a tree of nodes that know where they stand.

The tree is built from libyaml's events, without recursion and without YAML's own typing: a scalar
stays the text it was, and only the field it fills decides what it means, so `on`, `1:30` and
`1.10` can't turn into something else. What YAML allows and a spec has no use for (tags, several
documents, keys that are no text, cycles) is refused here, with its place.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml

from autogpt_observe.diagnostics import Source, Span

if TYPE_CHECKING:
    from autogpt_observe.diagnostics import Report

MAX_BYTES = 8 * 1024 * 1024
"""Largest file that is read, in bytes."""
MAX_DEPTH = 50
"""Deepest nesting of maps and lists."""
MAX_NODES = 1_000_000
"""Most nodes, counted after aliases are expanded."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fallback is slower, not different
# U+0085, U+2028 and U+2029 end a line in YAML 1.1, and neither in YAML 1.2 nor in editors.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029\ufffe\uffff]")
_MOST_CONTROLS = 20
_new = tuple.__new__
_TAB_INDENT = re.compile(r"[ ]*\t")
_TEXT_AFTER_END = re.compile(r"""(?:[^"'\[{]*:[ ]+|\s*-[ ]+)["'\[{]""")


# Nodes are not frozen: a frozen dataclass costs three times as much to make, and a large spec has
# hundreds of thousands. Nothing changes one after `parse_tree` returned it.
@dataclass(slots=True, eq=False)
class Scalar:
    """A text. ``plain`` says that it stood without quotes, so that it may be a number or a word."""

    text: str
    plain: bool
    at: Span

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's nothing: an empty value, ``~`` or ``null`` without quotes."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    items: list[Node]
    at: Span


@dataclass(slots=True, eq=False)
class Entry:
    """One key of a mapping and its value."""

    key: Scalar
    value: Node


@dataclass(slots=True, eq=False)
class Mapping:
    """Nodes by key, in the order of the text."""

    entries: dict[str, Entry]
    at: Span

    def get(self, key: str) -> Node | None:
        """The value under ``key``, or None."""
        entry = self.entries.get(key)
        return entry.value if entry is not None else None


Node = Scalar | Sequence | Mapping


def describe(node: Node) -> str:
    """What the node is, in the words of a diagnostic."""
    match node:
        case Scalar() if node.is_null:
            return "nothing"
        case Scalar():
            text = node.text if len(node.text) <= 60 else node.text[:57] + "..."  # noqa: PLR2004
            return f"`{text}`"
        case Sequence():
            return "a list"
        case Mapping():
            return "a map"


ENABLED = "enabled"
"""Key that every named part of a spec takes; `false` removes the part."""


def is_switched_off(node: Node) -> bool:
    """Whether a part says ``enabled: false``."""
    switch = node.get(ENABLED) if isinstance(node, Mapping) else None
    return isinstance(switch, Scalar) and switch.plain and switch.text == "false"


def find(root: Mapping, path: tuple[str | int, ...]) -> Node | None:
    """The node at ``path`` (keys and list positions), or None where the tree has none."""
    node: Node | None = root
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def parse_tree(data: bytes, name: str, report: Report) -> Mapping | None:
    """Read one YAML document whose top is a map.

    Args:
        data: the file's bytes.
        name: the file's name as the user knows it.
        report: takes every finding.

    Returns:
        The tree, or None when the text can't be used at all; the report then says why.
    """
    text = _decode(data, name, report)
    if text is None:
        return None
    source = Source(name, text)
    builder = _Builder(source, report)
    loader: Any = None  # either loader's stub lacks `get_event`
    try:
        loader = _LOADER(text)
        while (event := loader.get_event()) is not None:
            if not builder.take(event):
                return None
    except yaml.YAMLError as error:
        _report_syntax(error, source, report)
        return None
    finally:
        if loader is not None:
            loader.dispose()
    root = builder.root
    if root is None or (isinstance(root, Scalar) and root.is_null):
        report.error("spec/empty", "the file holds no spec", Span(source, 1, 1), fix=_START_FIX)
        return None
    if not isinstance(root, Mapping):
        message = f"expected a map of sections at the top, got {describe(root)}"
        report.error("spec/type", message, root.at, fix=_START_FIX)
        return None
    return root


_START_FIX = "`autogpt-observe init` writes a spec to start from"


def _decode(data: bytes, name: str, report: Report) -> str | None:
    if len(data) > MAX_BYTES:
        limit = MAX_BYTES // (1024 * 1024)
        message = f"the file is larger than the limit of {limit} MiB"
        fix = "split it into several files and `include` them"
        report.error("yaml/size", message, Span(Source(name, ""), 1, 1), fix=fix)
        return None
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        shown = Source(name, error.object.decode(errors="replace"))
        at = Span(shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x}"
        report.error("yaml/encoding", message, at, fix="save the file as UTF-8")
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    controls = list(islice(_CONTROL.finditer(text), _MOST_CONTROLS))
    source = Source(name, text)
    for found in controls:
        before = text[: found.start()]
        at = Span(source, before.count("\n") + 1, found.start() - before.rfind("\n"))
        what = "a NUL byte" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
        fix = 'remove it; in a text, write it as an escape in double quotes, such as "\\x1b"'
        report.error("yaml/control", f"the file holds {what}", at, fix=fix)
    return None if controls else text


def _report_depth(at: Span, report: Report) -> None:
    message = f"nested more than {MAX_DEPTH} levels deep"
    report.error("yaml/depth", message, at, fix="a spec needs about ten levels")


def _report_syntax(error: yaml.YAMLError, source: Source, report: Report) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if line > len(source.lines):  # libyaml ends every text with a line end
        line, column = len(source.lines), len(source.lines[-1]) + 1
    problem = getattr(error, "problem", None) or "can't be read"
    context, opened = getattr(error, "context", None), getattr(error, "context_mark", None)
    if "maximum nesting depth" in problem:  # libyaml's own limit, from 0.2.6 on
        _report_depth(Span(source, line, column), report)
        return
    message = f"not valid YAML: {problem}" + (f" {context}" if context else "")
    if context and opened is not None and opened.line + 1 != line:
        message += f" that starts on line {opened.line + 1}"
    fix = None
    here = source.lines[line - 1 : line]
    if "\t" in problem or "tab" in problem or (here and _TAB_INDENT.match(here[0])):
        fix = "indent with spaces; YAML forbids tabs there"
    elif "mapping values are not allowed" in problem:
        fix = "quote a text that holds `: `, and check the indentation"
    elif "cannot start any token" in problem:
        fix = "quote a text that starts with this character"
    elif context and "flow" in context:
        fix = "close the bracket; inside of brackets, quote a text that holds `,` or a bracket"
    elif "did not find expected" in problem and here and _TEXT_AFTER_END.match(here[0]):
        fix = "quote the whole text; nothing may follow a closing quote or bracket"
    report.error("yaml/syntax", message.replace("\t", "\\t"), Span(source, line, column), fix=fix)


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet."""

    node: Mapping | Sequence
    anchor: str | None
    key: Scalar | None = None  # the key whose value comes next
    skip: bool = False  # the value that comes next belongs to a refused key
    size: int = 1
    height: int = 1


class _Builder:
    """Turns the event stream into nodes; iterative, so that depth can't exhaust the stack."""

    def __init__(self, source: Source, report: Report) -> None:
        self.root: Node | None = None
        self._source = source
        self._report = report
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Take one event; False stops the reading (the report says why)."""
        match event:
            case yaml.ScalarEvent():
                if event.tag is not None:
                    self._refuse_tag(event)
                plain = event.style in (None, "") and event.implicit[0]
                scalar = Scalar(event.value, plain, self._span(event))
                return self._add(scalar, event.anchor)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self._stack.pop()
                return self._add(done.node, done.anchor, done.size, done.height)
            case yaml.AliasEvent():
                return self._alias(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._report.error(
                        "yaml/documents",
                        "a second document starts here; a spec is one document",
                        self._span(event),
                        fix="remove the `---`, or put the rest into a file of its own and "
                        "`include` it",
                    )
                    return False
        return True

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> bool:
        at = self._span(event)
        self._refuse_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            return self._too_deep(at)
        is_map = isinstance(event, yaml.MappingStartEvent)
        node: Mapping | Sequence = Mapping({}, at) if is_map else Sequence([], at)
        self._stack.append(_Open(node, event.anchor))
        return True

    def _alias(self, event: yaml.AliasEvent) -> bool:
        at = self._span(event)
        if event.anchor in self._anchors:
            node, size, height = self._anchors[event.anchor]
            if isinstance(node, Scalar):
                node = Scalar(node.text, node.plain, at)
            if len(self._stack) + height > MAX_DEPTH:
                return self._too_deep(at)
            return self._add(node, None, size, height)
        if any(event.anchor == outer.anchor for outer in self._stack):
            message = f"`*{event.anchor}` stands inside the very node it refers to"
            self._report.error("yaml/cycle", message, at, fix="write the value out")
        else:
            message = f"`*{event.anchor}` refers to no anchor before it"
            fix = f"define `&{event.anchor}` above, or quote a text that starts with `*`"
            self._report.error("yaml/alias", message, at, fix=fix)
        return self._add(Scalar("", plain=True, at=at), None)

    def _too_deep(self, at: Span) -> bool:
        _report_depth(at, self._report)
        return False

    def _add(self, node: Node, anchor: str | None, size: int = 1, height: int = 0) -> bool:
        """Put a finished node where it belongs: the top, a list, a key or a key's value."""
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._stack:
            self.root = node
            return True
        outer = self._stack[-1]
        outer.size += size
        if outer.height <= height:
            outer.height = height + 1
        if outer.size > MAX_NODES:
            message = f"aliases expand to more than {MAX_NODES:,} values"
            self._report.error("yaml/alias-bomb", message, outer.node.at, fix="write values out")
            return False
        if isinstance(outer.node, Sequence):
            outer.node.items.append(node)
        elif outer.key is None and not outer.skip:
            self._take_key(outer, outer.node, node)
        else:
            if outer.key is not None:
                outer.node.entries[outer.key.text] = Entry(outer.key, node)
            outer.key, outer.skip = None, False
        return True

    def _take_key(self, outer: _Open, mapping: Mapping, node: Node) -> None:
        outer.skip = True
        if not isinstance(node, Scalar):
            message = f"expected a text as key, got {describe(node)}"
            self._report.error(
                "yaml/key", message, node.at, fix="quote a text that starts with { or ["
            )
        elif node.is_null:
            message = "expected a text as key, got nothing"
            self._report.error("yaml/key", message, node.at, fix="write the key before the `:`")
        elif node.text == "<<" and node.plain:
            message = "merge keys (`<<`) are not read"
            fix = "repeat the values, or put what is shared into a pack or an environment"
            self._report.error("yaml/merge-key", message, node.at, fix=fix)
        elif node.text in mapping.entries:
            first = mapping.entries[node.text].key.at
            message = f"the key `{node.text}` stands twice; it was first on line {first.line}"
            self._report.error("yaml/duplicate-key", message, node.at, fix="remove one of the two")
        else:
            outer.key, outer.skip = node, False

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the tag `{shown}` is not read"
            fix = "remove it; the spec knows the type of every key"
            self._report.error("yaml/tag", message, self._span(event), fix=fix)

    def _span(self, event: yaml.Event) -> Span:
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:  # only for events made by hand
            return Span(self._source, 1, 1)
        line, column = start.line, start.column
        length = end.column - column if end.line == line else 1
        # Span(...) itself, without the call in between: there is one for each node
        return _new(Span, (self._source, line + 1, column + 1, max(1, length)))
