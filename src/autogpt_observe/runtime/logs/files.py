"""Lines to a file that several processes may share, and that is changed when it is full.

Every process appends whole lines with a single write, under an advisory lock on the file itself.
Who finds the file full renames it, and the others notice, by its inode, before they next write;
so they do when anybody else renames or deletes it, such as logrotate.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autogpt_observe.runtime.events import OnError

_MODE = 0o640
_FLAGS = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_LOCK_WAIT = 0.5
"""Seconds that a lock is waited for; who holds it longer is stopped, and must not stop others."""
_LOCK_STEP = 0.0005
_RETRY_MOVE = 60.0


class LogFile:
    """A file of lines.

    Args:
        path: the file; full ones become ``path.1``, ``path.2`` and so on, the newest first.
        max_size: bytes that it may have.
        max_files: how many full ones are kept.
        on_error: told when a full file can't be moved; it grows on then.
    """

    def __init__(self, path: Path, *, max_size: int, max_files: int, on_error: OnError) -> None:
        self._path = path
        self._max_size = max_size
        self._max_files = max_files
        self._on_error = on_error
        self._descriptor: int | None = None
        self._can_read = True
        self._move_after = 0.0

    def write(self, data: bytes) -> int:
        """Append whole lines; how many bytes of them stand there.

        Raises:
            OSError: nothing could be written.
        """
        if len(data) > self._max_size:
            data = data[: data.rfind(b"\n", 0, self._max_size) + 1 or data.find(b"\n") + 1]
        while True:
            descriptor = self._open()
            with _locked(descriptor) as has_lock:
                done = self._write(descriptor, data, has_lock=has_lock)
            if done is not None:
                return done
            self.close()  # the lock is open again: another file may get this number now

    def renew(self) -> None:
        """In a forked child: a lock on the parent's descriptor would be shared with the parent."""
        self.close()

    def close(self) -> None:
        """Close it; the next write opens it again."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._can_read = True
                self._descriptor = os.open(self._path, _FLAGS | os.O_RDWR, _MODE)
            except PermissionError:  # it may be one that can be written but not read
                self._can_read = False
                self._descriptor = os.open(self._path, _FLAGS | os.O_WRONLY, _MODE)
        return self._descriptor

    def _write(self, descriptor: int, data: bytes, *, has_lock: bool) -> int | None:
        """As `write`; None if the path leads, or has to lead, to another file."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):  # a pipe, a terminal
            return os.write(descriptor, data)
        if not self._leads_to(found):
            return None
        is_full = found.st_size > 0 and found.st_size + len(data) > self._max_size
        if is_full and has_lock and self._move():
            return None
        # A process that was killed may have left a torn line.
        is_torn = self._can_read and _last_byte(descriptor, found.st_size) != b"\n"
        return _append(descriptor, data, found.st_size, after_torn=is_torn, has_lock=has_lock)

    def _leads_to(self, opened: os.stat_result) -> bool:
        """Whether the path still leads to the file that is open."""
        try:
            return os.path.samestat(self._path.stat(), opened)
        except FileNotFoundError:
            return False

    def _move(self) -> bool:
        """Move the full file, and those before it, by one place; whether that went well."""
        now = time.monotonic()
        if now < self._move_after:
            return False
        try:
            for number in range(self._max_files - 1, 0, -1):
                _move(self._numbered(number), self._numbered(number + 1))
            _move(self._path, self._numbered(1))
        except OSError as error:
            self._on_error("log rotation", error)
            self._move_after = now + _RETRY_MOVE
            return False
        return True

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _move(path: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # there is none, or somebody else has moved it meanwhile
        path.replace(target)


def _last_byte(descriptor: int, size: int) -> bytes:
    """The file's last byte; of an empty file, as if it ended with a line."""
    return os.pread(descriptor, 1, size - 1) if size else b"\n"


def _append(descriptor: int, data: bytes, size: int, *, after_torn: bool, has_lock: bool) -> int:
    """Append with one write; how many bytes of ``data`` now stand there as whole lines."""
    start = b"\n" if after_torn else b""
    written = os.write(descriptor, start + data)
    if written == len(start) + len(data):
        return len(data)
    whole = max(0, data.rfind(b"\n", 0, max(0, written - len(start))) + 1)
    if has_lock:  # nobody else has written since
        os.ftruncate(descriptor, size + (len(start) + whole if whole else 0))
    if not whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return whole


@contextmanager
def _locked(descriptor: int) -> Iterator[bool]:
    """Hold the lock of the file, if that is possible; whether it is held."""
    has_lock = _lock(descriptor)
    try:
        yield has_lock
    finally:
        if has_lock:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int) -> bool:
    until = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOCK_STEP)
        except OSError:  # a file system without locks
            return False
        else:
            return True
