"""Processes as Linux shows them in /proc, see proc(5). A reading costs some 10 us."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from autogpt_observe.runtime.processes.table import GoneError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SELF = "self"
_ZOMBIE = (b"Z", b"X", b"x")
_LONGEST_COMMAND = 131_072
"""Bytes; what is longer is cut, so that no process makes a regex run for ever."""
_SCAN_SECONDS = 0.5
"""How old a count of children may be that came from a look at every process."""


class Procfs:
    """The processes below ``root``; ``uptime`` says the seconds since the machine started."""

    def __init__(self, root: str = "/proc", *, uptime: Callable[[], float] | None = None) -> None:
        self._root = root
        self._uptime = _uptime if uptime is None else uptime
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._scanned: tuple[float, Counter[int]] | None = None

    def snapshot(self, pid: int | None, /) -> Snapshot:
        """Look at a process."""
        with _asking(pid):
            text = _read(f"{self._folder(pid)}/stat")
        # the name may hold spaces and brackets; what follows the last one are numbers
        start, end = text.index(b"("), text.rindex(b")")
        rest = text[end + 2 :].split()
        return Snapshot(
            pid=int(text[:start]),
            born=int(rest[19]),
            name=text[start + 1 : end].decode("utf-8", "replace"),
            parent=int(rest[1]),
            has_ended=rest[0] in _ZOMBIE,
            cpu_seconds=(int(rest[11]) + int(rest[12])) / self._ticks,
            threads=int(rest[17]),
        )

    def age(self, seen: Snapshot, /) -> float:
        """The seconds since it started, those in which the machine slept included."""
        return max(0.0, self._uptime() - seen.born / self._ticks)

    def memory(self, pid: int | None, /) -> float:
        """Resident memory in bytes."""
        with _asking(pid):  # newer kernels round the number in `stat`, not this one
            return int(_read(f"{self._folder(pid)}/statm").split()[1]) * self._page

    def open_files(self, pid: int | None, /) -> int:
        """How many file descriptors it has open."""
        folder = f"{self._folder(pid)}/fd"
        with _asking(pid):
            counted = os.stat(folder).st_size  # noqa: PTH116  # since Linux 6.2 the number
            if counted:
                return counted
            mine = pid is None or pid == os.getpid()
            return len(os.listdir(folder)) - mine  # noqa: PTH208  # the listing is open as well

    def children(self, pid: int | None, /) -> int:
        """How many processes it is the parent of, zombies included."""
        folder = f"{self._folder(pid)}/task"
        count = 0
        with _asking(pid):
            threads = os.listdir(folder)  # noqa: PTH208  # a path for each would cost more
        for thread in threads:
            try:
                count += len(_read(f"{folder}/{thread}/children").split())
            except ProcessLookupError:
                continue  # the thread ended meanwhile
            except FileNotFoundError:
                if os.path.exists(f"{folder}/{thread}"):  # noqa: PTH110  # as above
                    return self._scan()[os.getpid() if pid is None else pid]  # not in this kernel
        return count

    def usable_cpus(self, pid: int | None, /) -> int:
        """How many CPUs it may run on, its control groups apart."""
        with _asking(pid):
            return len(os.sched_getaffinity(0 if pid is None else pid))

    def pids(self) -> list[int]:
        """The numbers of all processes."""
        return [int(name) for name in os.listdir(self._root) if name.isdecimal()]  # noqa: PTH208

    def command_line(self, pid: int, /) -> str:
        """Its arguments, joined by spaces; empty for threads of the kernel and zombies."""
        try:
            text = _read(f"{self._folder(pid)}/cmdline", _LONGEST_COMMAND)
        except OSError:
            return ""
        return text.rstrip(b"\0 ").replace(b"\0", b" ").decode("utf-8", "replace")

    def machine_memory(self) -> int:
        """The memory of the machine, in bytes."""
        for line in _read(f"{self._root}/meminfo").splitlines():
            if line.startswith(b"MemTotal:"):
                return int(line.split()[1]) * 1024
        raise LookupError(f"{self._root}/meminfo has no line MemTotal")

    def _folder(self, pid: int | None) -> str:
        return f"{self._root}/{_SELF if pid is None else pid}"

    def _scan(self) -> Counter[int]:
        """The children of each process, from a look at all of them."""
        now = time.monotonic()
        if self._scanned is None or now - self._scanned[0] > _SCAN_SECONDS:
            parents: Counter[int] = Counter()
            for pid in self.pids():
                with suppress(GoneError, PermissionError):
                    parents[self.snapshot(pid).parent] += 1
            self._scanned = (now, parents)
        return self._scanned[1]


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextmanager
def _asking(pid: int | None) -> Iterator[None]:
    """Turns what the kernel says about a process that ended into GoneError."""
    try:
        yield
    except (FileNotFoundError, ProcessLookupError) as error:
        raise GoneError(f"there is no process {pid}") from error


def _read(path: str, most: int = 65_536) -> bytes:
    # no buffers and decoders: a third of the time of open()
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _read_all(file, most)
    finally:
        os.close(file)


def _read_all(file: int, most: int) -> bytes:
    """Up to ``most`` bytes; the kernel hands out long texts in pieces."""
    text = piece = os.read(file, most)
    while piece and len(text) < most:
        piece = os.read(file, most - len(text))
        text += piece
    return text
