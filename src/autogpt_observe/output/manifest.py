"""What a bundle is made of, and the record of it that tells generated files from the user's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from autogpt_observe.diagnostics import printable
from autogpt_observe.errors import OutputError
from autogpt_observe.output.paths import MANIFEST_NAME, path_fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIX = (
    "put back the version that was generated, or move the file away and run again:"
    " files that already hold the right bytes are taken over"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One generated file as the manifest knows it."""

    target: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The generated files by path.

    Attributes:
        files: sorted by path.
        raw: the bytes on disk, or None where there is no manifest yet.
    """

    files: Mapping[str, Entry]
    raw: bytes | None


def read_manifest(root: Path) -> Manifest:
    """The manifest of the bundle in ``root``; raises OutputError for one that can't be trusted."""
    place = root / MANIFEST_NAME
    if place.is_symlink() or (place.exists() and not place.is_file()):
        raise OutputError(f"{place}: expected a regular file; {_FIX}")
    try:
        raw = place.read_bytes()
    except FileNotFoundError:
        return Manifest(files=MappingProxyType({}), raw=None)
    return Manifest(files=parse_manifest(raw, place=str(place)), raw=raw)


def format_manifest(files: Mapping[str, Entry]) -> bytes:
    """The manifest's bytes: no version and no time in them, so equal bundles have equal ones."""
    listed = {path: {"sha256": e.sha256, "target": e.target} for path, e in sorted(files.items())}
    text = json.dumps({"files": listed, "format": FORMAT}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def parse_manifest(raw: bytes, *, place: str) -> Mapping[str, Entry]:
    """Read a manifest's bytes; ``place`` names the file in the OutputError for bad ones."""
    tree = _read_json(raw, place)
    if not isinstance(tree, dict):
        _refuse(place, "$", f"got {_kind(tree)}, expected an object")
    if tree.get("format") != FORMAT or isinstance(tree["format"], bool):
        got = f"got {json.dumps(tree.get('format'))[:40]}" if "format" in tree else "missing"
        _refuse(place, "$.format", f"{got}, expected {FORMAT}")
    unknown = sorted(tree.keys() - {"format", "files"})
    if unknown:
        _refuse(place, "$", f"got the unknown key `{printable(unknown[0])}`")
    files = tree.get("files")
    if not isinstance(files, dict):
        _refuse(place, "$.files", f"got {_kind(files)}, expected an object")
    entries = {path: _parse_entry(path, entry, place) for path, entry in sorted(files.items())}
    return MappingProxyType(entries)


def _parse_entry(path: str, entry: object, place: str) -> Entry:
    at = f"$.files[{json.dumps(path)}]"
    fault = path_fault(path)
    if fault is not None:
        _refuse(place, at, f"no file of a bundle can have this path: {fault}")
    if not isinstance(entry, dict) or entry.keys() != {"target", "sha256"}:
        _refuse(place, at, "expected an object with `sha256` and `target`")
    target, sha256 = entry["target"], entry["sha256"]
    if not isinstance(target, str) or not target:
        _refuse(place, f"{at}.target", f"got {_kind(target)}, expected the name of a target")
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        _refuse(place, f"{at}.sha256", "expected 64 lower-case hexadecimal digits")
    return Entry(target=target, sha256=sha256)


def _read_json(raw: bytes, place: str) -> object:
    try:
        tree: object = json.loads(raw.decode(), object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as exc:
        _refuse(f"{place}:{exc.lineno}:{exc.colno}", "$", f"no JSON: {exc.msg}")
    except UnicodeDecodeError as exc:
        _refuse(place, "$", f"no UTF-8 at byte {exc.start}")
    except RecursionError:
        _refuse(place, "$", "nested too deeply")
    except ValueError as exc:
        _refuse(place, "$", str(exc))
    return tree


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands twice")
    return found


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "a text" if value else "an empty text"
        case _:
            return json.dumps(value)[:40]


def _refuse(place: str, at: str, what: str) -> NoReturn:
    raise OutputError(f"{place}: {at}: {what}; {_FIX}")
