"""Tidies up after dead processes, so that a folder does not grow with each of them.

The counts they leave go into one file per kind, for which ``dead`` stands instead of a process;
the library reads it like any other. Gauges of the modes ``live...`` end with their process. Those
of the mode ``all`` stay: to show each process's value, dead or alive, is what that mode is for.

Whoever is killed in the middle leaves a plan, and the next one carries it out: a value is never
counted twice or lost. Readers of this package wait meanwhile. The library's own does not, and may
for a moment see a value both in the old file and in the new one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client.mmap_dict import MmapedDict

from autogpt_observe.runtime.multiprocess.folder import (
    DEAD,
    EXEMPLARS,
    OWNER,
    READINGS,
    VALUES,
    Kind,
    parse_file_name,
)
from autogpt_observe.runtime.multiprocess.locks import tidying
from autogpt_observe.runtime.multiprocess.owners import find_dead

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Entry = tuple[float, float]
    """A value and its timestamp."""

_PLAN = "autogpt-observe.plan"
_NEW = ".new"


def clean_up(folder: Path) -> None:
    """Tidy up after processes that died; nothing happens while somebody reads the folder."""
    if not find_dead(folder) and not (folder / _PLAN).exists():
        return
    with tidying(folder) as is_alone:
        if is_alone:
            _carry_out(folder)
            _write_plan(folder, set(find_dead(folder)))
            _carry_out(folder)


def _write_plan(folder: Path, dead: set[str]) -> None:
    files: defaultdict[Kind, list[Path]] = defaultdict(list)
    for path in folder.glob(f"*{VALUES}"):
        kind, process = parse_file_name(path.name)
        if process in dead:
            files[kind].append(path)
    replace: list[str] = []
    remove = [f"{pid}{suffix}" for pid in dead for suffix in (EXEMPLARS, READINGS, OWNER)]
    for kind, paths in files.items():
        if kind.rule == "all" and not kind.dies_with_process:
            continue
        remove += [path.name for path in paths]
        if not kind.dies_with_process:
            target = kind.file_name(DEAD)
            _write_values(folder / f"{target}{_NEW}", kind, [folder / target, *paths])
            replace.append(target)
    plan = folder / f"{_PLAN}{_NEW}"
    plan.write_text(json.dumps({"replace": replace, "remove": remove}), encoding="utf-8")
    plan.replace(folder / _PLAN)


def _carry_out(folder: Path) -> None:
    """Do what the plan says, from wherever the last one got to."""
    try:
        plan = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    for name in plan["replace"]:
        new = folder / f"{name}{_NEW}"
        if new.exists():
            new.replace(folder / name)
    for name in plan["remove"]:
        (folder / name).unlink(missing_ok=True)
    (folder / _PLAN).unlink()


def _write_values(target: Path, kind: Kind, sources: Iterable[Path]) -> None:
    merged: dict[str, Entry] = {}
    for source in sources:
        if source.exists():
            for key, value, time, _ in MmapedDict.read_all_values_from_file(source):  # type: ignore[no-untyped-call]  # the library's
                known = merged.get(key)
                merged[key] = (value, time) if known is None else _join(kind, known, (value, time))
    target.unlink(missing_ok=True)  # of somebody who was killed before there was a plan
    file = MmapedDict(str(target))  # type: ignore[no-untyped-call]  # the library's
    for key, (value, time) in merged.items():
        file.write_value(key, value, time)  # type: ignore[no-untyped-call]  # the library's
    file.close()  # type: ignore[no-untyped-call]  # the library's


def _join(kind: Kind, one: Entry, other: Entry) -> Entry:
    match kind.rule:
        case "min":
            return min(one, other, key=lambda entry: entry[0])
        case "max":
            return max(one, other, key=lambda entry: entry[0])
        case "mostrecent":
            return max(one, other, key=lambda entry: entry[1])
        case _:
            return one[0] + other[0], 0.0
