"""`@obs.agent`: what a scrape shows of runs, however they end."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import threading
from typing import TYPE_CHECKING

import pytest
from runtime_specs import RUNS, Clock, clocked, metric, observing, samples, spec

import autogpt_observe as obs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from prometheus_client import CollectorRegistry


@obs.agent("worker")
def work(error: BaseException | None = None) -> str:
    """Work, or fail."""
    if error is not None:
        raise error
    return "done"


@obs.agent("worker")
async def awork(error: BaseException | None = None) -> str:
    await asyncio.sleep(0)
    if error is not None:
        raise error
    return "done"


@obs.agent("worker")
def steps(error: BaseException | None = None) -> Generator[int, str, str]:
    yield 1
    if error is not None:
        raise error
    yield 2
    return "done"


@obs.agent("worker")
async def asteps(error: BaseException | None = None) -> AsyncGenerator[int, str]:
    yield 1
    if error is not None:
        raise error
    yield 2


def run(error: BaseException | None) -> object:
    return work(error)


def arun(error: BaseException | None) -> object:
    return asyncio.run(_await(awork(error)))


def exhaust(error: BaseException | None) -> object:
    return list(steps(error))


def aexhaust(error: BaseException | None) -> object:
    async def consume() -> list[int]:
        return [item async for item in asteps(error)]

    return asyncio.run(consume())


async def _await(what: Awaitable[str]) -> str:
    return await what


KINDS = pytest.mark.parametrize("call", [run, arun, exhaust, aexhaust])


def ended(**outcomes: int) -> dict[str, float]:
    """All the series of one agent's runs, by how many of them ended how."""
    count = float(sum(outcomes.values()))
    return {
        "starts_total{agent=worker}": count,
        "runs_active{agent=worker}": 0.0,
        "run_seconds_count{agent=worker}": count,
    } | {
        f"runs_total{{agent=worker,outcome={outcome}}}": float(outcomes.get(outcome, 0))
        for outcome in ("success", "error", "cancelled")
    }


def shown(registry: CollectorRegistry) -> dict[str, float]:
    return samples(registry, "starts_total", "runs_total", "runs_active", "run_seconds_count")


def failures(registry: CollectorRegistry) -> dict[str, float]:
    return samples(registry, "failures_total")


@KINDS
def test_success(call: Callable[[None], object]) -> None:
    with observing(RUNS) as observer:
        call(None)
        assert shown(observer.registry) == ended(success=1)
        assert failures(observer.registry) == {}


@KINDS
def test_error(call: Callable[[BaseException], object]) -> None:
    with observing(RUNS) as observer:
        error = ValueError("no such page")
        with pytest.raises(ValueError, match="no such page") as caught:
            call(error)
        assert caught.value is error
        assert shown(observer.registry) == ended(error=1)
        assert failures(observer.registry) == {
            "failures_total{agent=worker,error_type=ValueError}": 1
        }


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(2)])
@pytest.mark.parametrize("call", [run, exhaust])
def test_control_flow_is_no_failure(
    call: Callable[[BaseException], object], error: BaseException
) -> None:
    with observing(RUNS) as observer:
        with pytest.raises(type(error)):
            call(error)
        assert shown(observer.registry) == ended(cancelled=1)
        assert failures(observer.registry) == {}


@pytest.mark.parametrize("error", [StopIteration(), StopAsyncIteration(), GeneratorExit()])
def test_end_of_iteration_is_no_failure(error: BaseException) -> None:
    with observing(RUNS) as observer:
        with pytest.raises(type(error)):
            work(error)
        assert shown(observer.registry) == ended(cancelled=1)
        assert failures(observer.registry) == {}


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        ([KeyboardInterrupt(), BaseExceptionGroup("b", [SystemExit()])], "cancelled"),
        ([KeyboardInterrupt(), ValueError()], "error"),
    ],
)
def test_group_is_control_flow_when_all_in_it_is(inside: list[BaseException], outcome: str) -> None:
    with observing(RUNS) as observer:
        with pytest.raises(BaseExceptionGroup):
            work(BaseExceptionGroup("a", inside))
        assert shown(observer.registry) == ended(**{outcome: 1})


def test_cancelled_task() -> None:
    @obs.agent("worker")
    async def wait() -> None:
        await asyncio.sleep(3600)

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert samples(observer.registry, "runs_active") == {"runs_active{agent=worker}": 1}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with observing(RUNS) as observer:
        asyncio.run(cancel())
        assert shown(observer.registry) == ended(cancelled=1)


