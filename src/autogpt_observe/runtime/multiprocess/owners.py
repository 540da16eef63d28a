"""Which processes of the folder are dead, for certain.

A number is not enough: it may belong to another process by now, or to one in another container that
has the folder too. So each process in which the runtime is up leaves a file ``{pid}.owner`` that
says when it started and where. Processes without such a file are nobody's to judge here; the host
calls `prometheus_client.multiprocess.mark_process_dead` for them, as ever.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from autogpt_observe.runtime.multiprocess.folder import OWNER, VALUES

_PROC = Path("/proc")


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
    """Say that this process has values in the folder; where there is no /proc, it says nothing."""
    owner = _owner(os.getpid())
    if owner is not None:
        path = folder / f"{os.getpid()}{OWNER}"
        path.write_text("\n".join(owner), encoding="ascii")


def find_dead(folder: Path) -> list[str]:
    """The processes that signed and are dead."""
    here = _owner(os.getpid())
    if here is None:
        return []
    dead = []
    for path in folder.glob(f"*{OWNER}"):
        try:
            lines = path.read_text(encoding="ascii").split("\n")
        except FileNotFoundError:  # another process tidied up meanwhile
            continue
        if path.stem.isdecimal() and len(lines) == len(Owner._fields):
            owner = Owner(*lines)
            is_near = (owner.boot, owner.namespace) == (here.boot, here.namespace)
            if is_near and _is_dead(int(path.stem), owner, folder):
                dead.append(path.stem)
    return dead


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
