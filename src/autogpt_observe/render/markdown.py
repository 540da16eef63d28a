"""Markdown as GitHub reads it: text that shows as it is, tables, links, anchors of headings.

The dialect: https://github.github.com/gfm/. Everything made here can stand in a table's cell.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# `_` inside of a word means nothing, and names are easier to read without backslashes.
_SPECIAL = re.compile(r"[\\`*\[\]<|~$]|(?<=\])\(|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w)")
_STARTS_A_BLOCK = re.compile(r"(?=[#>=+-])|(?P<number>\d{1,9})(?=[.)])")
_KEPT = re.compile(
    r"(?P<fence>`+)(?P<code>[^`](?:.*?[^`])?)(?P=fence)(?!`)"
    r"|\[(?P<label>[^\[\]]+)\]\((?P<target>https?://[^\s()<>]+)\)"
    r"|(?P<address>https?://[^\s<>()`]*[^\s<>()`.,;:!?'\"|\\*_~])"
    r"|(?P<template>\{\{.*?\}\})"
    r"|(?P<word>\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b)"
)
_ENTITIES = re.compile(r"[^A-Za-z0-9 ]")
_PLAIN = re.compile(r"[^`|\s]+(?: [^`|\s]+)*")
_TICKS = re.compile("`+")


def escape(text: str) -> str:
    """Markdown that shows ``text`` on one line, every character for what it is."""
    line = " ".join(text.split())
    start = _STARTS_A_BLOCK.match(line)
    if start is None:
        return _escape_inside(line)
    number = start["number"] or ""
    return f"{number}\\{line[len(number)]}{_escape_inside(line[len(number) + 1 :])}"


def prose(text: str, pages: Mapping[str, str] = MappingProxyType({})) -> str:
    """A text of the spec on one line: what stands in backticks, links and addresses are kept.

    Go templates show as code; a name of several words that has one of the ``pages`` becomes a link
    to it. Everything else means nothing but itself.
    """
    line = " ".join(text.split())
    pieces, at = [], 0
    for found in _KEPT.finditer(line):
        if found["word"] is None or found["word"] in pages:
            pieces += [_between(line[at : found.start()], first=at == 0), _kept(found, pages)]
            at = found.end()
    return "".join([*pieces, _between(line[at:], first=at == 0)])


def code(text: str) -> str:
    """``text`` as code, on one line."""
    if _PLAIN.fullmatch(text):
        return f"`{text}`"
    line = " ".join(text.split("\n"))
    line = line if line.strip() else f'"{line}"'
    if "|" in line:  # after a backslash, a cell can't hold one otherwise
        inner = _ENTITIES.sub(lambda found: f"&#{ord(found[0])};", line)
        return f"<code>{inner}</code>"
    fence = "`" * (1 + max(map(len, _TICKS.findall(line)), default=0))
    pad = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def codes(texts: Iterable[str], *, last: str = "and") -> str:
    """Each as code, joined as in a sentence: ``a``, ``b`` and ``c``."""
    *others, end = map(code, texts)
    return f"{', '.join(others)} {last} {end}" if others else end


def fenced(text: str, language: str = "") -> str:
    """``text`` as a block of code, line by line."""
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def link(shown: str, target: str) -> str:
    """A link to a path, an anchor or an address; ``shown`` is Markdown."""
    return f"[{shown}](<{target}>)" if re.search(r"[\s()<>]", target) else f"[{shown}]({target})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown; an empty one shows a dash."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell or '-' for cell in line)} |" for line in lines)


def bullets(items: Iterable[str]) -> str:
    """A list of lines that are Markdown."""
    return "\n".join(f"- {item}" for item in items)


def numbered(items: Iterable[str]) -> str:
    """A numbered list of lines that are Markdown."""
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))


def anchors(titles: Iterable[str]) -> list[str]:
    """The fragments that GitHub gives to the headings of a page, in their order."""
    seen: dict[str, int] = {}
    found = []
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen[slug] = seen.get(slug, -1) + 1
        found.append(f"{slug}-{count}" if count else slug)
    return found


def document(*blocks: str, note: str) -> str:
    """A document: its blocks with an empty line between them; ``note`` is for its editors."""
    return "\n\n".join((f"<!-- {note} -->", *filter(None, blocks))) + "\n"


def _escape_inside(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def _between(text: str, *, first: bool) -> str:
    if first and text.strip():
        return escape(text) + (" " if text.endswith(" ") else "")
    return _escape_inside(text)


def _kept(found: re.Match[str], pages: Mapping[str, str]) -> str:
    if found["word"] is not None:
        return link(code(found["word"]), pages[found["word"]])
    if found["code"] is not None:
        return code(found["code"])
    if found["target"] is not None:
        return link(_escape_inside(found["label"]), found["target"])
    return f"<{found['address']}>" if found["address"] else code(found["template"])