def test_break_out_of_a_generator() -> None:
    with observing(RUNS) as observer:
        for _ in steps():
            assert shown(observer.registry) == ended() | {
                "starts_total{agent=worker}": 1,
                "runs_active{agent=worker}": 1,
            }
            break
        assert shown(observer.registry) == ended(cancelled=1)


def test_break_out_of_an_async_generator() -> None:
    async def consume() -> None:
        async for _ in asteps():
            break

    with observing(RUNS) as observer:
        asyncio.run(consume())
        assert shown(observer.registry) == ended(cancelled=1)


def test_generator_collected_in_a_cycle() -> None:
    class Holder:
        def __init__(self) -> None:
            self.me = self
            self.steps = steps()

    with observing(RUNS) as observer:
        next(Holder().steps)
        gc.collect()
        assert shown(observer.registry) == ended(cancelled=1)


def test_async_generator_of_a_closed_loop() -> None:
    async def first(pages: AsyncGenerator[int, str]) -> int:
        return await anext(pages)  # here the generator learns of the loop

    loop = asyncio.new_event_loop()
    with observing(RUNS) as observer:
        left = asteps()
        assert loop.run_until_complete(first(left)) == 1
        loop.close()
        assert samples(observer.registry, "runs_active") == {"runs_active{agent=worker}": 1}
        del left
        gc.collect()
        assert shown(observer.registry) == ended(cancelled=1)


def test_coroutine_closed_half_way() -> None:
    with observing(RUNS) as observer:
        coroutine = awork()
        assert inspect.iscoroutine(coroutine)
        coroutine.send(None)
        coroutine.close()
        assert shown(observer.registry) == ended(cancelled=1)


def test_what_never_starts_is_no_run() -> None:
    with observing(RUNS) as observer:
        steps()
        asteps()
        coroutine = awork()
        assert inspect.iscoroutine(coroutine)
        coroutine.close()
        assert shown(observer.registry) == {}


# --- generators stay what they were ----------------------------------------------------------


@obs.agent
def echo() -> Generator[str, str, str]:
    got = "ready"
    while got != "end":
        try:
            got = yield got
        except KeyError as error:
            got = f"caught {error}"
    return "ended"


@obs.agent
async def aecho() -> AsyncGenerator[str, str]:
    got = "ready"
    while got != "end":
        try:
            got = yield got
        except KeyError as error:
            got = f"caught {error}"


BOTH = pytest.mark.parametrize("observed", [True, False])


@BOTH
def test_generator_takes_what_is_sent_and_thrown(observed: bool) -> None:  # noqa: FBT001  # parametrized
    with observing(RUNS if observed else spec()) as observer:
        if not observed:
            obs.shutdown()
        talk = echo()
        assert next(talk) == "ready"
        assert talk.send("hello") == "hello"
        assert talk.throw(KeyError("k")) == "caught 'k'"
        with pytest.raises(StopIteration) as caught:
            talk.send("end")
        assert caught.value.value == "ended"
        runs = samples(observer.registry, "runs_total")
        assert runs.get("runs_total{agent=echo,outcome=success}") == (1 if observed else None)


@BOTH
def test_async_generator_takes_what_is_sent_and_thrown(observed: bool) -> None:  # noqa: FBT001  # as above
    async def converse() -> None:
        talk = aecho()
        assert await anext(talk) == "ready"
        assert await talk.asend("hello") == "hello"
        assert await talk.athrow(KeyError("k")) == "caught 'k'"
        with pytest.raises(StopAsyncIteration):
            await talk.asend("end")

    with observing(RUNS if observed else spec()) as observer:
        if not observed:
            obs.shutdown()
        asyncio.run(converse())
        runs = samples(observer.registry, "runs_total")
        assert runs.get("runs_total{agent=aecho,outcome=success}") == (1 if observed else None)


def test_closing_runs_the_clean_up_of_both_kinds() -> None:
    done: list[str] = []

    @obs.agent
    def clean() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            done.append("generator")

    @obs.agent
    async def aclean() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            done.append("async generator")

    async def half() -> None:
        left = aclean()
        await anext(left)
        await left.aclose()

    with observing(RUNS):
        one = clean()
        next(one)
        one.close()
        asyncio.run(half())
    assert done == ["generator", "async generator"]


