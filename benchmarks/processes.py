"""Ways that are measured in processes of their own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = ROOT / ".bench-venv"
"""Where `make bench` installs the peers, with this package."""

_CHECKED = 100


def find_python() -> str:
    """The Python that has the peers, if there is one; it runs all ways, ours too."""
    python = PEERS / "bin" / "python"
    return str(python) if (PEERS / ".ready").exists() else sys.executable


class Absent(NamedTuple):
    """A way that can't be measured."""

    name: str
    reason: str


class Worker:
    """A way in a process that stays, so that it is warm; to be used as a context manager.

    Args:
        name: what the table calls it.
        subject: the module and function of `subjects/` that describe it.
        operations: how many operations one run is.
    """

    def __init__(
        self,
        name: str,
        subject: tuple[str, str],
        *,
        operations: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._subject = subject
        self._operations = operations
        self._environment = {**os.environ, **(environment or {})}
        self._expected: dict[str, object] = {}
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = (find_python(), str(HERE / "child.py"), *self._subject)
        self._child = subprocess.Popen(
            command,
            cwd=HERE,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if not os.environ.get("BENCH_DEBUG") else None,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def open(self) -> str | None:
        """Wait until it is set up; why it can't be, if it can't."""
        absent = self._read()["absent"]
        return absent if isinstance(absent, str) else None

    def check(self) -> dict[str, object]:
        """What comes out of a few operations."""
        return self._do(_CHECKED)[1]

    def cost(self) -> float:
        nanoseconds, work = self._do(self._operations)
        if not self._expected:
            self._expected = work  # the first round is thrown away
        elif work != self._expected:
            sys.exit(f"{self.name}: got {work}, and {self._expected} in the round before")
        return nanoseconds / self._operations

    def _do(self, operations: int) -> tuple[float, dict[str, object]]:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(f"{operations}\n")
        self._child.stdin.flush()
        answer = self._read()
        nanoseconds, work = answer["nanoseconds"], answer["work"]
        assert isinstance(nanoseconds, int)
        assert isinstance(work, dict)
        return nanoseconds, work

    def _read(self) -> dict[str, object]:
        assert self._child is not None
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if line:
            answer: dict[str, object] = json.loads(line)
            return answer
        self._child.wait()
        said = self._child.stderr.read() if self._child.stderr is not None else ""
        sys.exit(f"{self.name}: the process ended ({self._child.returncode}):\n{said}")


def open_workers(workers: Sequence[Worker]) -> tuple[list[Worker], dict[str, str]]:
    """Those that are set up, and why the others are not; ends the benchmark unless all do the same.

    Each way says what came out of the same number of operations. What two ways both speak of, such
    as the number of spans, must be equal.
    """
    reasons = {worker.name: worker.open() for worker in workers}
    ready = [worker for worker in workers if reasons[worker.name] is None]
    known: dict[str, tuple[str, object]] = {}
    for worker in ready:
        for what, amount in worker.check().items():
            other, expected = known.setdefault(what, (worker.name, amount))
            if amount != expected:
                sys.exit(
                    f"not the same work, {what}: {expected} of {other}, {amount} of {worker.name}"
                )
    return ready, {name: why for name, why in reasons.items() if why is not None}


@dataclass(frozen=True)
class Program:
    """A way that is a whole process, in an empty folder: its user and system time, all of it.

    Attributes:
        before: run first, in the same folder, and not measured.
        files: put into the folder first.
        needs: packages that may be missing.
    """

    name: str
    command: tuple[str, ...]
    before: tuple[str, ...] | None = None
    files: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()

    def cost(self) -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for path, text in self.files:
                (folder / path).write_text(text, encoding="utf-8")
            if self.before is not None:
                self._run(self.before, folder)
            used = _used()
            self._run(self.command, folder)
            return 1e9 * (_used() - used)

    def absence(self) -> str | None:
        """Why it can't be run here: a package that is not installed."""
        for package in self.needs:
            command = (self.command[0], "-c", f"import {package}")
            if self._start(command, HERE).returncode != 0:
                return f"{package} is not installed"
        return None

    def _run(self, command: tuple[str, ...], folder: Path) -> None:
        """Run a command; one that fails ends the benchmark with what it said."""
        done = self._start(command, folder)
        if done.returncode != 0:
            said = f"{done.stdout}{done.stderr}"
            sys.exit(f"{' '.join(command)} exited {done.returncode}:\n{said}")

    def _start(self, command: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
        # Byte code is kept: compiling is no part of what is measured.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True
        )


def open_programs(programs: Sequence[Program]) -> tuple[list[Program], dict[str, str]]:
    """Those that can be run, and why the others can't."""
    reasons = {program.name: program.absence() for program in programs}
    ready = [program for program in programs if reasons[program.name] is None]
    return ready, {name: why for name, why in reasons.items() if why is not None}


def _used() -> float:
    """CPU seconds of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
