"""Threads and pools take the context along: what runs there is a part of what started it.

Only the innermost scope and OpenTelemetry's context are carried. What they carry ends with the
function: a thread of a pool is clean for the next one.
"""

from __future__ import annotations

import functools
import os
from concurrent.futures.thread import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import Context as Variables
from threading import Thread, Timer
from types import MethodType
from typing import TYPE_CHECKING, Any

from opentelemetry.context.context import Context

from autogpt_observe.runtime.propagation.arrivals import when_imported
from autogpt_observe.runtime.propagation.carried import Carried
from autogpt_observe.runtime.propagation.patches import Switch, replace
from autogpt_observe.runtime.propagation.sent import Sent, pack
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.traces.context import SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from autogpt_observe.runtime.scopes import Scope

    Method = Callable[..., Any]
    Function = Callable[..., Any]

_NOTHING = Context()

_LIBRARIES = frozenset(
    {
        "anyio",
        "autogpt_observe",
        "concurrent",
        "grpc",
        "langsmith",
        "logging",
        "multiprocessing",
        "opentelemetry",
        "posthog",
        "psycopg_pool",
        "pymongo",
        "sentry_sdk",
        "waitress",
    }
)
"""Whose own threads serve the whole process: they belong to nobody who happens to start them."""

_POOL_METHODS = (
    "apply_async",
    "map",
    "map_async",
    "starmap",
    "starmap_async",
    "imap",
    "imap_unordered",
)
"""Those of `multiprocessing.pool.Pool` that take a function; the others call one of them."""


class _Installed:
    """What is replaced in this process, and how many want it so."""

    def __init__(self) -> None:
        self.users = 0
        self.process = 0
        self.undo = ExitStack()


_INSTALLED = _Installed()


def carry_over_threads(undo: ExitStack) -> None:
    """Have threads and pools take the context along, until ``undo`` is closed."""
    if _INSTALLED.process != os.getpid():  # a forked child has its parent's
        _INSTALLED.undo.close()
        _INSTALLED.users, _INSTALLED.process = 0, os.getpid()
    if not _INSTALLED.users:
        _install(_INSTALLED.undo)
    _INSTALLED.users += 1
    undo.callback(_release, os.getpid())


def _release(process: int) -> None:
    if process == _INSTALLED.process:  # else it is a parent's wish, undone in a forked child
        _INSTALLED.users -= 1
        if not _INSTALLED.users:
            _INSTALLED.undo.close()


def _install(undo: ExitStack) -> None:
    replace(Thread, "start", _make_start, undo)
    if "start" in Timer.__dict__:  # OpenTelemetry's own instrumentation was here before
        replace(Timer, "start", _make_start, undo)
    replace(ThreadPoolExecutor, "submit", _make_submit, undo)
    late = {
        "concurrent.futures.process": functools.partial(_replace_in_executor, undo),
        "multiprocessing.pool": functools.partial(_replace_in_pool, undo),
    }
    when_imported(late, undo)


def _make_submit(original: Method, switch: Switch) -> Method:
    def submit(executor: object, fn: Function, /, *args: object, **kwargs: object) -> object:
        scope, context = CURRENT.get(), SLOT.get()
        if switch.on and (scope is not None or context):
            fn = Carried(fn, scope, context)
        return original(executor, fn, *args, **kwargs)

    return submit


def _make_start(original: Method, switch: Switch) -> Method:
    def start(thread: Thread) -> None:
        scope, context = CURRENT.get(), SLOT.get()
        if not switch.on or (scope is None and not context):
            original(thread)
        elif _serves_all(thread):
            with _apart():
                original(thread)
        else:
            _start_carried(original, thread, scope, context)

    return start


def _serves_all(thread: Thread) -> bool:
    target = getattr(thread, "_target", None)
    home = getattr(type(thread) if target is None else target, "__module__", None)
    return isinstance(home, str) and home.partition(".")[0] in _LIBRARIES


@contextmanager
def _apart() -> Iterator[None]:
    """Nothing is current for a while: what starts here inherits nothing, by whatever way."""
    scope, context = CURRENT.get(), SLOT.get()
    CURRENT.set(None)
    SLOT.set(_NOTHING)
    try:
        yield
    finally:
        CURRENT.set(scope)
        SLOT.set(context)


def _start_carried(original: Method, thread: Thread, scope: Scope | None, context: Context) -> None:
    # since Python 3.14 the host can choose a thread's context: then that is what it wants
    has_own = isinstance(getattr(thread, "_context", None), Variables)
    run = None if has_own else _Run(thread, scope, context)
    try:
        original(thread)
    except BaseException:
        if run is not None:
            run.leave(thread)
        raise


class _Run:
    """A thread's `run` for the time between its start and its run, as an attribute of the thread.

    So subclasses may define `run` and `start` as they like. It is a method of the thread, as
    others who wrap `run` at this point expect.
    """

    __slots__ = ("_carried", "_hosts")

    def __init__(self, thread: Thread, scope: Scope | None, context: Context) -> None:
        self._carried: Carried[[], None] = Carried(thread.run, scope, context)
        self._hosts: object = thread.__dict__.get("run")
        thread.__dict__["run"] = MethodType(self, thread)

    def __call__(self, thread: Thread) -> None:
        carried = self._carried
        self.leave(thread)
        try:
            carried()
        finally:
            del self, carried  # the traceback of an error would keep them alive

    def leave(self, thread: Thread) -> None:
        """Make the thread's `run` what it was."""
        if getattr(thread.__dict__.get("run"), "__func__", None) is self:
            del thread.__dict__["run"]
            if self._hosts is not None:
                thread.__dict__["run"] = self._hosts


def _replace_in_executor(undo: ExitStack, module: ModuleType) -> None:
    replace(module.ProcessPoolExecutor, "submit", _make_process_submit, undo)


def _make_process_submit(original: Method, switch: Switch) -> Method:
    def submit(executor: object, fn: Function, /, *args: object, **kwargs: object) -> object:
        scope, context = CURRENT.get(), SLOT.get()
        if not switch.on or (scope is None and not context):
            return original(executor, fn, *args, **kwargs)
        sent = Sent(fn, *pack(scope, context))
        with _apart():  # the first call forks the pool's processes
            return original(executor, sent, *args, **kwargs)

    return submit


def _replace_in_pool(undo: ExitStack, module: ModuleType) -> None:
    replace(module.Pool, "__init__", _make_pool_init, undo)
    for name in _POOL_METHODS:
        make = _make_pool_method(module.ThreadPool)
        replace(module.Pool, name, make, undo)


def _make_pool_init(original: Method, switch: Switch) -> Method:
    def init(pool: object, *args: object, **kwargs: object) -> None:
        if not switch.on:
            original(pool, *args, **kwargs)
            return
        with _apart():  # its processes are forked here
            original(pool, *args, **kwargs)

    return init


def _make_pool_method(thread_pool: type) -> Callable[[Method, Switch], Method]:
    def make(original: Method, switch: Switch) -> Method:
        def method(pool: object, func: Function, *args: object, **kwargs: object) -> object:
            scope, context = CURRENT.get(), SLOT.get()
            if switch.on and (scope is not None or context):
                if isinstance(pool, thread_pool):
                    func = Carried(func, scope, context)
                else:
                    func = Sent(func, *pack(scope, context))
            return original(pool, func, *args, **kwargs)

        return method

    return make
