"""What goes wrong inside the runtime: counted, logged once for each cause, raised under test."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from prometheus_client import values
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

LOG = logging.getLogger("autogpt_observe")
_MOST_SHOWN = 80
_MOST_READ = 2_000
_MOST_STACK = 8_000


class _Cell(Protocol):
    """One count."""

    def inc(self, amount: float, /) -> None:
        """Count so many more."""


class _Family(NamedTuple):
    """One of the runtime's metrics about itself."""

    name: str
    help: str
    labels: tuple[str, ...]


REJECTED_CALLS = _Family(
    "autogpt_observe_rejected_calls_total",
    "Calls that were dropped, because of what they were given, by the metric or the method",
    ("call", "reason"),
)
REPLACED_VALUES = _Family(
    "autogpt_observe_replaced_values_total",
    "Attribute values counted as `other`, because they are not declared or too many",
    ("attribute",),
)
INTERNAL_ERRORS = _Family(
    "autogpt_observe_internal_errors_total",
    "Errors inside the runtime that were kept from its host",
    ("place",),
)
DROPPED = _Family(
    "autogpt_observe_dropped_total",
    "Spans or log lines that never reached where they go, by the reason",
    ("signal", "reason"),
)
EXPORT_FAILURES = _Family(
    "autogpt_observe_export_failures_total",
    "Batches of spans or log lines that could not be exported",
    ("signal",),
)
_FAMILIES = (REJECTED_CALLS, REPLACED_VALUES, INTERNAL_ERRORS, DROPPED, EXPORT_FAILURES)


class Incidents(Collector):
    """Counts incidents; on a scrape, families in which nothing was counted are left out.

    With ``strict``, what the host did wrong and internal errors are raised as well; None means
    under pytest only, as its variable PYTEST_CURRENT_TEST says at that moment. Nothing else is
    raised, whatever the host's logging does. What is logged went through ``redact`` before.

    Attributes:
        kept_in_files: whether the counts are kept where other processes see them too.
    """

    def __init__(
        self,
        *,
        strict: bool | None,
        environ: Mapping[str, str] = os.environ,
        kept_in_files: bool = False,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.kept_in_files = kept_in_files
        self._cells: dict[tuple[_Family, tuple[str, ...]], _Cell] = {}
        self._strict = strict
        self._environ = environ
        self._redact = redact
        self._counts: Counter[tuple[_Family, tuple[str, ...]]] = Counter()
        self._logged: set[Hashable] = set()
        self._lock = threading.RLock()  # a garbage-collected run may end while it is held
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()

    def reject(self, call: str, reason: str, message: str) -> None:
        """A call, named by its metric or method, was dropped; ``reason`` is one of a few words."""
        if self._count(REJECTED_CALLS, (call, reason)):
            self._say(logging.WARNING, f"{message}; such calls are dropped")
        if self.is_strict:
            raise UsageError(message)

    def replace(self, attribute: str, value: str, reason: str) -> None:
        """A value of ``attribute`` was counted as `other`."""
        if self._count(REPLACED_VALUES, (attribute,)):
            shown, told = self.show(value), f"of the attribute `{attribute}` {reason}"
            self._say(logging.WARNING, f"the value {shown} {told}; it counts as `other`")

    def note(self, place: str, error: Exception) -> None:
        """An error was kept from the host."""
        if self._count(INTERNAL_ERRORS, (place,), type(error).__qualname__):
            with suppress(Exception):  # the stack may be at its end
                told = _stack_of(error, self._redact)
                self._say(logging.ERROR, f"error in {place}; it is logged once\n{told}")

    def fail(self, place: str, error: Exception) -> None:
        """Like :meth:`note`, for errors in the host's own call: a test gets to see them."""
        self.note(place, error)
        if self.is_strict:
            raise error

    def drop(self, signal: str, reason: str, count: int, message: str) -> None:
        """So many items of ``signal`` were lost; ``reason`` is one of a few words."""
        if self._count(DROPPED, (signal, reason), amount=count):
            self._say(logging.WARNING, f"{message}; it is logged once")

    def fail_export(self, signal: str, destination: str, cause: str) -> None:
        """A batch of ``signal`` did not get to ``destination``."""
        if self._count(EXPORT_FAILURES, (signal,), destination):
            self._say(
                logging.ERROR,
                f"{signal} can't be exported to {destination}: {cause}; it is logged again once it"
                " has worked meanwhile",
            )

    def recover_export(self, signal: str, destination: str) -> None:
        """``destination`` took a batch of ``signal`` after it had failed to."""
        with self._lock:
            self._logged.discard((EXPORT_FAILURES, (signal,), destination))
        self._say(logging.INFO, f"{signal} are exported to {destination} again")

    def show(self, value: object) -> str:
        """The start of what ``value`` looks like, as messages have it: without secrets."""
        start = value[:_MOST_READ] if isinstance(value, str) else value
        return self._redact(repr(start)[:_MOST_READ])[:_MOST_SHOWN]  # one at the cut is seen

    @property
    def is_strict(self) -> bool:
        """Whether incidents are raised now."""
        if self._strict is None:
            return "PYTEST_CURRENT_TEST" in self._environ
        return self._strict

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The families in which something was counted."""
        with self._lock:
            counts = self._counts.copy()
        for family in _FAMILIES:
            counted = {labels: n for (kind, labels), n in counts.items() if kind is family}
            if counted:
                described = CounterMetricFamily(family.name, family.help, labels=family.labels)
                for labels, count in counted.items():
                    described.add_metric(labels, count)
                yield described

    def describe(self) -> Iterator[CounterMetricFamily]:
        """All families, so that a registry sees a clash of names."""
        for family in _FAMILIES:
            yield CounterMetricFamily(family.name, family.help, labels=family.labels)

    def _say(self, level: int, message: str) -> None:
        with suppress(Exception):  # a handler or a filter of the host's
            LOG.log(level, "%s", self._redact(message))

    def _count(
        self, family: _Family, labels: tuple[str, ...], *cause: Hashable, amount: int = 1
    ) -> bool:
        """Count; whether this cause is a new one."""
        key = (family, labels, *cause)
        with self._lock:
            self._counts[family, labels] += amount
            if self.kept_in_files:
                with suppress(Exception):  # the folder may be full, or gone
                    self._cell(family, labels).inc(amount)
            is_new = key not in self._logged
            self._logged.add(key)
        return is_new

    def _cell(self, family: _Family, labels: tuple[str, ...]) -> _Cell:
        """Where this process keeps a count; as the client's own counters do it."""
        cell = self._cells.get((family, labels))
        if cell is None:
            cell = self._cells[family, labels] = values.ValueClass(
                "counter",
                family.name.removesuffix("_total"),
                family.name,
                family.labels,
                labels,
                family.help,
            )
        return cell


def _stack_of(error: Exception, redact: Callable[[str], str]) -> str:
    from autogpt_observe.runtime.logs.failures import stack_of  # noqa: PLC0415  # seldom needed
    from autogpt_observe.runtime.logs.values import cut_middle  # noqa: PLC0415  # as above

    return cut_middle(redact(stack_of(error)), _MOST_STACK)