# --- durations -------------------------------------------------------------------------------


def test_duration_of_a_call_is_its_time() -> None:
    clock = Clock()

    @obs.agent
    def think() -> None:
        clock.now += 5

    @obs.agent
    async def athink() -> None:
        clock.now += 3
        await asyncio.sleep(0)
        clock.now += 4

    with clocked(clock) as shown_:
        think()
        asyncio.run(athink())
    assert shown_ == {
        "run_seconds_count{agent=think}": 1,
        "run_seconds_sum{agent=think}": 5,
        "run_seconds_count{agent=athink}": 1,
        "run_seconds_sum{agent=athink}": 7,
    }


def test_duration_of_a_generator_leaves_out_its_consumer() -> None:
    clock = Clock()

    @obs.agent
    def pages() -> Generator[int, None, None]:
        clock.now += 2
        yield 1
        clock.now += 3
        try:
            yield 2
        finally:
            clock.now += 4

    @obs.agent
    async def apages() -> AsyncGenerator[int, None]:
        clock.now += 20
        yield 1
        clock.now += 30
        try:
            yield 2
        finally:
            clock.now += 40

    async def consume() -> None:
        left = apages()
        async for page in left:
            clock.now += 1000
            if page == 2:
                break
        await left.aclose()

    with clocked(clock) as shown_:
        for page in pages():
            clock.now += 1000
            if page == 2:
                break
        asyncio.run(consume())
    assert shown_ == {
        "run_seconds_count{agent=pages}": 1,
        "run_seconds_sum{agent=pages}": 9,
        "run_seconds_count{agent=apages}": 1,
        "run_seconds_sum{agent=apages}": 90,
    }


# --- one failure, many boundaries ------------------------------------------------------------


def nested(reraise: Callable[[Exception], object]) -> dict[str, float]:
    """Failures when an inner agent fails and an outer one treats that by ``reraise``."""

    @obs.agent("inner")
    def inner() -> None:
        raise ValueError("inner")

    @obs.agent("outer")
    def outer() -> None:
        try:
            inner()
        except ValueError as error:
            reraise(error)

    with observing(RUNS) as observer:
        with pytest.raises(Exception, match=r".*"):
            outer()
        assert (
            samples(observer.registry, "runs_total")["runs_total{agent=outer,outcome=error}"] == 1
        )
        return failures(observer.registry)


INNER = {"failures_total{agent=inner,error_type=ValueError}": 1.0}


def test_failure_that_passes_through_is_one() -> None:
    def reraise(error: Exception) -> None:
        raise error

    assert nested(reraise) == INNER


def test_failure_raised_from_a_counted_one_is_the_same() -> None:
    def reraise(error: Exception) -> None:
        middle = RuntimeError("middle")
        middle.__cause__ = error
        raise KeyError("outer") from middle

    assert nested(reraise) == INNER


def test_failure_of_a_group_of_counted_ones_is_no_new_one() -> None:
    def reraise(error: Exception) -> None:
        raise ExceptionGroup("all", [error, ExceptionGroup("more", [error])])

    assert nested(reraise) == INNER


def test_failure_raised_while_handling_is_a_new_one() -> None:
    def reraise(_: Exception) -> None:
        raise KeyError("outer")

    assert nested(reraise) == INNER | {"failures_total{agent=outer,error_type=KeyError}": 1}


def test_failure_of_a_group_with_an_uncounted_one_is_a_new_one() -> None:
    def reraise(error: Exception) -> None:
        raise ExceptionGroup("all", [error, OSError()])

    assert nested(reraise) == INNER | {"failures_total{agent=outer,error_type=ExceptionGroup}": 1}


def test_cyclic_causes_come_to_an_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    with observing(RUNS) as observer:
        with pytest.raises(ValueError, match="first"):
            work(first)
        assert failures(observer.registry) == {
            "failures_total{agent=worker,error_type=ValueError}": 1
        }


