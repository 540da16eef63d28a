"""Decorated functions of every kind: the scope is there while the body runs, and only then."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from runtime_specs import RUNS, Clock, clocked, observing, samples

import autogpt_observe as obs
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.scopes import CURRENT, Scope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator


def agent_here() -> str:
    scope = CURRENT.get()
    return "" if scope is None else scope.name


async def plain(error: Exception | None = None) -> str:
    await asyncio.sleep(0)
    if error is not None:
        raise error
    return agent_here()


@types.coroutine
def generated(error: Exception | None = None) -> Generator[None, None, str]:
    yield
    if error is not None:
        raise error
    return agent_here()


class Called:
    """An object that is called as an async function is."""

    async def __call__(self, error: Exception | None = None) -> str:
        return await plain(error)


AWAITED: dict[str, Callable[..., Awaitable[str]]] = {
    "function": plain,
    "types.coroutine": generated,
    "object": Called(),
    "method": Called().__call__,
    "partial": functools.partial(plain),
    "partial of types.coroutine": functools.partial(generated),
    "partial of a partial of an object": functools.partial(functools.partial(Called())),
}


@pytest.mark.parametrize("function", AWAITED.values(), ids=AWAITED)
@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "success"), (ValueError("no"), "error")], ids=repr
)
def test_what_is_awaited_ends_when_it_has_run(
    function: Callable[..., Awaitable[str]], error: Exception | None, outcome: str
) -> None:
    decorated = obs.agent("a")(function)
    assert inspect.iscoroutinefunction(decorated)

    async def call() -> str:
        try:
            return await decorated(error)
        except ValueError:
            return "raised"

    with observing(RUNS) as observer:
        assert asyncio.run(call()) == ("a" if error is None else "raised")
        shown = samples(observer.registry, "runs_total")
    assert {name: value for name, value in shown.items() if value} == {
        f"runs_total{{agent=a,outcome={outcome}}}": 1
    }


class Yielding:
    """Objects that are called as generator functions are."""

    class Plain:
        """A generator function."""

        def __call__(self) -> Iterator[str]:
            yield agent_here()

    class Async:
        """An async generator function."""

        async def __call__(self) -> AsyncGenerator[str, None]:
            yield agent_here()


def test_objects_that_are_generator_functions() -> None:
    async def collect() -> list[str]:
        return [item async for item in obs.agent("a")(Yielding.Async())()]

    with observing(RUNS):
        assert list(obs.agent("a")(Yielding.Plain())()) == ["a"]
        assert asyncio.run(collect()) == ["a"]


def test_what_is_thrown_into_a_generator_is_handled_in_its_scope_and_time() -> None:
    clock, seen = Clock(), []

    @obs.agent("a")
    def run() -> Generator[str, None, None]:
        try:
            yield "first"
        except KeyError:
            clock.now += 2
            seen.append(agent_here())
            yield "second"

    with clocked(clock) as shown:
        items = run()
        assert next(items) == "first"
        clock.now += 100
        assert items.throw(KeyError("k")) == "second"
        assert agent_here() == ""
        clock.now += 100
        assert list(items) == []
    assert seen == ["a"]
    assert shown == {"run_seconds_count{agent=a}": 1, "run_seconds_sum{agent=a}": 2}


def test_a_generator_that_is_closed_leaves_nothing_current() -> None:
    clock = Clock()
    held: list[Any] = []

    @obs.agent("a")
    def run() -> Generator[None, None, None]:
        held.append(obs.step("left open"))
        held[0].__enter__()
        try:
            yield
        finally:
            clock.now += 3
            held.append(agent_here())

    with clocked(clock) as shown:
        items = run()
        next(items)
        clock.now += 100
        items.close()
        assert CURRENT.get() is None
        assert held[1] == "left open"
        held[0].__exit__(None, None, None)
    assert shown == {"run_seconds_count{agent=a}": 1, "run_seconds_sum{agent=a}": 3}


class Timerless:
    """An event loop that can do nothing later."""

    def call_later(self, *_: object) -> NoReturn:
        raise NotImplementedError

    def is_closed(self) -> bool:
        return False


def test_a_loop_without_timers_is_told_of_once_and_breaks_nothing() -> None:
    errors: list[tuple[str, str]] = []
    hub = Hub((), on_error=lambda place, error: errors.append((place, repr(error))))

    @obs.agent("a")
    async def run() -> str:
        return agent_here()

    ACTIVE.hub = hub
    loop = Timerless()
    asyncio._set_running_loop(loop)  # type: ignore[arg-type]  # noqa: SLF001  # like one
    try:
        for _ in range(2):
            with pytest.raises(StopIteration) as returned:
                run().send(None)
            assert returned.value.value == "a"
    finally:
        asyncio._set_running_loop(None)  # noqa: SLF001  # as above
        ACTIVE.clear()
    assert errors == [("heartbeat", "NotImplementedError()")]
    assert hub.heartbeats.lag() is None
    assert not isinstance(CURRENT.get(), Scope)
