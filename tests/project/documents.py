"""Reads the project's Markdown: the blocks that must run, and the links that must lead somewhere.

What a block needs beyond its text stands in HTML comments above it: ``<!-- not run: REASON -->``;
``<!-- exit: 1 -->``, the code of its last command; ``<!-- file: PATH -->``, the block is that file.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUNNABLE = ("sh", "console", "python")
_MISTAKEN = ("bash", "shell", "shell-session", "py", "pycon", "zsh")
_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<language>[\w-]*)")
_DIRECTIVE = re.compile(r"<!-- (?P<name>not run|exit|file): (?P<value>\S.*?) -->")
_HEADING = re.compile(r"#{1,6}\s+(?P<title>.+?)\s*#*")
_LINK = re.compile(
    r"\]\((?P<inline>[^()\s]+)(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s+(?P<reference>\S+)"
)
_ANCHOR = re.compile(r"<a (?:id|name)=\"(?P<name>[^\"]+)\">")
_CODE_SPAN = re.compile(r"(`+).+?\1")


@dataclass(frozen=True)
class Block:
    """A fenced block: where its fence stands, what language it names, what the comments say."""

    line: int
    language: str
    text: str
    directives: Mapping[str, str]


def parse_blocks(text: str) -> list[Block]:
    """All fenced blocks of a document."""
    blocks: list[Block] = []
    directives: dict[str, str] = {}
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is not None:
            body = []
            for _, inner in lines:
                if inner.startswith(fence["fence"]):
                    break
                body.append(f"{inner}\n")
            blocks.append(Block(number, fence["language"], "".join(body), directives))
            directives = {}
        elif (directive := _DIRECTIVE.fullmatch(line.strip())) is not None:
            directives = {**directives, directive["name"]: directive["value"]}
        elif line.strip():
            directives = {}
    return blocks


def check_blocks(text: str, *, name: str, folder: Path) -> list[str]:
    """Run the blocks of a document in ``folder``, in order; what went wrong, up to the first."""
    for block in parse_blocks(text):
        complaint = _check_block(block, folder)
        if complaint is not None:
            return [f"{name}:{block.line}: {complaint}"]
    return []


def _check_block(block: Block, folder: Path) -> str | None:
    if "file" in block.directives:
        path = folder / block.directives["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return None
    if block.language in _MISTAKEN:
        return f"`{block.language}` is not checked; expected one of {', '.join(RUNNABLE)}"
    if block.language not in RUNNABLE or "not run" in block.directives:
        return None
    wanted = int(block.directives.get("exit", "0"))
    if block.language == "console":
        return _check_session(block.text, wanted, folder)
    program = ["sh", "-e"] if block.language == "sh" else [sys.executable]
    code, output = _run([*program, "-c", block.text], folder)
    return None if code == wanted else f"exited {code}, expected {wanted}:\n{output}"


def _check_session(text: str, wanted: int, folder: Path) -> str | None:
    """A ``console`` block: its commands after ``$ ``, and their output, ``...`` for the rest."""
    first, *steps = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if first.strip() or not steps:
        return "a console block starts with a line `$ COMMAND`"
    for number, step in enumerate(steps, start=1):
        command, _, shown = step.partition("\n")
        code, output = _run(["sh", "-c", command], folder)
        expected = wanted if number == len(steps) else 0
        if code != expected:
            return f"`{command}` exited {code}, expected {expected}:\n{output}"
        if shown.strip() and not _agrees(shown, output):
            return f"`{command}` printed:\n{output}\ninstead of:\n{shown}"
    return None


def _agrees(shown: str, output: str) -> bool:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(
        shown.strip() + "\n", output.strip() + "\n", options
    )


def _run(command: list[str], folder: Path) -> tuple[int, str]:
    """Exit code and output of a command in the activated environment; paths as seen there."""
    here = os.path.dirname(sys.executable)  # noqa: PTH120 - not resolved: a link out of the venv
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    path = os.pathsep.join([here, os.environ["PATH"]])
    own = {"PATH": path, "HOME": str(folder), "NO_COLOR": "1", "AUTOGPT_OBSERVE_PORT": "0"}
    run = subprocess.run(
        command,
        cwd=folder,
        env={**kept, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return run.returncode, run.stdout.replace(f"{folder}/", "")


def check_links(path: Path, root: Path) -> list[str]:
    """The links of the document at ``path`` that lead to no file in ``root``, or to no heading."""
    found = []
    shown = path.relative_to(root).as_posix()
    for number, target in _links(path.read_text(encoding="utf-8")):
        complaint = _check_link(target, path, root)
        if complaint is not None:
            found.append(f"{shown}:{number}: `{target}`: {complaint}")
    return found


def _check_link(target: str, path: Path, root: Path) -> str | None:
    if re.match(r"[a-z]+:", target):
        return None
    file, _, anchor = unquote(target).partition("#")
    goal = (path.parent / file).resolve() if file else path
    if not goal.is_relative_to(root.resolve()) or not goal.exists():
        return "there is no such file in the project"
    if anchor and anchor not in _anchors(goal.read_text(encoding="utf-8")):
        return f"there is no heading `{anchor}`"
    return None


def _links(text: str) -> Iterator[tuple[int, str]]:
    for number, line in _prose(text):
        for link in _LINK.finditer(_CODE_SPAN.sub("", line)):
            yield number, link["inline"] or link["reference"]


def _anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to the headings, and those set by hand."""
    found: dict[str, int] = {}
    anchors = set()
    for _, line in _prose(text):
        anchors |= {anchor["name"] for anchor in _ANCHOR.finditer(line)}
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["title"])
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            count = found[slug] = found.get(slug, -1) + 1
            anchors.add(f"{slug}-{count}" if count else slug)
    return anchors


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The numbered lines outside fenced blocks."""
    fence = None
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _FENCE.match(line)
        if fence is None and mark is None:
            yield number, line
        elif fence is None and mark is not None:
            fence = mark["fence"]
        elif fence is not None and line.startswith(fence):
            fence = None
