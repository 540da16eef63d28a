"""What is read at a scrape, of all the processes of a folder and not of the serving one alone.

What the system knows of a process (memory, CPU, threads) the serving one reads from outside. What
only the process itself knows, such as the age of its runs, it writes into ``{pid}.readings`` once a
second: checksum, length, and JSON ``[clock, {signal: [[labels, value], ...]}]``. The clock is one
that all processes of a machine share, so ages grow on where a process hangs and writes no more.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from operator import add
from typing import TYPE_CHECKING

import orjson

from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.multiprocess.folder import READINGS as SUFFIX
from autogpt_observe.runtime.multiprocess.owners import find_dead, find_living
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.processes import GoneError, process_table
from autogpt_observe.runtime.readings import READINGS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from autogpt_observe.runtime.hub import Hub
    from autogpt_observe.runtime.readings import Values

    Told = Mapping[str, list[tuple[list[str], float]]]
    """What a process wrote, by signal."""

_HEAD = struct.Struct("=II")
_SECONDS_KEPT = 0.2
"""One scrape asks for many signals; the folder is read once for all of them."""

_OUTSIDE: Mapping[MetricSource, Callable[[float, float], float]] = {
    MetricSource.PROCESS_CPU: add,
    MetricSource.PROCESS_MEMORY: add,
    MetricSource.PROCESS_THREADS: add,
    MetricSource.PROCESS_OPEN_FILES: max,  # the limit is a limit of each process
    MetricSource.PROCESS_CHILDREN: add,
    MetricSource.PROCESS_AGE: max,
}
"""Read from outside, and how the readings of two processes become one."""

_INSIDE: Mapping[MetricSource, Callable[[float, float], float]] = {
    MetricSource.PROCESS_LOOP_LAG: max,
    MetricSource.RUN_AGE: max,
    MetricSource.RUN_PROGRESS_AGE: max,
    MetricSource.RUN_BUDGET_USED: max,
    MetricSource.RUN_LOOPING: add,
    MetricSource.LLM_HEADROOM: min,
}
"""Written down by each process, and how those of two become one."""

_AGES = (MetricSource.RUN_AGE, MetricSource.RUN_PROGRESS_AGE)


class SharedReader(Reader):
    """Reads of all processes of a folder what there is to read.

    The memory limit is this process's: they have it in common.
    """

    def __init__(self, process: ProcessReader, hub: Hub, folder: Path) -> None:
        super().__init__(process, hub)
        self._folder = folder
        self._table = process_table()
        self._others: dict[int, ProcessReader] = {}
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()
        self._read_at: float | None = None
        self._told: list[tuple[float, Told]] = []
        self._others = {}

    def read(self, source: MetricSource, /) -> Values:
        """The reading of this process, joined with those of the others."""
        join = _OUTSIDE.get(source) or _INSIDE.get(source)
        joined = dict(super().read(source))
        if join is None:
            return joined
        for values in self._others_said(source):
            for key, value in values:
                joined[key] = join(value, joined[key]) if key in joined else value
        return joined

    def _others_said(
        self, source: MetricSource
    ) -> Iterable[Iterable[tuple[tuple[str, ...], float]]]:
        with self._lock:
            now = self.hub.clock()
            if self._read_at is None or now - self._read_at > _SECONDS_KEPT:
                self._read_at = now
                self._look_around()
            if source in _OUTSIDE:
                return [self._ask(other, source).items() for other in self._others.values()]
            return [_values(told, source, now - at) for at, told in self._told]

    def _look_around(self) -> None:
        living = {pid for pid in find_living(self._folder) if pid != os.getpid()}
        self._others = {pid: each for pid, each in self._others.items() if pid in living}
        for pid in living - self._others.keys():
            try:
                self._others[pid] = ProcessReader(self._table.snapshot(pid), table=self._table)
            except (GoneError, PermissionError):
                continue
        mute = {str(os.getpid()), *find_dead(self._folder)}
        paths = [path for path in self._folder.glob(f"*{SUFFIX}") if path.stem not in mute]
        self._told = [told for told in map(_read_file, paths) if told is not None]

    def _ask(self, other: ProcessReader, source: MetricSource) -> Values:
        try:
            return READINGS[source](Reader(other, self.hub))
        except (GoneError, PermissionError):  # it ended meanwhile, or is another user's
            return {}


class ReadingsWriter:
    """Writes down what only this process knows, of these signals."""

    def __init__(self, folder: Path, reader: Reader, sources: Iterable[MetricSource]) -> None:
        self._path = folder / f"{os.getpid()}{SUFFIX}"
        self._reader = reader
        self._sources = [source for source in sources if source in _INSIDE]
        self._file: int | None = None
        self._was_empty = True

    def write(self) -> None:
        """Write down what is so now."""
        told: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for source in self._sources:
            values = READINGS[source](self._reader)
            if values:
                told[source.value] = list(values.items())
        if told or not self._was_empty:
            self._put(orjson.dumps([self._reader.hub.clock(), told]))
        self._was_empty = not told

    def abandon(self) -> None:
        """In a forked child: the file is the parent's."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Take away what was written: this process shows it itself now, or has nothing to tell."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._path.unlink(missing_ok=True)

    def _put(self, text: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.pwrite(self._file, _HEAD.pack(zlib.crc32(text), len(text)) + text, 0)


def _read_file(path: Path) -> tuple[float, Told] | None:
    """What a process wrote, and when; None if it is gone, or just being written."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(content) < _HEAD.size:
        return None
    checksum, size = _HEAD.unpack_from(content)
    text = content[_HEAD.size : _HEAD.size + size]
    if zlib.crc32(text) != checksum:
        return None
    at, told = orjson.loads(text)
    return at, told


def _values(
    told: Told, source: MetricSource, seconds: float
) -> Iterable[tuple[tuple[str, ...], float]]:
    grown = max(seconds, 0.0) if source in _AGES else 0.0
    return [(tuple(labels), value + grown) for labels, value in told.get(source.value, ())]
