"""Lines to the process's own output."""

from __future__ import annotations

import os
import select
import sys
from typing import Literal

_LONGEST_WAIT_MS = 1_000


class Stream:
    """Standard output or standard error, whatever it is at that moment.

    Whole lines go to its file descriptor, past its buffer: a thread that waited for a slow pipe
    with the buffer's lock in its hands would stop the host's prints, and the interpreter's exit.
    A stream without one, as notebooks and tests have it, gets texts.
    """

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    def write(self, data: bytes) -> int:
        """Write lines; pieces that fit are atomic, so that no other writer's come in between."""
        stream = getattr(sys, self._name)
        if stream is None:  # there is none, as in a program without a console
            return len(data)
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):
            stream.write(data.decode())
            stream.flush()
            return len(data)
        done = 0
        try:
            while done < len(data):
                done += _write(descriptor, _first_lines(data, done))
        except OSError:
            if not done:
                raise
        return done

    def renew(self) -> None:
        """Nothing is the parent's alone."""

    def close(self) -> None:
        """It stays open: it is the host's."""


def _first_lines(data: bytes, start: int) -> bytes:
    """As many whole lines as a pipe takes at once; a longer line alone."""
    end = data.rfind(b"\n", start, start + select.PIPE_BUF) + 1
    return data[start : end or data.find(b"\n", start) + 1 or len(data)]


def _write(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:  # somebody, such as an event loop, made it so that it never waits
        waiting = select.poll()
        waiting.register(descriptor, select.POLLOUT)
        if not waiting.poll(_LONGEST_WAIT_MS):
            raise
        return os.write(descriptor, data)
