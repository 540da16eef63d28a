"""What all processes of a folder have counted, shown as the metrics of one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector

from autogpt_observe.runtime.exposition.formats import Format, Syntax
from autogpt_observe.runtime.exposition.skeleton import SkeletonError
from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.multiprocess.compaction import clean_up
from autogpt_observe.runtime.multiprocess.exemplars import read_exemplars
from autogpt_observe.runtime.multiprocess.families import MergedFamily
from autogpt_observe.runtime.multiprocess.folder import EXEMPLARS
from autogpt_observe.runtime.multiprocess.locks import reading
from autogpt_observe.runtime.multiprocess.merge import Group, Merge, UnmergeableError

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client.registry import Collector
    from prometheus_client.samples import Exemplar

    from autogpt_observe.runtime.events import OnError

    Families = dict[str, MergedFamily]

_CLEAN_UP_SECONDS = 1.0


class SharedMetrics:
    """Takes the place of every metric whose values are kept in files, and of the library's merge.

    What it shows is equal, when parsed, to what `MultiProcessCollector` shows, and has exemplars.
    Metrics that are not kept in files (infos, enums, collectors) are those of this process.
    """

    def __init__(self, folder: Path, *, on_error: OnError) -> None:
        self._folder = folder
        self._on_error = on_error
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()
        self._merge = Merge(self._folder)
        self._families: dict[tuple[Syntax | None, str], Families] = {}
        self._cleaned: float | None = None

    def replaces(self, collector: Collector, /) -> bool:
        """Whether what it would show is in the folder."""
        if isinstance(collector, Incidents):
            return collector.kept_in_files
        if isinstance(collector, MultiProcessCollector):
            return True
        return isinstance(collector, MetricWrapperBase) and collector._type in _KEPT  # noqa: SLF001  # nothing public tells it

    def render(self, format_: Format, /) -> list[bytes]:
        """The exposition of what is in the folder."""
        with self._lock:
            self._clean_up()
            try:
                with reading(self._folder):
                    groups = self._merge.read()
                    exemplars = self._read_exemplars(format_)
                return self._render(groups, exemplars, format_)
            except (UnmergeableError, SkeletonError):
                self._merge = Merge(self._folder)
        collector = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]  # the library's
        return [format_.encode_part(collector)]

    def _render(
        self, groups: list[Group], exemplars: dict[bytes, Exemplar], format_: Format
    ) -> list[bytes]:
        known = self._families.get(format_.key, {})
        if len(self._families) > 1:  # scrapers of one service seldom ask for more formats
            self._families = {}
        kept: Families = {}
        self._families[format_.key] = kept
        parts: list[bytes] = []
        for group in groups:
            placed = _place(group, exemplars)
            for name in group.families:
                family = known.get(name)
                if family is None or not family.shows(group):
                    family = MergedFamily(name, group, format_)
                kept[name] = family
                parts += family.render(group.totals, placed)
        return parts

    def _read_exemplars(self, format_: Format) -> dict[bytes, Exemplar]:
        """The latest exemplar of each value."""
        latest: dict[bytes, Exemplar] = {}
        if format_.syntax is Syntax.OPENMETRICS:
            for path in self._folder.glob(f"*{EXEMPLARS}"):
                for key, exemplar in read_exemplars(path):
                    other = latest.get(key)
                    if other is None or _time_of(exemplar) > _time_of(other):
                        latest[key] = exemplar
        return latest

    def _clean_up(self) -> None:
        now = time.monotonic()
        if self._cleaned is None or now - self._cleaned >= _CLEAN_UP_SECONDS:
            self._cleaned = now
            try:
                clean_up(self._folder)
            except Exception as error:  # noqa: BLE001  # it is tried again, and the scrape goes on
                self._on_error("multiprocess", error)


_KEPT = ("counter", "gauge", "histogram", "summary")


def _time_of(exemplar: Exemplar) -> float:
    return float(exemplar.timestamp or 0)


def _place(group: Group, exemplars: dict[bytes, Exemplar]) -> dict[int, Exemplar]:
    """The exemplars of a group's values, by their place."""
    places = ((group.places.get((key, "")), exemplar) for key, exemplar in exemplars.items())
    return {place: exemplar for place, exemplar in places if place is not None}
