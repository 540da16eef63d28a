"""One process's CPU, memory, threads, files and children, read when Prometheus asks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from autogpt_observe.runtime.cgroups import ControlGroups, OutsideError
from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.processes import GoneError, process_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.processes import ProcessTable, Snapshot

_SHORTEST_INTERVAL = 1.0
"""Seconds; two scrapers that ask at the same time see the same reading, not one of a moment."""


class ProcessReader:
    """Reads this process, or another one, and its limits.

    ``seen`` is the look that told which other process it is. Every reading of it raises GoneError
    once that one has ended, even where a later process has its number, and PermissionError where
    this user may not ask. The readings of this process raise neither.
    """

    def __init__(
        self,
        seen: Snapshot | None = None,
        *,
        table: ProcessTable | None = None,
        groups: ControlGroups | None = None,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] | None = None,
    ) -> None:
        self.seen = seen
        self._pid = None if seen is None else seen.pid
        self._table = process_table() if table is None else table
        self._groups = ControlGroups(pid=self._pid) if groups is None else groups
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._lock = threading.Lock()
        self._measured: tuple[float, float] | None = None
        if seen is not None:  # nobody read it before, so its first share is that of all its life
            self._measured = (clock() - self._table.age(seen), 0.0)
        self._cpu_ratio = 0.0
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them, and this process has used no CPU time yet."""
        self._lock = threading.Lock()
        if self.seen is None:
            self._measured = None

    def memory(self) -> float:
        """Resident memory in bytes."""
        self._look()
        return self._table.memory(self._pid)

    def memory_limit(self) -> float:
        """The lowest limit of the control groups, at most the machine's memory, in bytes.

        Raises:
            OutsideError: the control groups of another process can't be seen from here.
        """
        self._look()
        return min([self._table.machine_memory(), *self._groups.memory_limits()])

    def threads(self) -> float:
        """How many threads it has."""
        return self._see().threads

    def open_files(self) -> float:
        """How many file descriptors it has open."""
        self._look()
        return self._table.open_files(self._pid)

    def children(self) -> float:
        """How many processes it is the parent of, zombies included."""
        self._look()
        return self._table.children(self._pid)

    def age(self) -> float:
        """Seconds since it started."""
        return self._table.age(self._see())

    def cpu(self) -> float:
        """The CPU time used since the last reading, as a share of the CPUs it may use.

        The first reading of another process counts from its start; that of this process is 0.
        Within a second of a reading, the same as that reading. Quotas of control groups that
        can't be seen from here are not known, so that the share may be too low.
        """
        with self._lock:
            now, used = self._clock(), self._cpu_seconds()
            if self._measured is None:
                self._measured = (now, used)
            before, used_before = self._measured
            if now - before >= _SHORTEST_INTERVAL:
                self._cpu_ratio = (used - used_before) / ((now - before) * self._cpus())
                self._measured = (now, used)
            return self._cpu_ratio

    def _cpu_seconds(self) -> float:
        if self._cpu_clock is not None:
            return self._cpu_clock()
        return time.process_time() if self.seen is None else self._see().cpu_seconds

    def _cpus(self) -> float:
        usable = self._table.usable_cpus(self._pid)
        try:
            return min([usable, *self._groups.cpu_quotas()])
        except OutsideError:
            return usable

    def _see(self) -> Snapshot:
        """Look at it; raises GoneError unless it is the same as ever."""
        now = self._table.snapshot(self._pid)
        if self.seen is not None and (now.born != self.seen.born or now.has_ended):
            raise GoneError(f"process {now.pid} has ended")
        return now

    def _look(self) -> None:
        """Before a reading that would not notice that the process is another one."""
        if self.seen is not None:
            self._see()
