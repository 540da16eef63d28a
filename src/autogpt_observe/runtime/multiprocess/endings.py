"""The ends of worker processes that run no `atexit`: those of multiprocessing and of Celery."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from types import ModuleType

    class _Finalizer(Protocol):
        def cancel(self) -> None: ...


_PACKAGES = ("multiprocessing", "billiard")
"""The standard library's, and Celery's fork of it."""


def end_with_fork(owner: object, shutdown: Callable[[], None]) -> None:
    """In a forked child: call ``shutdown`` at its end, as long as ``owner`` lives."""
    for package in _PACKAGES:
        util = sys.modules.get(f"{package}.util")
        if util is not None:
            # What is registered now is forgotten when the worker starts, but for this.
            util.register_after_fork(owner, partial(_finalize, util, shutdown))
    _end_with_celery(shutdown)


def end_with_worker(undo: ExitStack, shutdown: Callable[[], None]) -> None:
    """In a worker process, however it was started: call ``shutdown`` at its end.

    In the main process there is nothing to do; multiprocessing ends there before its children do.
    """
    for package in _PACKAGES:
        util = sys.modules.get(f"{package}.util")
        if util is not None and _is_worker(sys.modules[f"{package}.process"]):
            undo.callback(_finalize(util, shutdown, None).cancel)
            _end_with_celery(shutdown)


def _is_worker(process: ModuleType) -> bool:
    return getattr(process.current_process(), "_parent_pid", None) is not None


def _finalize(util: ModuleType, shutdown: Callable[[], None], _: object) -> _Finalizer:
    finalizer: _Finalizer = util.Finalize(None, shutdown, exitpriority=0)
    return finalizer


def _end_with_celery(shutdown: Callable[[], None]) -> None:
    """Its pool's processes end by `os._exit`, after they have told of it."""
    signals = sys.modules.get("celery.signals")
    if signals is not None:

        def end(**_: object) -> None:
            shutdown()

        signals.worker_process_shutdown.connect(end, weak=False, dispatch_uid="autogpt-observe")
