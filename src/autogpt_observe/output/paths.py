"""Which paths a bundle may hold: plain, below its folder, each alone under its name."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MANIFEST_NAME = ".autogpt-observe.json"
"""The record of what was generated, at the top of the bundle's folder."""

STAGE_NAME = ".autogpt-observe.stage"
"""The folder a run works in; one that is there when no run is means an interrupted run."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why no regular file can be at a path: what stands at ``at`` (the path or a parent of it)."""

    at: str
    why: str


Found = str | Blocked | None
"""What is on disk at a path: the SHA-256 of a regular file, nothing, or something in the way."""


def path_fault(path: str) -> str | None:
    """What keeps ``path`` from being a path of a bundle (``/`` between its parts), or None."""
    if not path:
        return "it is empty"
    if not path.isprintable():
        return "it has a character that can't be printed"
    if "\\" in path:
        return "it has a backslash"
    parts = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if any(part in ("", ".", "..") for part in parts):
        return "it has an empty, `.` or `..` part"
    if _folded(parts[0]) in (MANIFEST_NAME, STAGE_NAME):
        return "the name is kept for the record of what was generated"
    return None


def clash_faults(paths: Iterable[str]) -> list[str]:
    """The pairs of paths that can't stand side by side, one sentence each.

    They differ in nothing but case or Unicode form (one file on macOS, two on Linux), or one is a
    file where the other needs a folder.
    """
    spelt: dict[str, str] = {}
    files = sorted(paths)
    whole = set(files)
    faults = []
    for path in files:
        folder = next((parent for parent in parents(path) if parent in whole), None)
        if folder is not None:
            faults.append(f"`{folder}` is a file, and a folder for `{path}`")
        for part in (*parents(path), path):
            first = spelt.setdefault(_folded(part), part)
            if first != part:
                faults.append(f"`{first}` and `{part}` are one name where case doesn't count")
    return list(dict.fromkeys(faults))


def parents(path: str) -> Iterator[str]:
    """The folders above ``path``, outermost first, the bundle's own folder left out."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def look_up(root: Path, path: str) -> Found:
    """What is at ``path`` below ``root``; symbolic links below ``root`` are never followed.

    Raises OSError where the disk can't be read.
    """
    for folder in parents(path):
        mode = _mode(root / folder)
        if mode is None:
            return None
        if stat.S_ISLNK(mode):
            return Blocked(folder, "is a symbolic link, and a bundle is written to real folders")
        if not stat.S_ISDIR(mode):
            return Blocked(folder, "is a file where the bundle needs a folder")
    mode = _mode(root / path)
    if mode is None:
        return None
    if stat.S_ISREG(mode):
        with (root / path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if stat.S_ISDIR(mode):
        return Blocked(path, "is a folder where the bundle needs a file")
    if stat.S_ISLNK(mode):
        return Blocked(path, "is a symbolic link, and a bundle is written to real files")
    return Blocked(path, "is no regular file")


def digest(data: bytes) -> str:
    """The SHA-256 of ``data``, in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _mode(path: Path) -> int | None:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
