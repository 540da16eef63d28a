"""Exemplars where values are kept in files: the library drops them, here they have files too.

``{pid}.exemplars`` is a row of records. A record is the key of a value, as the library writes it
(32-bit length and UTF-8, padded to 8 bytes), and room for an exemplar: checksum, length, and JSON
``[labels, value, unix time]``. Records never move; the first 8 bytes say how many bytes are used.
Whoever reads while one is written sees a wrong checksum, and goes without it.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
import zlib
from typing import TYPE_CHECKING

import orjson
from prometheus_client.samples import Exemplar

from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.multiprocess.folder import EXEMPLARS, shared_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ROOM = 256
"""Bytes for one exemplar; a larger one is dropped."""
_MOST_BYTES = 1 << 20
"""Of one process's file; exemplars of buckets that come when it is full are dropped."""
_STEP = 1 << 16
_INTERVAL = 1.0
"""Seconds between two writes of one bucket's exemplar: scrapers don't come more often."""
_USED = struct.Struct("=q")
_KEY = struct.Struct("=i")
_HEAD = struct.Struct("=II")


class ExemplarWriter:
    """Writes the exemplars of this process."""

    def __init__(self, folder: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        self._path = folder / f"{os.getpid()}{EXEMPLARS}"
        self._most_bytes = most_bytes
        self._file: int | None = None
        self._map: mmap.mmap | None = None
        self._size, self._used = 0, _USED.size
        self._places: dict[str, int] = {}  # 0 for a key that found no room
        self._written: dict[str, float] = {}
        self._lock = threading.RLock()  # a garbage-collected run may end while it is held

    def put(self, key: str, labels: Mapping[str, str], value: float) -> None:
        """Remember the exemplar of the value that ``key`` names."""
        now = time.time()
        if now - self._written.get(key, 0.0) < _INTERVAL:
            return
        text = orjson.dumps([dict(labels), value, now])
        if len(text) > _ROOM - _HEAD.size:
            return
        with self._lock:
            place = self._places.get(key)
            if place is None:
                place = self._places[key] = self._add(key)
            if place > 0 and self._map is not None:
                record = _HEAD.pack(zlib.crc32(text), len(text)) + text
                self._map[place : place + len(record)] = record
                self._written[key] = now

    def close(self) -> None:
        """Give the file back; it stays."""
        with self._lock:
            if self._map is not None:
                self._map.close()
            if self._file is not None:
                os.close(self._file)
            self._map = self._file = None

    def _add(self, key: str) -> int:
        """The place for the exemplar of a new key; 0 if there is no room."""
        encoded = key.encode("utf-8")
        padded = encoded + b" " * (-(len(encoded) + _KEY.size) % 8)
        end = self._used + _KEY.size + len(padded) + _ROOM
        if end > self._most_bytes:
            return 0
        written = self._grow(end)
        start, place = self._used, end - _ROOM
        written[start:place] = _KEY.pack(len(encoded)) + padded
        self._used = end
        written[: _USED.size] = _USED.pack(end)
        return place

    def _grow(self, end: int) -> mmap.mmap:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        if self._map is None or end > self._size:
            self._size = -(-end // _STEP) * _STEP
            os.ftruncate(self._file, self._size)
            self._map = mmap.mmap(self._file, self._size)
        return self._map


class _Writer:
    """The writer of this process, made when the first exemplar comes."""

    def __init__(self) -> None:
        self._writer: ExemplarWriter | None = None
        self._lock = threading.RLock()
        renew_after_fork(self)

    def get(self) -> ExemplarWriter | None:
        writer = self._writer
        if writer is None:
            with self._lock:
                writer = self._writer = self._writer or self._make()
        return writer

    def _make(self) -> ExemplarWriter | None:
        folder = shared_folder()
        return None if folder is None else ExemplarWriter(folder)

    def renew_locks(self) -> None:
        """In a forked child: the file is the parent's."""
        self._writer, self._lock = None, threading.RLock()


_WRITER = _Writer()


def put_exemplar(key: str, labels: Mapping[str, str], value: float) -> None:
    """Remember the exemplar of the value of this process that ``key`` names."""
    writer = _WRITER.get()
    if writer is not None:
        writer.put(key, labels, value)


def read_exemplars(path: Path) -> Iterator[tuple[bytes, Exemplar]]:
    """The exemplars of one process, by the key of their value; none if the file is gone."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    used = min(_USED.unpack_from(content)[0], len(content)) if content else 0
    place = _USED.size
    while place < used:
        (length,) = _KEY.unpack_from(content, place)
        key = content[place + _KEY.size : place + _KEY.size + length]
        place += _KEY.size + length + -(length + _KEY.size) % 8
        checksum, size = _HEAD.unpack_from(content, place)
        text = content[place + _HEAD.size : place + _HEAD.size + size]
        if text and zlib.crc32(text) == checksum:
            yield key, Exemplar(*orjson.loads(text))
        place += _ROOM
