"""`bind()`: functions that run, in whatever thread, in the context they were bound in.

The context is the innermost scope and OpenTelemetry's context, and nothing else: the host's own
context variables behave as they always did.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.traces.context import SLOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opentelemetry.context.context import Context

    from autogpt_observe.runtime.scopes import Scope

P = ParamSpec("P")
R = TypeVar("R")


class Carried(Generic[P, R]):
    """A function that runs in ``scope`` and ``context``, and leaves its thread as it found it."""

    __slots__ = ("__weakref__", "_context", "_function", "_scope")

    def __init__(self, function: Callable[P, R], scope: Scope | None, context: Context) -> None:
        self._function = function
        self._scope = scope
        self._context = context

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function."""
        around, outside = CURRENT.get(), SLOT.get()
        CURRENT.set(self._scope)
        SLOT.set(self._context)
        try:
            return self._function(*args, **kwargs)
        finally:
            CURRENT.set(around)
            SLOT.set(outside)
            # the traceback of an error, which a future keeps, would keep these alive
            del self, args, kwargs, around, outside


class Bound(Carried[P, R]):
    """What `bind` returns. Pickled, it takes along what another process can know."""

    def __init__(self, function: Callable[P, R], scope: Scope | None, context: Context) -> None:
        super().__init__(function, scope, context)
        functools.update_wrapper(cast("Callable[..., R]", self), function)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        # loaded late: most bound functions stay in their process
        from autogpt_observe.runtime.propagation.sent import arrive, pack  # noqa: PLC0415

        return arrive, (self._function, *pack(self._scope, self._context))


def bind(function: Callable[P, R], /) -> Callable[P, R]:
    """``function``, to be run by hand in another thread as a part of what is going on here.

    `threading.Thread(target=obs.bind(work))`. Each call, in any thread and at any time, runs in
    the scope that is the innermost one now, and leaves the thread as it was. If that scope has
    ended by then, its agent still gets what happens. Pickled, as for a process of a pool, a bound
    function brings the trace and the agent along. Without `init` it is ``function`` itself.

    Raises:
        UsageError: it is no function, or a generator function, whose body runs later than its call.
    """
    if not callable(function):
        raise UsageError(f"obs.bind: got {function!r:.80}, expected a function")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UsageError(
            f"obs.bind: got the generator function `{_name_of(function)}`, whose body runs where it"
            " is iterated; bind the function that iterates it"
        )
    if ACTIVE.hub is None:
        return function
    if inspect.iscoroutinefunction(function):
        return cast(
            "Callable[P, R]", _bind_coroutine(cast("Callable[P, Awaitable[Any]]", function))
        )
    return Bound(function, CURRENT.get(), SLOT.get())


def _bind_coroutine(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    scope, context = CURRENT.get(), SLOT.get()

    @functools.wraps(function)
    async def bound(*args: P.args, **kwargs: P.kwargs) -> R:
        around, outside = CURRENT.get(), SLOT.get()
        CURRENT.set(scope)
        SLOT.set(context)
        try:
            return await function(*args, **kwargs)
        finally:
            CURRENT.set(around)
            SLOT.set(outside)
            del args, kwargs, around, outside  # as above

    return bound


def _name_of(function: object) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
