"""An expression as a tree whose every node knows where it stands in the text.

Offsets count characters from 0; ``end`` is the offset of the first character behind the node.
Nodes are named tuples: they are made by the thousand, and cost half of what dataclasses do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_OPERATORS = frozenset({"and", "or", "unless"})
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class Word(NamedTuple):
    """A name or a string's value, and where it is written; ``quoted`` when in quotes."""

    text: str
    start: int
    end: int
    quoted: bool = False


class Matcher(NamedTuple):
    """``label op "value"``; the operator is one of ``=``, ``!=``, ``=~``, ``!~``."""

    label: Word
    op: str
    value: Word


class Shift(NamedTuple):
    """When samples are read, if not now: an offset in milliseconds, ``@ time``; and their words."""

    offset_ms: int | None = None
    at: float | str | None = None
    start: int = 0
    end: int = 0


NOW = Shift()


class Length(NamedTuple):
    """A length of time in brackets, as milliseconds and as it is written."""

    ms: int
    word: Word


class Grouping(NamedTuple):
    """``by (labels)`` or ``without (labels)``."""

    without: bool
    labels: tuple[Word, ...]
    start: int
    end: int


class Matching(NamedTuple):
    """``on`` or ``ignoring`` with its labels, and ``group_left`` or ``group_right`` with theirs.

    ``many`` is the side that may have several series for one of the other: ``left``, ``right`` or
    neither.
    """

    on: bool
    labels: tuple[Word, ...]
    many: str
    extra: tuple[Word, ...]
    start: int
    end: int


class Number(NamedTuple):
    """A number; a duration that stands for one is in seconds."""

    start: int
    end: int
    value: float


class Text(NamedTuple):
    """A string."""

    start: int
    end: int
    value: str


class Selector(NamedTuple):
    """The newest samples of some series; ``name`` is None where no matcher gives exactly one."""

    start: int
    end: int
    name: Word | None
    matchers: tuple[Matcher, ...]
    shift: Shift = NOW


class Range(NamedTuple):
    """The samples of some series over a length of time."""

    start: int
    end: int
    inner: Selector
    length: Length
    shift: Shift = NOW


class Subquery(NamedTuple):
    """An expression evaluated again and again; ``step`` is None for the server's interval."""

    start: int
    end: int
    inner: Node
    length: Length
    step: Length | None
    shift: Shift = NOW


class Call(NamedTuple):
    """A function and its arguments."""

    start: int
    end: int
    function: str
    arguments: tuple[Node, ...]


class Aggregation(NamedTuple):
    """Many series made fewer; ``param`` is the first of two arguments."""

    start: int
    end: int
    op: str
    param: Node | None
    inner: Node
    grouping: Grouping | None


class Unary(NamedTuple):
    """A sign before an expression."""

    start: int
    end: int
    op: str
    inner: Node


class Binary(NamedTuple):
    """Two operands; ``op`` is in small letters, ``op_start`` is where it stands."""

    start: int
    end: int
    op: str
    op_start: int
    left: Node
    right: Node
    returns_bool: bool
    matching: Matching | None
    fills: bool = False

    @property
    def filters(self) -> bool:
        """Whether it is a comparison that drops the samples for which it is false."""
        return self.op in COMPARISONS and not self.returns_bool


class Group(NamedTuple):
    """An expression in parentheses."""

    start: int
    end: int
    inner: Node


Node = Number | Text | Selector | Range | Subquery | Call | Aggregation | Unary | Binary | Group


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in the order of the text."""
    match node:
        case Number() | Text() | Selector():
            return ()
        case Range(inner=inner) | Subquery(inner=inner) | Unary(inner=inner) | Group(inner=inner):
            return (inner,)
        case Call(arguments=arguments):
            return arguments
        case Aggregation(param=param, inner=inner):
            return (inner,) if param is None else (param, inner)
        case Binary(left=left, right=right):
            return (left, right)
        case _:
            assert_never(node)


def walk(node: Node) -> Iterator[Node]:
    """``node`` and all below it, a node before those below it, in the order of the text."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(children(found))


def bare(node: Node) -> Node:
    """``node`` without parentheses around it."""
    while isinstance(node, Group):
        node = node.inner
    return node


def canonical(node: Node) -> str:  # noqa: C901 - one case for each kind of node
    """A text that two nodes share only if they mean the same; order of labels doesn't count."""
    match node:
        case Group(inner=inner):
            return canonical(inner)
        case Number(value=value):
            return repr(value)
        case Text(value=value):
            return repr(value)
        case Selector():
            written = sorted({f"{m.label.text}{m.op}{m.value.text!r}" for m in node.matchers})
            name = node.name.text if node.name is not None else ""
            return f"{name}{{{','.join(written)}}}{_moved(node.shift)}"
        case Range(inner=inner, length=length, shift=shift):
            return f"{canonical(inner)}[{length.ms}]{_moved(shift)}"
        case Subquery(inner=inner, length=length, step=step, shift=shift):
            every = step.ms if step is not None else ""
            return f"({canonical(inner)})[{length.ms}:{every}]{_moved(shift)}"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(canonical, arguments))})"
        case Aggregation():
            below = ", ".join(map(canonical, children(node)))
            return f"{node.op}{_grouped(node.grouping)}({below})"
        case Unary(op=op, inner=inner):
            return f"({op}{canonical(inner)})"
        case Binary():
            return f"({canonical(node.left)} {_joined(node)} {canonical(node.right)})"
        case _:
            assert_never(node)


def _moved(shift: Shift) -> str:
    return f" offset {shift.offset_ms} @ {shift.at}" if shift[:2] != NOW[:2] else ""


def _grouped(grouping: Grouping | None) -> str:
    if grouping is None:
        return ""
    word = "without" if grouping.without else "by"
    return f" {word} ({', '.join(sorted({label.text for label in grouping.labels}))}) "


def _joined(node: Binary) -> str:
    words = [node.op, "bool" if node.returns_bool else ""]
    if node.matching is not None:
        labels, extra = (
            ",".join(sorted({label.text for label in listed}))
            for listed in (node.matching.labels, node.matching.extra)
        )
        words.append(f"{'on' if node.matching.on else 'ignoring'}({labels})")
        words.append(f"{node.matching.many}({extra})")
    return " ".join(words)
