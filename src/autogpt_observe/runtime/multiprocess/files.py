"""Reads the library's files of values, without reading twice what does not change.

A file is a row of entries behind a 32-bit number of bytes used, at 8: the key's 32-bit length, the
key, padding to 8 bytes, the value and a timestamp as doubles. Entries are only ever added, and
never move. So each key is parsed once; from then on one unpacking yields all values.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from autogpt_observe.runtime.multiprocess.folder import Kind

_START = 8
_INT = struct.Struct("=i")
_ENTRY_TAIL = 16


class CorruptFileError(Exception):
    """A file of values is not what the library writes."""


class Buffer:
    """Memory that one file after the other is read into."""

    def __init__(self) -> None:
        self._bytes = bytearray(1 << 16)

    def read(self, descriptor: int) -> tuple[bytearray, int]:
        """The content, and how much of it is used."""
        size = os.fstat(descriptor).st_size
        if size > len(self._bytes):
            self._bytes = bytearray(size)
        head = os.pread(descriptor, _INT.size, 0)
        used = _INT.unpack(head)[0] if len(head) == _INT.size else 0
        if used > size:
            raise CorruptFileError("it says it has more than its size")
        read = os.preadv(descriptor, [memoryview(self._bytes)[:used]], 0)
        if read < used:
            raise CorruptFileError("it got shorter while it was read")
        return self._bytes, used


class ValueFile:
    """One file of values.

    Attributes:
        kind: what it holds.
        process: whose it is.
        keys: of its entries, in their order.
    """

    def __init__(self, path: Path, kind: Kind, process: str) -> None:
        self.kind = kind
        self.process = process
        self.keys: list[bytes] = []
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._end = _START
        self._layout: list[str] = []
        self._unpack: Callable[[bytearray], tuple[float, ...]] | None = None

    def read(self, buffer: Buffer) -> Sequence[float]:
        """The values of now; of the rule ``mostrecent``, each followed by its timestamp.

        Raises:
            FileNotFoundError: it is gone.
            ReplacedError: another file is there under its name.
            CorruptFileError: it can't be read.
        """
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            content, used = buffer.read(descriptor)
        except CorruptFileError as error:
            raise CorruptFileError(f"{self._path}: {error}") from None
        finally:
            os.close(descriptor)
        if self._identity not in (None, identity) or (0 < used < self._end):
            raise ReplacedError(self._path.name)
        self._identity = identity
        if used > self._end:
            self._parse(content, used)
        if self._unpack is None:
            return ()
        return self._unpack(content)

    def _parse(self, content: bytearray, used: int) -> None:
        place, pads = self._end, []
        entry = "dd" if self.kind.rule == "mostrecent" else "d8x"
        while place < used:
            (length,) = _INT.unpack_from(content, place)
            start = place + _INT.size
            value = start + length + 8 - (length + _INT.size) % 8
            if length < 0 or value + _ENTRY_TAIL > used:
                raise CorruptFileError(f"{self._path}: an entry reaches beyond what is used")
            self.keys.append(bytes(content[start : start + length]))
            pads.append(f"{value - place}x{entry}")
            place = value + _ENTRY_TAIL
        self._layout += pads
        self._end = place
        # from the start of the first entry; what the buffer holds behind the last is skipped
        layout = struct.Struct("=" + f"{_START}x" + "".join(self._layout))
        self._unpack = layout.unpack_from


class ReplacedError(Exception):
    """A file is no longer the one whose keys are known."""
