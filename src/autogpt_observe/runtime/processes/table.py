"""What can be asked about processes, whatever the system."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class GoneError(Exception):
    """There is no such process any more, or this user may not see it."""


class Snapshot(NamedTuple):
    """What one look at a process shows.

    Attributes:
        pid: its number.
        born: when it started, on a clock of the table's own; with the number, it tells a process
            from a later one of the same number.
        name: of the program, without its arguments.
        parent: the number of the process it is a child of.
        has_ended: it is a zombie: ended, and its parent has not asked for its exit code yet.
        cpu_seconds: CPU time used by all of its threads, those that ended included.
        threads: how many threads it has.
    """

    pid: int
    born: float
    name: str
    parent: int
    has_ended: bool
    cpu_seconds: float
    threads: int


class ProcessTable(Protocol):
    """The processes of this system. A ``pid`` of None is this process.

    All but :meth:`pids`, :meth:`command_line` and :meth:`machine_memory` raise GoneError when the
    process is gone, and PermissionError when this user may not ask.
    """

    def snapshot(self, pid: int | None, /) -> Snapshot:
        """Look at a process."""

    def age(self, seen: Snapshot, /) -> float:
        """The seconds since it started; this one does not raise."""

    def memory(self, pid: int | None, /) -> float:
        """Resident memory in bytes."""

    def open_files(self, pid: int | None, /) -> int:
        """How many file descriptors it has open."""

    def children(self, pid: int | None, /) -> int:
        """How many processes it is the parent of, zombies included."""

    def usable_cpus(self, pid: int | None, /) -> int:
        """How many CPUs it may run on, its control groups apart."""

    def pids(self) -> Iterable[int]:
        """The numbers of all processes."""

    def command_line(self, pid: int, /) -> str:
        """Its arguments, joined by spaces; empty where it has none or they can't be read."""

    def machine_memory(self) -> int:
        """The memory of the machine, in bytes."""
