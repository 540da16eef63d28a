"""Renders a whole registry: the library's own metrics fast, the rest through the library."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics import MetricWrapperBase

from autogpt_observe.runtime.exposition.calls import PATIENCE, Calls
from autogpt_observe.runtime.exposition.families import CachedFamily
from autogpt_observe.runtime.exposition.formats import END, Format, Shown, Syntax
from autogpt_observe.runtime.exposition.selfcheck import check_fast_path
from autogpt_observe.runtime.exposition.shapes import UnknownShapeError
from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from autogpt_observe.runtime.events import OnError

_FORMATS_KEPT = 2
"""Scrapers of one service seldom ask for more, and a client may ask for any."""


class Substitute(Protocol):
    """Shows in its own way what some collectors of the registry would show."""

    def replaces(self, collector: Collector, /) -> bool:
        """Whether it does so for this one."""

    def render(self, format_: Format, /) -> list[bytes]:
        """What is shown for all of them."""


class Renderer:
    """Writes the expositions of one registry; any number of threads may ask at once.

    An error inside the fast way is told to ``on_error``, and the library renders that collector
    from then on.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        on_error: OnError,
        substitute: Substitute | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._registry = registry
        self._on_error = on_error
        self._substitute = substitute
        self._caches: dict[tuple[Syntax | None, str], _Cache] = {}
        self._trusted: dict[tuple[Syntax | None, str], bool] = {}
        self._patience = patience
        self._calls = Calls(time.monotonic, patience=patience)
        self._lock = threading.RLock()
        renew_after_fork(self)

    def render(self, format_: Format) -> bytes:
        """The exposition, as the library's encoder of ``format_`` writes it.

        Raises:
            StuckError: a collector hangs since an earlier call.
            Exception: whatever a collector raises.
        """
        if format_.syntax is None or not _is_plain(self._registry):
            return format_.encode(self._registry)
        collectors = _collectors_of(self._registry)
        with self._lock:
            cache = self._cache(format_)
            cache.forget_all_but(collectors)
        parts: list[bytes] = []
        for collector in collectors:
            if self._substitute is None or not self._substitute.replaces(collector):
                parts += self._render_one(collector, cache)
        if self._substitute is not None:
            parts += self._substitute.render(format_)
        if format_.syntax is Syntax.OPENMETRICS:
            parts.append(END)
        return b"".join(parts)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()
        self._caches = {}  # a thread may have been at work on one
        self._calls = Calls(time.monotonic, patience=self._patience)

    def _render_one(self, collector: Collector, cache: _Cache) -> list[bytes]:
        if isinstance(collector, MetricWrapperBase):
            try:
                with self._lock:  # no code of the host runs meanwhile
                    fast = cache.render(collector)
            except Exception as error:  # noqa: BLE001  # the library's internals changed, perhaps
                cache.give_up(collector)
                self._on_error("exposition", error)
            else:
                if fast is not None:
                    return fast
        with self._calls.watch(collector):
            return [cache.format.encode_part(collector)]

    def _cache(self, format_: Format) -> _Cache:
        cache = self._caches.pop(format_.key, None)
        if cache is None:
            cache = _Cache(format_, is_trusted=self._is_trusted(format_))
        self._caches[format_.key] = cache  # the last used stands last
        while len(self._caches) > _FORMATS_KEPT:
            del self._caches[next(iter(self._caches))]
        return cache

    def _is_trusted(self, format_: Format) -> bool:
        """Whether the fast way was seen to write what the library writes."""
        if values.ValueClass is not values.MutexValue:
            return False  # values are kept in files
        trusted = self._trusted.get(format_.key)
        if trusted is None:
            trusted = True
            try:
                check_fast_path(format_)
            except Exception as error:  # noqa: BLE001  # as above
                self._on_error("exposition", error)
                trusted = False
            self._trusted[format_.key] = trusted
        return trusted


class _Cache:
    """The families of one format."""

    def __init__(self, format_: Format, *, is_trusted: bool) -> None:
        self.format = format_
        self._is_trusted = is_trusted
        self._families: dict[Collector, CachedFamily | None] = {}

    def render(self, collector: MetricWrapperBase) -> list[bytes] | None:
        """The collector's lines; None if the library has to render it."""
        family = self._families.get(collector)
        if not self._is_trusted or (family is None and collector in self._families):
            return None
        try:
            if family is None or not family.is_current():
                self._families[collector] = family = CachedFamily(collector, self.format)
            return family.render()
        except (UnknownShapeError, UnicodeEncodeError):  # the library says what is wrong with it
            return None

    def give_up(self, collector: Collector) -> None:
        """Leave it to the library from now on."""
        self._families[collector] = None

    def forget_all_but(self, collectors: list[Collector]) -> None:
        """Drop what was unregistered."""
        if len(self._families) > len(collectors) or not self._families.keys() <= set(collectors):
            for gone in self._families.keys() - set(collectors):
                del self._families[gone]


def _is_plain(registry: CollectorRegistry) -> bool:
    """Whether it collects in the library's own way, from where the library keeps collectors."""
    is_own = type(registry) is CollectorRegistry and "collect" not in vars(registry)
    return is_own and CollectorRegistry.collect.__module__ == CollectorRegistry.__module__


def _collectors_of(registry: CollectorRegistry) -> list[Collector]:
    """In the order in which the registry collects them."""
    with registry._lock:  # noqa: SLF001  # nothing public tells the collectors apart
        collectors: list[Collector] = list(registry._collector_to_names)  # noqa: SLF001  # as above
        if registry._target_info:  # noqa: SLF001  # as above
            target = registry._target_info_metric()  # type: ignore[no-untyped-call]  # noqa: SLF001
            collectors.insert(0, Shown([target]))
    return collectors
