"""Which process stands in which place now, and how often it was replaced."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.exporter.targets import MatchTarget, PidTarget
from autogpt_observe.runtime.incidents import LOG
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.processes import GoneError

if TYPE_CHECKING:
    from autogpt_observe.runtime.exporter.targets import Target
    from autogpt_observe.runtime.processes import ProcessTable, Snapshot

_EXPORTER = re.compile(r"autogpt[-_]observe(?:/__main__\.py)?[\"']? exporter\b")
"""The command line of an exporter, and of the shell that starts it, which hold the regex too."""


class Place:
    """A place for one process at a time, with a name of its own.

    Attributes:
        name: the value of the label `process`.
        reader: reads the process that stands here; None while there is none.
        restarts: how often another process came to stand here after the first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.reader: ProcessReader | None = None
        self.restarts = 0
        self._last: Snapshot | None = None

    @property
    def last(self) -> Snapshot | None:
        """The process that stands here, or stood here last."""
        return self._last

    def fill(self, seen: Snapshot, table: ProcessTable) -> None:
        """``seen`` stands here now."""
        if self._last is not None and not _is_same(self._last, seen):
            self.restarts += 1
        if self.reader is None or self._last is None or not _is_same(self._last, seen):
            self.reader = ProcessReader(seen, table=table)
            LOG.info("%s: process %s runs%s", self.name, seen.pid, self._counted())
        self._last = seen

    def empty(self) -> None:
        """Nothing stands here now."""
        if self.reader is not None and self._last is not None:
            LOG.info("%s: process %s is gone", self.name, self._last.pid)
        self.reader = None

    def _counted(self) -> str:
        return f", restart {self.restarts}" if self.restarts else ""


class PidWatch:
    """The processes of a :class:`PidTarget`, each in its place.

    A number that the system gave to a process of another program is not taken for a restart.
    """

    def __init__(self, target: PidTarget, table: ProcessTable) -> None:
        self._table = table
        self._pids = target.pids
        self.places = [Place(_numbered(target.name, index)) for index in range(len(target.pids))]

    def begin(self) -> None:
        """Look for the first time; raises UsageError unless all of them run."""
        for pid in self._pids:
            if self._see(pid) is None:
                raise UsageError(
                    f"--pid: there is no process {pid}, or this user can't see it; `--match REGEX`"
                    " waits for one"
                )
        self.look()

    def look(self) -> None:
        """See which ones run now."""
        for pid, place in zip(self._pids, self.places, strict=True):
            seen = self._see(pid)
            if seen is None or (place.last is not None and place.last.name != seen.name):
                place.empty()
            else:
                place.fill(seen, self._table)

    def _see(self, pid: int) -> Snapshot | None:
        return _see(self._table, pid)


class MatchWatch:
    """The processes of a :class:`MatchTarget`; there is one place for the first from the start.

    A process that is new takes the first place that is empty, the oldest process first, and a
    further place when all are taken. Places never go. A fork, which has the command line of its
    parent, is a child of it and not a process of the target.
    """

    def __init__(self, target: MatchTarget, table: ProcessTable) -> None:
        self._table = table
        self._target = target
        self.places = [Place(target.name)]

    def begin(self) -> None:
        """Look for the first time, and tell if there is nothing to see."""
        self.look()
        if self.places[0].reader is None:
            LOG.info("%s: no process matches yet", self.places[0].name)

    def look(self) -> None:
        """See which ones run now."""
        found = {(seen.pid, seen.born): seen for seen in self._matching()}
        for place in self.places:
            if place.reader is not None and place.last is not None:
                known = found.pop((place.last.pid, place.last.born), None)
                if known is None:
                    place.empty()
        for seen in sorted(found.values(), key=lambda seen: (seen.born, seen.pid)):
            self._free_place().fill(seen, self._table)

    def _free_place(self) -> Place:
        for place in self.places:
            if place.reader is None:
                return place
        self.places.append(Place(_numbered(self._target.name, len(self.places))))
        return self.places[-1]

    def _matching(self) -> list[Snapshot]:
        lines: dict[int, str] = {}
        for pid in self._table.pids():
            line = self._table.command_line(pid)
            is_meant = line and self._target.pattern.search(line) is not None
            if is_meant and pid != os.getpid() and _EXPORTER.search(line) is None:
                lines[pid] = line
        seen = [_see(self._table, pid) for pid in lines]
        return [each for each in seen if each and lines.get(each.parent) != lines[each.pid]]


Watch = PidWatch | MatchWatch


def build_watch(target: Target, table: ProcessTable) -> Watch:
    """The watch over a target."""
    match target:
        case PidTarget():
            return PidWatch(target, table)
        case MatchTarget():
            return MatchWatch(target, table)
        case _:
            assert_never(target)


def _numbered(name: str, index: int) -> str:
    """Names of targets have no `#`, so nothing clashes."""
    return f"{name}#{index + 1}" if index else name


def _see(table: ProcessTable, pid: int) -> Snapshot | None:
    """The process of this number, unless it has ended or can't be seen."""
    try:
        seen = table.snapshot(pid)
    except (GoneError, PermissionError):
        return None
    return None if seen.has_ended else seen


def _is_same(one: Snapshot, other: Snapshot) -> bool:
    return (one.pid, one.born) == (other.pid, other.born)
