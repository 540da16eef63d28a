"""After a fork: the locks that threads of the parent held are open again in the child.

A child has one thread. A lock that another thread of the parent held at that moment would stay
locked in it for ever; prometheus_client has such locks around every value and every label set.
Nothing has to be finished under them: each guards a state that is whole between two bytecodes.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Protocol, cast

from prometheus_client import REGISTRY, values
from prometheus_client.metrics import MetricWrapperBase

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CellType

    from prometheus_client import CollectorRegistry

    class AnyLock(Protocol):
        """A lock or a reentrant lock."""

        def acquire(self, blocking: bool = ...) -> bool:  # noqa: FBT001  # as it is
            """Take it, if it is open."""

        def release(self) -> None:
            """Open it."""


class Renewable(Protocol):
    """Something with locks of its own."""

    def renew_locks(self) -> None:
        """In a forked child: replace them."""


_RENEWABLES: weakref.WeakSet[Renewable] = weakref.WeakSet()
_LOCK_NAMES = ("_lock", "_cell_lock")
_VALUE_NAMES = ("_value", "_sum", "_count")
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def renew_after_fork(owner: Renewable) -> None:
    """Have the locks of ``owner`` replaced in forked children, as long as it lives."""
    _RENEWABLES.add(owner)


def renew_all(registries: Iterable[CollectorRegistry]) -> None:
    """In a forked child: open the locks of the runtime, of these registries and their metrics."""
    for owner in list(_RENEWABLES):
        owner.renew_locks()
    for registry in {REGISTRY, *registries}:
        _renew_registry(registry)
    _renew_shared_values()


def _renew_registry(registry: CollectorRegistry) -> None:
    _open(registry)
    for collector in list(getattr(registry, "_collector_to_names", ())):
        if isinstance(collector, MetricWrapperBase):
            _open_values(collector)
            for child in list(getattr(collector, "_metrics", {}).values()):
                _open_values(child)


def _open_values(metric: MetricWrapperBase) -> None:
    _open(metric)
    for name in _VALUE_NAMES:
        _open(getattr(metric, name, None))
    for bucket in getattr(metric, "_buckets", ()):
        _open(bucket)


def _open(owner: object) -> None:
    """Replace the owner's lock, if it is locked, by one of its kind."""
    for name in _LOCK_NAMES:
        lock = getattr(owner, name, None)
        if isinstance(lock, _LOCKS) and not _is_open(lock):
            setattr(owner, name, _new(lock))


def _new(lock: AnyLock) -> AnyLock:
    """An open lock of the same kind."""
    return threading.RLock() if isinstance(lock, _LOCKS[1]) else threading.Lock()


def _is_open(lock: AnyLock) -> bool:
    if not lock.acquire(blocking=False):
        return False
    lock.release()
    return True


def _renew_shared_values() -> None:
    cell = shared_lock_cell()
    if cell is not None and not _is_open(cell.cell_contents):
        cell.cell_contents = _new(cell.cell_contents)


def make_shared_lock_reentrant() -> None:
    """Where values are kept in files: a garbage-collected run may count while one is written."""
    cell = shared_lock_cell()
    if cell is not None and not isinstance(cell.cell_contents, _LOCKS[1]):
        cell.cell_contents = threading.RLock()


def shared_lock_cell() -> CellType | None:
    """Where the one lock is that all values have in common when they are kept in files.

    It is a variable of the function that made their class; None where values are kept in memory.
    """
    method = getattr(values.ValueClass, "inc", None)
    names = getattr(getattr(method, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(method, "__closure__", None) or (), strict=False):
        if name == "lock" and isinstance(cell.cell_contents, _LOCKS):
            return cast("CellType", cell)
    return None
