"""Programs to observe, and a table of processes that a test makes up."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autogpt_observe.runtime.processes import GoneError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "-".join(("sk", "a" * 48))
SLEEP = "import sys, time; print('up', flush=True); time.sleep(600)"


@contextmanager
def agent(mark: str, code: str = SLEEP) -> Iterator[subprocess.Popen[str]]:
    """A program with ``mark`` among its arguments, which has said that it is up."""
    command = [sys.executable, "-c", code, mark, "--api-key", SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "up\n"
            yield run
        finally:
            run.kill()


class Table:
    """Processes that a test makes up."""

    def __init__(self, *processes: Snapshot) -> None:
        self.processes = {each.pid: each for each in processes}
        self.denied: set[str] = set()

    def snapshot(self, pid: int | None, /) -> Snapshot:
        self._ask("snapshot")
        if pid not in self.processes:
            raise GoneError
        return self.processes[pid]

    def age(self, seen: Snapshot, /) -> float:
        return seen.born

    def memory(self, _: int | None, /) -> float:
        return self._ask("memory")

    def open_files(self, _: int | None, /) -> int:
        return self._ask("open_files")

    def children(self, _: int | None, /) -> int:
        return self._ask("children")

    def usable_cpus(self, _: int | None, /) -> int:
        return 1

    def pids(self) -> list[int]:
        return list(self.processes)

    def command_line(self, pid: int, /) -> str:
        return f"agent {pid}"

    def machine_memory(self) -> int:
        return 1000

    def _ask(self, what: str) -> int:
        if what in self.denied:
            raise PermissionError(13, "Permission denied", f"/proc/7/{what}")
        return 7


def process(pid: int, born: float, name: str = "python3") -> Snapshot:
    return Snapshot(pid, born, name, 1, has_ended=False, cpu_seconds=0, threads=1)
