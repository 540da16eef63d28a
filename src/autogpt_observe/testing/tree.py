"""Spans as text: a line for each, below and further right than the one around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autogpt_observe.testing.spans import ObservedSpan

INDENT = "  "
ELSEWHERE = "(in a span that is not observed here)"
OPEN = "(open)"


def format_tree(spans: Iterable[ObservedSpan], attributes: Sequence[str] = ()) -> str:
    """The spans as a tree, with these of their attributes; empty without spans."""
    lines: list[str] = []
    waiting = [(span, 0) for span in spans if span.parent is None][::-1]
    while waiting:  # a recursion would end where a recursive agent does
        span, depth = waiting.pop()
        lines.append(INDENT * depth + _format_span(span, attributes))
        waiting += [(child, depth + 1) for child in reversed(span.children)]
    return "\n".join(lines)


def _format_span(span: ObservedSpan, attributes: Sequence[str]) -> str:
    shown = [one_line(span.name) or "(no name)"]
    shown += [
        f"{name}={_format_value(span.attributes[name])}"
        for name in attributes
        if name in span.attributes
    ]
    if span.status == "error":
        shown.append(f"error: {one_line(span.description)}" if span.description else "error")
    if span.seconds is None:
        shown.append(OPEN)
    if span.parent_id is not None and span.parent is None:
        shown.append(ELSEWHERE)
    return INDENT.join(shown)


def _format_value(value: object) -> str:
    return one_line(value) if isinstance(value, str) else repr(value)


def one_line(text: str) -> str:
    """``text`` with escapes for what is not printable, and for spaces that nobody would see."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
    start = len(shown) - len(shown.lstrip(" "))
    end = len(shown.rstrip(" "))
    return "\\x20" * start + shown[start:end] + "\\x20" * (len(shown) - max(start, end))
