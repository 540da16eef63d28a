"""Adds up the values of several processes, by the rules of the library."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING

from autogpt_observe.runtime.multiprocess.files import Buffer, ReplacedError, ValueFile
from autogpt_observe.runtime.multiprocess.folder import VALUES, parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from autogpt_observe.runtime.multiprocess.folder import Kind

    Identity = tuple[str, str, tuple[tuple[str, str | float], ...]]

_ATTEMPTS = 5
_TYPES = ("counter", "gauge", "histogram", "summary")
_RULES = ("sum", "min", "max", "mostrecent", "all")


class UnmergeableError(Exception):
    """The files hold what only the library can make sense of."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of the merged metrics.

    Attributes:
        metric: name of its family.
        sample: its own name.
        labels: in the order of their names; of a bucket, without its bound.
        bound: of a bucket, its upper bound.
    """

    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]
    bound: float | None


class Group:
    """The series of one kind, and their merged values.

    Attributes:
        totals: the value of each series; None for one that no process has set.
        families: by name: help, and the places of its series in ``totals``.
    """

    def __init__(self, kind: Kind) -> None:
        if kind.type not in _TYPES or kind.rule not in _RULES:
            raise UnmergeableError(f"files of the kind {kind}")
        self.kind = kind
        self.totals: list[float | None] = []
        self.series: list[Series] = []
        self.families: dict[str, tuple[str, list[int]]] = {}
        self.places: dict[tuple[bytes, str], int] = {}
        self._identities: dict[Series, int] = {}
        self._times: dict[int, float] = {}
        self._sources: dict[str, _Source] = {}

    def files(self) -> Iterable[str]:
        """The names of the files that are known."""
        return self._sources.keys()

    def source(self, folder: Path, name: str, process: str) -> _Source:
        """One of the files, whether it was known or not."""
        source = self._sources.get(name)
        if source is None:
            source = _Source(ValueFile(folder / name, self.kind, process))
            self._sources[name] = source
        return source

    def place_of(self, key: bytes, process: str) -> int:
        """Where in ``totals`` the value belongs that a process has under ``key``."""
        whose = process if self.kind.rule == "all" else ""
        place = self.places.get((key, whose))
        if place is None:
            series, help_ = parse_key(key, self.kind, whose)
            place = self._identities.get(series)
            if place is None:
                place = self._identities[series] = len(self.series)
                self.series.append(series)
                self.totals.append(None)
                self.families.setdefault(series.metric, (help_, []))[1].append(place)
            self.places[key, whose] = place
        return place

    def clear(self) -> None:
        """Before the files are added up anew."""
        start = 0.0 if self.kind.rule == "sum" else None
        self.totals = [start] * len(self.series)
        self._times = {}

    def take(self, source: _Source, numbers: Sequence[float]) -> None:
        """Add up one process's values."""
        places = source.places
        match self.kind.rule:
            case "sum" if source.is_run:
                start, end = places[0], places[-1] + 1
                self.totals[start:end] = map(add, self.totals[start:end], numbers)
            case "sum":
                totals = self.totals
                for place, number in zip(places, numbers, strict=True):
                    totals[place] += number  # type: ignore[operator]  # as above
            case "all" if source.is_run:
                self.totals[places[0] : places[-1] + 1] = numbers
            case "mostrecent":
                self._take_latest(places, numbers[0::2], numbers[1::2])
            case rule:
                self._take_extreme(places, numbers, sign=-1.0 if rule == "max" else 1.0)

    def _take_extreme(self, places: list[int], values: Sequence[float], *, sign: float) -> None:
        totals, replaces = self.totals, self.kind.rule == "all"
        for place, value in zip(places, values, strict=True):
            total = totals[place]
            if total is None or replaces or sign * value < sign * total:
                totals[place] = value

    def _take_latest(
        self, places: list[int], values: Sequence[float], times: Sequence[float]
    ) -> None:
        for place, value, time in zip(places, values, times, strict=True):
            if time > self._times.get(place, 0.0):
                self.totals[place], self._times[place] = value, time


class _Source:
    """One file, and where its values belong.

    Attributes:
        is_run: whether its places follow one another without a gap.
    """

    __slots__ = ("file", "is_run", "places")

    def __init__(self, file: ValueFile) -> None:
        self.file = file
        self.places: list[int] = []
        self.is_run = False

    def locate(self, group: Group) -> None:
        """Find the places of keys that are new."""
        known = len(self.places)
        process = self.file.process
        self.places += [group.place_of(key, process) for key in self.file.keys[known:]]
        first = self.places[0]
        self.is_run = self.places == list(range(first, first + len(self.places)))


class Merge:
    """The merged values of a folder; not from two threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: dict[Kind, Group] = {}
        self._buffer = Buffer()

    def read(self) -> list[Group]:
        """The groups as they are now.

        Raises:
            UnmergeableError: only the library can merge these files.
            CorruptFileError: a file can't be read.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._read()
            except (FileNotFoundError, ReplacedError):
                self._groups = {}  # a process came or went meanwhile
        raise UnmergeableError("the files change faster than they can be read")

    def _read(self) -> list[Group]:
        names = self._names()
        self._groups = {
            kind: group
            for kind, group in self._groups.items()
            if names.keys() >= set(group.files())
        }
        numbers: list[tuple[Group, _Source, Sequence[float]]] = []
        for name, (kind, process) in names.items():
            group = self._groups.get(kind)
            if group is None:
                group = self._groups[kind] = Group(kind)
            source = group.source(self._folder, name, process)
            values = source.file.read(self._buffer)
            if len(source.places) < len(source.file.keys):
                source.locate(group)
            if values:
                numbers.append((group, source, values))
        for group in self._groups.values():
            group.clear()
        for group, source, values in numbers:
            group.take(source, values)
        self._check_names()
        return list(self._groups.values())

    def _names(self) -> dict[str, tuple[Kind, str]]:
        """The files of values in the folder, in the order in which the library reads them."""
        names = [name for name in os.listdir(self._folder) if name.endswith(VALUES)]  # noqa: PTH208  # names are wanted, a Path for each costs
        return {name: parse_file_name(name) for name in names}

    def _check_names(self) -> None:
        names = [name for group in self._groups.values() for name in group.families]
        if len(set(names)) < len(names):
            raise UnmergeableError("a metric of two kinds")


def parse_key(key: bytes, kind: Kind, process: str) -> tuple[Series, str]:
    """The series and the help that a key tells; ``process`` becomes a label if it is not empty."""
    metric, sample, labels, help_ = json.loads(key)
    bound = None
    if kind.type == "histogram" and "le" in labels:
        bound = float(labels.pop("le"))
    pairs = sorted(labels.items())
    if process:
        pairs = sorted({**labels, "pid": process}.items())
    if not sample.startswith(metric):
        raise UnmergeableError(f"the series {sample} of {metric}")
    return Series(metric, sample, tuple(pairs), bound), help_
