"""Wraps functions so that each call is a scope: plain, async, generator, async generator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from types import TracebackType

    from autogpt_observe.runtime.hub import Hub
    from autogpt_observe.runtime.scopes import Scope

    Maker = Callable[[tuple[Any, ...], dict[str, Any]], Scope]
    """Makes the scope of one call from its arguments."""

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")
S = TypeVar("S")


def wrap(function: Callable[P, R], make: Maker, *, decorator: str) -> Callable[P, R]:
    """``function`` with a scope around each call, begun late: it may stand before `init`.

    Raises:
        UsageError: what is decorated is no function; the message names the ``decorator``.
    """
    _check_function(function, decorator)
    wrapper: Callable[P, object]
    body = _body_of(function)
    if inspect.isasyncgenfunction(body):
        wrapper = _wrap_async_generator(
            cast("Callable[P, AsyncGenerator[object, object]]", function), make
        )
    elif inspect.iscoroutinefunction(function) or _is_coroutine(body):
        wrapper = _wrap_coroutine(cast("Callable[P, Awaitable[object]]", function), make)
    elif inspect.isgeneratorfunction(body):
        wrapper = _wrap_generator(
            cast("Callable[P, Generator[object, object, object]]", function), make
        )
    else:
        wrapper = _wrap_call(function, make)
    return cast("Callable[P, R]", functools.wraps(function)(wrapper))


def _body_of(function: object) -> object:
    """What runs when ``function`` is called: it may be a partial, or an object with `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def _is_coroutine(body: object) -> bool:
    """Whether it is awaited; of generator functions only those below `types.coroutine` are."""
    flags: int = getattr(getattr(body, "__code__", None), "co_flags", 0)
    return inspect.iscoroutinefunction(body) or bool(flags & inspect.CO_ITERABLE_COROUTINE)


def _check_function(function: object, decorator: str) -> None:
    if isinstance(function, classmethod | staticmethod):
        kind = type(function).__name__
        fix = f"write @{kind} above {decorator}"
        raise UsageError(f"{decorator}: got a {kind}, expected a function; {fix}")
    if inspect.isclass(function):
        what = f"the class `{function.__qualname__}`"
        raise UsageError(f"{decorator}: got {what}, expected a function; decorate its method")
    if not callable(function):
        raise UsageError(f"{decorator}: got {function!r:.80}, expected a function")


def _wrap_call(function: Callable[P, R], make: Maker) -> Callable[P, R]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        hub = ACTIVE.hub
        if hub is None:
            return function(*args, **kwargs)
        scope = make(args, kwargs)
        scope.begin(hub)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            scope.end(error)
            raise
        scope.returns(result)
        scope.end(None)
        return result

    return wrapper


def _wrap_coroutine(function: Callable[P, Awaitable[R]], make: Maker) -> Callable[P, Awaitable[R]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        hub = ACTIVE.hub
        if hub is None:
            return await function(*args, **kwargs)
        _watch_loop(hub)
        scope = make(args, kwargs)
        scope.begin(hub)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            scope.end(error)
            raise
        scope.returns(result)
        scope.end(None)
        return result

    return wrapper


def _watch_loop(hub: Hub) -> None:
    try:
        hub.heartbeats.watch()
    except Exception as error:  # noqa: BLE001  # a loop that has no timers, or can't be a key
        hub.on_error("heartbeat", error)


def _wrap_generator(
    function: Callable[P, Generator[Y, S, R]], make: Maker
) -> Callable[P, Generator[Y, S, R]]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Generator[Y, S, R]:
        hub = ACTIVE.hub
        if hub is None:
            return (yield from function(*args, **kwargs))
        scope = make(args, kwargs)
        scope.begin(hub)
        try:
            result = yield from _Clocked(function(*args, **kwargs), scope)
        except BaseException as error:
            scope.end(error)
            raise
        scope.returns(result)
        scope.end(None)
        return result

    return wrapper


class _Clocked(Generator[Y, S, R]):
    """A generator that runs ``scope``'s stopwatch while it works; `yield from` drives it."""

    def __init__(self, inner: Generator[Y, S, R], scope: Scope) -> None:
        self._inner = inner
        self._scope = scope

    def send(self, value: S, /) -> Y:
        self._scope.resume()
        try:
            return self._inner.send(value)
        finally:
            self._scope.pause()

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Y:
        self._scope.resume()
        try:
            if isinstance(kind, BaseException):
                return self._inner.throw(kind)
            return self._inner.throw(kind, value, traceback)
        finally:
            self._scope.pause()

    def close(self) -> None:
        self._scope.resume()
        try:
            self._inner.close()
        finally:
            self._scope.pause()


def _wrap_async_generator(
    function: Callable[P, AsyncGenerator[Y, S]], make: Maker
) -> Callable[P, AsyncGenerator[Y, S]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Y, S]:
        hub = ACTIVE.hub
        scope = _UNTRACKED if hub is None else _begun(make(args, kwargs), hub)
        try:
            inner = function(*args, **kwargs)
            step = anext(inner)
            while True:  # what `yield from` does for a generator has to be spelled out here
                scope.resume()
                try:
                    item = await step
                except StopAsyncIteration:
                    break
                finally:
                    scope.pause()
                try:
                    step = inner.asend((yield item))
                except GeneratorExit:
                    scope.resume()
                    await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001  # the consumer's, for `inner`
                    step = inner.athrow(thrown)
        except BaseException as error:
            scope.end(error)
            raise
        scope.end(None)

    return wrapper


def _begun(scope: Scope, hub: Hub) -> Scope:
    scope.begin(hub)
    return scope


class _Untracked:
    """Stands in for a scope where nobody listens."""

    def resume(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def end(self, error: BaseException | None) -> None:
        pass


_UNTRACKED = _Untracked()
