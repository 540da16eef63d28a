"""Processes as psutil shows them, where there is no /proc of Linux."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from autogpt_observe.runtime.processes.table import GoneError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator


class PsutilTable:
    """The processes of this system."""

    def snapshot(self, pid: int | None, /) -> Snapshot:
        """Look at a process."""
        with _asking(pid):
            process = psutil.Process(pid)
            with process.oneshot():
                used = process.cpu_times()
                return Snapshot(
                    pid=process.pid,
                    born=process.create_time(),
                    name=process.name(),
                    parent=process.ppid(),
                    has_ended=process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD),
                    cpu_seconds=used.user + used.system,
                    threads=process.num_threads(),
                )

    def age(self, seen: Snapshot, /) -> float:
        """The seconds since it started."""
        return max(0.0, time.time() - seen.born)

    def memory(self, pid: int | None, /) -> float:
        """Resident memory in bytes."""
        with _asking(pid):
            return psutil.Process(pid).memory_info().rss

    def open_files(self, pid: int | None, /) -> int:
        """How many file descriptors it has open."""
        with _asking(pid):
            return psutil.Process(pid).num_fds()

    def children(self, pid: int | None, /) -> int:
        """How many processes it is the parent of, zombies included."""
        with _asking(pid):
            return len(psutil.Process(pid).children())

    def usable_cpus(self, pid: int | None, /) -> int:
        """How many CPUs it may run on; without affinities, all of them."""
        if hasattr(psutil.Process, "cpu_affinity"):
            with _asking(pid):
                return len(psutil.Process(pid).cpu_affinity())
        return os.cpu_count() or 1

    def pids(self) -> list[int]:
        """The numbers of all processes."""
        return psutil.pids()

    def command_line(self, pid: int, /) -> str:
        """Its arguments, joined by spaces; empty where it has none or they can't be read."""
        try:
            return " ".join(psutil.Process(pid).cmdline())
        except (psutil.Error, OSError):
            return ""

    def machine_memory(self) -> int:
        """The memory of the machine, in bytes."""
        return psutil.virtual_memory().total


@contextmanager
def _asking(pid: int | None) -> Iterator[None]:
    """Turns psutil's errors into those of the protocol."""
    try:
        yield
    except psutil.AccessDenied as error:
        raise PermissionError(f"process {pid}: {error}") from error
    except psutil.NoSuchProcess as error:  # zombies included
        raise GoneError(f"there is no process {pid}") from error
