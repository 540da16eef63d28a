"""`@agent`: each call of a function becomes a run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar, cast, overload

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.events import Run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")
S = TypeVar("S")


class AgentDecorator(Protocol):
    """Makes each call of a function a run; the function's signature stays."""

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """Decorate ``function``."""


@overload
def agent(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def agent(name: str, /) -> AgentDecorator: ...
def agent(target: str | Callable[P, R], /) -> AgentDecorator | Callable[P, R]:
    """Make each call of a function a run of an agent: `@agent` or `@agent("researcher")`.

    Takes plain, async, generator and async generator functions. A run lasts from the call (of an
    async function or a generator: from its first step) to its end; a plain function that returns
    an awaitable ends when it returns. A run's duration is the work's: while a generator waits for
    its consumer, the clock stands. Without `init` the function runs as if it were not decorated.

    Raises:
        UsageError: the name is empty, or what is decorated is no function.
    """
    if not isinstance(target, str):
        return _decorate(target, name=getattr(target, "__name__", type(target).__name__))
    if not target:
        raise UsageError('@agent: got an empty name, expected one such as @agent("researcher")')
    return functools.partial(_decorate, name=target)


def _decorate(function: Callable[P, R], /, *, name: str) -> Callable[P, R]:
    _check_function(function)
    wrapper: Callable[P, object]
    if inspect.isasyncgenfunction(function):
        wrapper = _wrap_async_generator(
            cast("Callable[P, AsyncGenerator[object, object]]", function), name
        )
    elif inspect.iscoroutinefunction(function):
        wrapper = _wrap_coroutine(cast("Callable[P, Awaitable[object]]", function), name)
    elif inspect.isgeneratorfunction(function):
        wrapper = _wrap_generator(
            cast("Callable[P, Generator[object, object, object]]", function), name
        )
    else:
        wrapper = _wrap_call(function, name)
    return cast("Callable[P, R]", functools.wraps(function)(wrapper))


def _check_function(function: object) -> None:
    if isinstance(function, classmethod | staticmethod):
        kind = type(function).__name__
        raise UsageError(f"@agent: got a {kind}, expected a function; write @{kind} above @agent")
    if inspect.isclass(function):
        what = f"the class `{function.__qualname__}`"
        raise UsageError(f"@agent: got {what}, expected a function; decorate its method")
    if not callable(function):
        raise UsageError(f"@agent: got {function!r:.80}, expected a function")


def _wrap_call(function: Callable[P, R], name: str) -> Callable[P, R]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        hub = ACTIVE.hub
        if hub is None:
            return function(*args, **kwargs)
        run = Run(name, hub)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            run.end(error)
            raise
        run.end(None)
        return result

    return wrapper


def _wrap_coroutine(function: Callable[P, Awaitable[R]], name: str) -> Callable[P, Awaitable[R]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        hub = ACTIVE.hub
        if hub is None:
            return await function(*args, **kwargs)
        run = Run(name, hub)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            run.end(error)
            raise
        run.end(None)
        return result

    return wrapper


def _wrap_generator(
    function: Callable[P, Generator[Y, S, R]], name: str
) -> Callable[P, Generator[Y, S, R]]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Generator[Y, S, R]:
        hub = ACTIVE.hub
        if hub is None:
            return (yield from function(*args, **kwargs))
        run = Run(name, hub)
        try:
            result = yield from _Clocked(function(*args, **kwargs), run)
        except BaseException as error:
            run.end(error)
            raise
        run.end(None)
        return result

    return wrapper


class _Clocked(Generator[Y, S, R]):
    """A generator that runs ``run``'s stopwatch while it works; `yield from` drives it."""

    def __init__(self, inner: Generator[Y, S, R], run: Run) -> None:
        self._inner = inner
        self._run = run

    def send(self, value: S, /) -> Y:
        self._run.resume()
        try:
            return self._inner.send(value)
        finally:
            self._run.pause()

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Y:
        self._run.resume()
        try:
            if isinstance(kind, BaseException):
                return self._inner.throw(kind)
            return self._inner.throw(kind, value, traceback)
        finally:
            self._run.pause()

    def close(self) -> None:
        self._run.resume()
        try:
            self._inner.close()
        finally:
            self._run.pause()


def _wrap_async_generator(
    function: Callable[P, AsyncGenerator[Y, S]], name: str
) -> Callable[P, AsyncGenerator[Y, S]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Y, S]:
        hub = ACTIVE.hub
        run = _UNTRACKED if hub is None else Run(name, hub)
        try:
            inner = function(*args, **kwargs)
            step = anext(inner)
            while True:  # what `yield from` does for a generator has to be spelled out here
                run.resume()
                try:
                    item = await step
                except StopAsyncIteration:
                    break
                finally:
                    run.pause()
                try:
                    step = inner.asend((yield item))
                except GeneratorExit:
                    run.resume()
                    await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001  # the consumer's, for `inner`
                    step = inner.athrow(thrown)
        except BaseException as error:
            run.end(error)
            raise
        run.end(None)

    return wrapper


class _Untracked:
    """Stands in for a run where nobody listens."""

    def resume(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def end(self, error: BaseException | None) -> None:
        pass


_UNTRACKED = _Untracked()