def test_exception_that_forbids_attributes_is_one_failure() -> None:
    class FrozenError(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

        def __getattr__(self, name: str) -> str:
            return name

    @obs.agent("outer")
    def outer() -> None:
        work(FrozenError())

    with observing(RUNS) as observer:
        with pytest.raises(FrozenError):
            outer()
        name = f"{FrozenError.__module__}.{FrozenError.__qualname__}"
        assert failures(observer.registry) == {
            f"failures_total{{agent=worker,error_type={name}}}": 1
        }


# --- the decorated function ------------------------------------------------------------------


def test_facts_about_the_function_stay() -> None:
    assert work.__name__ == "work"
    assert work.__doc__ == "Work, or fail."
    assert list(inspect.signature(work).parameters) == ["error"]
    assert inspect.iscoroutinefunction(awork)
    assert inspect.isgeneratorfunction(steps)
    assert inspect.isasyncgenfunction(asteps)
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    assert [kind(work) for kind in kinds] == [False, False, False]


def test_bare_decorator_takes_the_functions_name() -> None:
    @obs.agent
    def researcher() -> None:
        pass

    with observing(RUNS) as observer:
        researcher()
        assert samples(observer.registry, "starts_total") == {"starts_total{agent=researcher}": 1}


def test_methods_are_bound() -> None:
    class Agent:
        name = "bound"

        @obs.agent
        def one(self) -> str:
            return self.name

        @classmethod
        @obs.agent
        def two(cls) -> str:
            return cls.name

        @staticmethod
        @obs.agent
        def three() -> str:
            return "static"

    with observing(RUNS) as observer:
        assert [Agent().one(), Agent.two(), Agent().three()] == ["bound", "bound", "static"]
        assert samples(observer.registry, "starts_total") == {
            "starts_total{agent=one}": 1,
            "starts_total{agent=two}": 1,
            "starts_total{agent=three}": 1,
        }


def test_partial_of_an_async_function_is_awaited() -> None:
    with observing(RUNS) as observer:
        call = obs.agent("partial")(functools.partial(awork, None))
        assert asyncio.run(_await(call())) == "done"
        assert samples(observer.registry, "run_seconds_count") == {
            "run_seconds_count{agent=partial}": 1,
            "run_seconds_count{agent=worker}": 1,
        }


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", '@agent: got an empty name, expected one such as @agent("researcher")'),
        (
            classmethod(lambda _: None),
            "@agent: got a classmethod, expected a function; write @classmethod above @agent",
        ),
        (
            staticmethod(lambda: None),
            "@agent: got a staticmethod, expected a function; write @staticmethod above @agent",
        ),
        (Clock, "@agent: got the class `Clock`, expected a function; decorate its method"),
        (7, '@agent: got 7, expected one such as @agent("researcher")'),
    ],
)
def test_wrong_use_is_refused(target: str, message: str) -> None:
    with pytest.raises(obs.UsageError) as caught:
        obs.agent(target)(work)
    assert str(caught.value) == message


# --- late binding ----------------------------------------------------------------------------


def test_run_that_outlives_shutdown_ends_quietly() -> None:
    left = steps()
    with observing(RUNS) as first:
        next(left)
    assert samples(first.registry) == {}
    with observing(RUNS) as second:
        assert list(left) == [2]
        assert shown(second.registry) == {}


def test_decorators_work_again_after_a_second_init() -> None:
    for _ in range(2):
        with observing(RUNS) as observer:
            work()
            assert shown(observer.registry) == ended(success=1)
    assert work() == "done"


def test_any_subset_of_a_signals_attributes_may_be_declared() -> None:
    observed = spec(
        all_total=metric("counter", "run.end"),
        outcome_total=metric("counter", "run.end", "outcome"),
        turned_total=metric("counter", "run.end", "outcome", "agent"),
    )
    with observing(observed) as observer:
        work()
        assert samples(observer.registry) == {
            "all_total": 1,
            "outcome_total{outcome=success}": 1,
            "outcome_total{outcome=error}": 0,
            "outcome_total{outcome=cancelled}": 0,
            "turned_total{agent=worker,outcome=success}": 1,
            "turned_total{agent=worker,outcome=error}": 0,
            "turned_total{agent=worker,outcome=cancelled}": 0,
        }


def test_counts_are_exact_under_threads() -> None:
    threads, runs = 8, 10_000
    start = threading.Barrier(threads)

    def many() -> None:
        start.wait()
        for number in range(runs):
            if number % 10 == 0:
                with pytest.raises(OSError, match="down"):
                    work(OSError("down"))
            else:
                work()

    with observing(RUNS) as observer:
        workers = [threading.Thread(target=many) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert shown(observer.registry) == ended(success=72_000, error=8_000)
        assert failures(observer.registry) == {
            "failures_total{agent=worker,error_type=OSError}": 8_000
        }
