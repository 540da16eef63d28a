"""What writing a bundle would change on disk. Reads only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import printable
from autogpt_observe.errors import OutputError
from autogpt_observe.output.manifest import Entry, format_manifest, read_manifest
from autogpt_observe.output.paths import (
    MANIFEST_NAME,
    STAGE_NAME,
    Blocked,
    clash_faults,
    digest,
    look_up,
    parents,
    path_fault,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from autogpt_observe.artifacts import Artifact
    from autogpt_observe.output.manifest import Manifest
    from autogpt_observe.output.paths import Found

PENDING = (
    f"an earlier run was interrupted, or is still going on (`{STAGE_NAME}` is there);"
    " `autogpt-observe generate` finishes or undoes it"
)


class Action(StrEnum):
    """What happens to one file."""

    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
    UNCHANGED = "unchanged"
    ADOPT = "adopt"
    DELETE = "delete"
    KEEP = "keep"
    FORGET = "forget"


_NOTES = {
    Action.RESTORE: "edited or damaged since it was generated",
    Action.ADOPT: "already holds what would be written",
    Action.DELETE: "no longer generated",
    Action.KEEP: "no longer generated, but edited since: it is yours now",
    Action.FORGET: "no longer generated, and already gone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file of the plan.

    Attributes:
        before: SHA-256 of the file on disk; None where there is no regular file.
        data: the bytes it has in the bundle; None for an orphan.
    """

    path: str
    action: Action
    before: str | None
    data: bytes | None = None

    @property
    def is_written(self) -> bool:
        """Whether its bytes on disk become `data`."""
        return self.action in (Action.CREATE, Action.UPDATE, Action.RESTORE)

    @property
    def after(self) -> str | None:
        """SHA-256 of `data`; None for an orphan."""
        return None if self.data is None else digest(self.data)

    def __str__(self) -> str:
        note = _NOTES.get(self.action)
        if self.action is Action.RESTORE and self.before is None:
            note = "deleted since it was generated"
        return f"{self.action:<9} {printable(self.path)}" + (f" ({note})" if note else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change in ``root``.

    Attributes:
        changes: every file of the bundle and every orphan, sorted by path.
        manifest: the change of the manifest itself.
        pending: an interrupted run is there; then nothing else was planned.
    """

    root: Path
    changes: tuple[Change, ...]
    manifest: Change
    pending: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether the disk already holds exactly this bundle."""
        everything = (*self.changes, self.manifest)
        return not self.pending and all(c.action is Action.UNCHANGED for c in everything)


def plan_bundle(
    root: Path, artifacts: Mapping[str, Artifact], *, only: frozenset[str] | None = None
) -> Plan:
    """Compare a bundle (artifacts by path) with what is in ``root``.

    With ``only``, the files of these targets alone; the others stay as they are, on disk and in
    the manifest. Raises OutputError for a folder that can't be read, a manifest that can't be
    trusted, paths that can't be written, and files in the way that were not generated.
    """
    try:
        if os.path.lexists(root / STAGE_NAME):
            manifest = Change(path=MANIFEST_NAME, action=Action.UNCHANGED, before=None)
            return Plan(root=root, changes=(), manifest=manifest, pending=True)
        if root.exists() and not root.is_dir():
            raise OutputError(f"{root}: is a file; the bundle needs a folder")
        return _plan(root, artifacts, read_manifest(root), only)
    except OSError as exc:
        raise OutputError(f"can't read {exc.filename or root}: {exc.strerror or exc}") from exc


def format_plan(plan: Plan) -> str:
    """The plan for people: one line for each file that changes, without a last line end."""
    if plan.pending:
        return PENDING
    if plan.is_clean:
        count = len(plan.changes)
        return f"up to date: {count} file{'' if count == 1 else 's'}"
    everything = (*plan.changes, plan.manifest)
    return "\n".join(str(c) for c in everything if c.action is not Action.UNCHANGED)


def _plan(
    root: Path, artifacts: Mapping[str, Artifact], old: Manifest, only: frozenset[str] | None
) -> Plan:
    wanted = {p: a for p, a in sorted(artifacts.items()) if only is None or a.target in only}
    orphans = [
        path
        for path, entry in old.files.items()
        if path not in artifacts and (only is None or entry.target in only)
    ]
    stay = {p: e for p, e in old.files.items() if p not in wanted and p not in orphans}
    _check_paths(root, wanted, stay)
    released = [_plan_orphan(path, old.files[path], look_up(root, path)) for path in orphans]
    going = frozenset(change.path for change in released if change.action is Action.DELETE)
    data = {path: _encode(path, artifact.text) for path, artifact in wanted.items()}
    found = _look_up_all(root, wanted, going)
    _check_conflicts(root, data, found, old)
    written = [_plan_file(p, data[p], found[p], old.files.get(p)) for p in wanted]
    entries = {p: Entry(artifact.target, digest(data[p])) for p, artifact in wanted.items()}
    return Plan(
        root=root,
        changes=tuple(sorted((*written, *released), key=lambda change: change.path)),
        manifest=_plan_manifest(old.raw, format_manifest({**stay, **entries})),
    )


def _plan_file(path: str, data: bytes, found: str | None, known: Entry | None) -> Change:
    if found == digest(data):
        action = Action.UNCHANGED if known and known.sha256 == found else Action.ADOPT
        return Change(path=path, action=action, before=found, data=data)
    if known is None:
        action = Action.CREATE
    else:
        action = Action.UPDATE if found == known.sha256 else Action.RESTORE
    return Change(path=path, action=action, before=found, data=data)


def _plan_orphan(path: str, known: Entry, found: Found) -> Change:
    if found is None:
        return Change(path=path, action=Action.FORGET, before=None)
    if found == known.sha256:
        return Change(path=path, action=Action.DELETE, before=known.sha256)
    before = None if isinstance(found, Blocked) else found
    return Change(path=path, action=Action.KEEP, before=before)


def _plan_manifest(old: bytes | None, new: bytes) -> Change:
    if old == new:
        return Change(path=MANIFEST_NAME, action=Action.UNCHANGED, before=digest(new), data=new)
    action = Action.CREATE if old is None else Action.UPDATE
    before = None if old is None else digest(old)
    return Change(path=MANIFEST_NAME, action=action, before=before, data=new)


def _check_paths(root: Path, wanted: Mapping[str, Artifact], stay: Mapping[str, Entry]) -> None:
    faults = [f"`{printable(p)}`: {fault}" for p in wanted if (fault := path_fault(p))]
    faults = faults or clash_faults({**wanted, **stay})
    if faults:
        raise OutputError(f"{root}: these paths can't be written:{_listed(faults)}")


def _look_up_all(
    root: Path, paths: Mapping[str, Artifact], going: frozenset[str]
) -> dict[str, str | None]:
    found, faults = {}, []
    for path in paths:
        at = look_up(root, path)
        if not isinstance(at, Blocked):
            found[path] = at
        elif _gives_way(root, at.at, going):
            found[path] = None
        else:
            faults.append(f"`{printable(at.at)}` {at.why}")
    if faults:
        listed = _listed(dict.fromkeys(faults))
        raise OutputError(
            f"{root}: something is in the way of the bundle:{listed}\n"
            "move it away, or choose another folder with -o"
        )
    return found


def _gives_way(root: Path, path: str, going: frozenset[str]) -> bool:
    """Whether what stands at ``path`` is gone once the files ``going`` are deleted."""
    if path in going:
        return True
    emptied = {folder for file in going for folder in parents(file)}
    if path not in emptied:
        return False
    inside = (entry.relative_to(root).as_posix() for entry in (root / path).rglob("*"))
    return all(entry in going or entry in emptied for entry in inside)


def _check_conflicts(
    root: Path, data: Mapping[str, bytes], found: Mapping[str, str | None], old: Manifest
) -> None:
    foreign = [
        path
        for path, sha256 in found.items()
        if sha256 is not None and path not in old.files and sha256 != digest(data[path])
    ]
    if foreign:
        raise OutputError(
            f"{root}: these files were not generated by autogpt-observe and would be"
            f" overwritten:{_listed(map(printable, foreign))}\n"
            "move them away, or choose another folder with -o"
        )


def _encode(path: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        got = printable(text[exc.start : exc.start + 1])
        raise OutputError(f"`{path}`: its text has {got}, which is no Unicode character") from exc


def _listed(lines: Iterable[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)
