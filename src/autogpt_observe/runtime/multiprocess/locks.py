"""Lets those who read the folder wait for the one who tidies it, and the other way round."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

_NAME = "autogpt-observe.lock"


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While nobody tidies the folder; waits for whoever does."""
    with _open(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextmanager
def tidying(folder: Path) -> Iterator[bool]:
    """While nobody else reads or tidies the folder; False, at once, if somebody does."""
    with _open(folder) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def hold_port(folder: Path, port: int, undo: ExitStack) -> bool:
    """Take it on to serve ``port`` for all processes of the folder; False if another has.

    It ends with ``undo``, and with the process. Port 0, a free one, is everybody's own.
    """
    if port == 0:
        return True
    descriptor = os.open(folder / f"autogpt_observe.{port}.port", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # a lock of this kind is the process's own: a forked child does not have it
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    undo.callback(os.close, descriptor)
    return True


@contextmanager
def _open(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield descriptor
    finally:
        # to close it would not do: a child that was forked meanwhile has it open too
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
