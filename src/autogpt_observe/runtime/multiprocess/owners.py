"""Which processes of the folder are dead, for certain.

A number is not enough: it may belong to another process by now, or to one in another container that
has the folder too. So each process in which the runtime is up leaves a file ``{pid}.owner`` that
says when it started and where, and keeps it locked while it lives. /proc tells whether a process of
this container is alive; the lock tells it of others, those of a container that was restarted on the
same volume above all. Processes without such a file are nobody's to judge here; the host calls
`prometheus_client.multiprocess.mark_process_dead` for them, as ever.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from autogpt_observe.runtime.multiprocess.folder import (
    OWNER,
    READINGS,
    VALUES,
    parse_file_name,
)

_PROC = Path("/proc")
_HELD: dict[Path, int] = {}
"""The owner's file that this process keeps locked, or its parent did."""


class Owner(NamedTuple):
    """A process.

    Attributes:
        started: when, in ticks since the machine started.
        boot: which start of which machine.
        namespace: in which its number counts.
    """

    started: str
    boot: str
    namespace: str


def sign(folder: Path) -> None:
    """Say that this process has values in the folder; where there is no /proc, it says nothing.

    What an earlier process of the same number said of its own state is taken away.
    """
    owner = _owner(os.getpid())
    if owner is None:
        return
    path, text = folder / f"{os.getpid()}{OWNER}", "\n".join(owner)
    if path.exists() and path.read_text(encoding="ascii") != text:
        _forget_state(folder, os.getpid())
    new = folder / f"{os.getpid()}{OWNER}.new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    with suppress(OSError):  # without locks, those of this container are still judged by /proc
        # a lock of this kind is the process's own: a forked child does not have it
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(descriptor, text.encode("ascii"))
    new.replace(path)
    for before in _HELD.values():  # of a parent, or of an earlier `init`
        os.close(before)
    _HELD.clear()
    _HELD[path] = descriptor


def find_dead(folder: Path) -> list[str]:
    """The processes that signed and are dead."""
    return [pid for pid, is_alive, _ in _judge(folder) if not is_alive]


def find_living(folder: Path) -> list[int]:
    """The processes of this container that signed and are alive, this one included."""
    return [int(pid) for pid, is_alive, is_near in _judge(folder) if is_alive and is_near]


def _judge(folder: Path) -> list[tuple[str, bool, bool]]:
    """Of each process that signed: its number, whether it is alive, whether it is of here."""
    here = _owner(os.getpid())
    if here is None:
        return []
    judged = []
    for path in folder.glob(f"*{OWNER}"):
        try:
            lines = path.read_text(encoding="ascii").split("\n")
        except FileNotFoundError:  # another process tidied up meanwhile
            continue
        if path.stem.isdecimal() and len(lines) == len(Owner._fields):
            owner = Owner(*lines)
            is_near = (owner.boot, owner.namespace) == (here.boot, here.namespace)
            is_dead = _is_dead(int(path.stem), owner, folder) if is_near else not _is_locked(path)
            judged.append((path.stem, not is_dead, is_near))
    return judged


def _is_locked(path: Path) -> bool:
    """Whether a process has the file locked; True where that can't be told."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _forget_state(folder: Path, pid: int) -> None:
    """Remove what ends with a process, as long as this one has not begun to use it."""
    if _uses(pid, folder):
        return
    (folder / f"{pid}{READINGS}").unlink(missing_ok=True)
    for path in folder.glob(f"*_{pid}{VALUES}"):
        if parse_file_name(path.name)[0].dies_with_process:
            path.unlink(missing_ok=True)


def _owner(pid: int) -> Owner | None:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return None
    started = _started(pid)
    return None if started is None else Owner(started, boot, namespace)


def _started(pid: int) -> str | None:
    """When the process started; None if it ended."""
    try:
        status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = status.rpartition(")")[2].split()  # its name, before them, may hold anything
    state, started = fields[0], fields[19]
    return None if state in ("Z", "X") else started


def _is_dead(pid: int, owner: Owner, folder: Path) -> bool:
    try:
        started = _started(pid)
        if started is None:
            return True
        # its number has a new owner, who may go on with the same files
        return started != owner.started and not _uses(pid, folder)
    except PermissionError:
        return False


def _uses(pid: int, folder: Path) -> bool:
    """Whether the process has a file of its own in the folder open."""
    maps = (_PROC / str(pid) / "maps").read_text(encoding="utf-8", errors="replace")
    place = f"{folder.resolve()}{os.sep}"
    return any(
        place in line and line.split(" (deleted)")[0].endswith(f"_{pid}{VALUES}")
        for line in maps.splitlines()
    )
