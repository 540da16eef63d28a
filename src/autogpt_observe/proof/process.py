"""Child processes that never outlive the block that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from autogpt_observe.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STOP_SECONDS = 5.0
"""How long a child may take to end after SIGTERM."""

TAIL_LINES = 12
_TAIL_BYTES = 8192
_LAUNCH = Path(__file__).with_name("launch.py")


class EndedEarlyError(ToolError):
    """A child ended though it should run on.

    Attributes:
        tail: the last lines it wrote.
    """

    def __init__(self, name: str, returncode: int, tail: str) -> None:
        self.tail = tail
        wrote = f"; it last wrote:\n{tail}" if tail else " and wrote nothing"
        super().__init__(f"{name} {_format_end(returncode)} though it should run on{wrote}")


class Child:
    """One running program, leader of a session of its own; made by :meth:`Children.start`."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.name = name
        self.pid = popen.pid
        self._popen = popen
        self._out = out
        self._err = err
        self._over = False

    def check(self) -> None:
        """Raise :class:`EndedEarlyError` if it has ended; what it left running is killed first."""
        if self._over or self._popen.poll() is not None:
            self._close()
            raise EndedEarlyError(self.name, self._popen.returncode, self.tail())

    def send(self, line: str) -> None:
        """Write one line to its standard input, which :meth:`Children.start` was told to open."""
        if self._popen.stdin is None:
            raise ValueError(f"{self.name} was started without a standard input")
        try:
            self._popen.stdin.write(f"{line}\n".encode())
        except BrokenPipeError:
            self.end(by=time.monotonic())
            self.check()

    def first_line(self) -> str | None:
        """The first line of its standard output, without its line end; None until it is whole."""
        with self._out.open(encoding="utf-8", errors="replace") as stream:
            line = stream.readline()
        return line.removesuffix("\n") if line.endswith("\n") else None

    def tail(self) -> str:
        """The last lines it wrote, standard error after standard output, each indented."""
        lines = [line for path in (self._out, self._err) for line in _last_lines(path)]
        return "\n".join(f"    {line}" for line in lines)

    def terminate(self) -> None:
        """Ask it, and what it started in its session, to end."""
        if not self._over:
            self._signal(signal.SIGTERM)

    def end(self, *, by: float) -> None:
        """Return once it is gone; from ``by`` (on the monotonic clock) on it is killed."""
        while not self._over:
            ended = self._popen.poll() is not None and not self._signal(0)
            if ended or time.monotonic() >= by:
                self._close()
            else:
                time.sleep(0.01)

    def _close(self) -> None:
        self._signal(signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._over = True

    def _signal(self, number: int) -> bool:
        """Signal its process group; False when nothing of the group is left."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False  # PermissionError: only zombies are left, on macOS
        return True


class Children:
    """A block whose children are gone when it ends, whatever ends it.

    They end with SIGTERM, all at once, and SIGKILL after :data:`STOP_SECONDS`. If this process is
    killed, Linux kills them too; start them from a thread that stays (see :mod:`.launch`).

    Args:
        folder: where their output goes, ``NAME.out`` and ``NAME.err``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Child] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        stdin: bool = False,
    ) -> Child:
        """Start ``argv`` (its first item a path); with ``stdin``, :meth:`Child.send` reaches it."""
        out, err = self._folder / f"{name}.out", self._folder / f"{name}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            popen = subprocess.Popen(  # noqa: S603 - the caller chose the program
                [sys.executable, "-IS", str(_LAUNCH), str(os.getpid()), *argv],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=dict(environ),
                bufsize=0,
                start_new_session=True,
            )
            child = Child(name, popen, out, err)
            self._running.append(child)
        return child

    def check(self) -> None:
        """Raise :class:`EndedEarlyError` for a child that has ended; then it is forgotten."""
        for child in tuple(self._running):
            try:
                child.check()
            except EndedEarlyError:
                self._running.remove(child)
                raise

    def tails(self) -> str:
        """The last lines that each child wrote, under its name."""
        return "\n".join(
            f"  {child.name}:\n{child.tail() or '    nothing'}" for child in self._running
        )

    def stop(self) -> None:
        """End all children; returns when they are gone."""
        for child in self._running:
            child.terminate()
        by = time.monotonic() + STOP_SECONDS
        while self._running:
            self._running[-1].end(by=by)
            self._running.pop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _last_lines(path: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - _TAIL_BYTES))
        text = stream.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
    return []


def _format_end(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    return f"was ended by {signal.Signals(-returncode).name}"
