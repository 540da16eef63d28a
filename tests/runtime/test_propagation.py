"""Threads and pools of threads: what runs there belongs to the run that started it, and no more."""

from __future__ import annotations

import asyncio
import gc
import inspect
import random
import threading
import traceback
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import ContextVar
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING

import pytest
from opentelemetry.context import attach, detach
from opentelemetry.context.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from propagating import STEPS, carrying, in_thread, step, steps
from propagation_work import NOWHERE, Place, fail, here, here_for
from runtime_specs import observing, samples

import autogpt_observe as obs
from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.propagation.carried import bind
from autogpt_observe.runtime.scopes import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

HOSTS: ContextVar[str] = ContextVar("hosts", default="untouched")


def test_a_thread_goes_on_in_the_scope_and_the_trace_it_was_started_in() -> None:
    with carrying() as observer:
        with obs.agent("a"):
            outside = here()
            (inside,) = in_thread(step, threading.Thread)
        assert (inside.scope, inside.agent, inside.trace) == ("work", "a", outside.trace)
        assert inside.span != outside.span
        assert steps(observer) == {"steps_total{agent=a}": 1}


def test_without_a_scope_or_a_span_threads_are_as_they_were() -> None:
    with carrying():
        made: list[threading.Thread] = []

        def make(target: Callable[[], None]) -> threading.Thread:
            made.append(threading.Thread(target=target))
            return made[0]

        assert in_thread(lambda: (here(), "run" in made[0].__dict__), make) == [(NOWHERE, False)]


def test_only_the_observers_context_is_carried() -> None:
    with carrying(), obs.agent("a"), ThreadPoolExecutor(1) as pool:
        HOSTS.set("changed")
        assert in_thread(HOSTS.get, threading.Thread) == ["untouched"]
        assert pool.submit(HOSTS.get).result() == "untouched"
        pool.submit(HOSTS.set, "left by an earlier task").result()
        assert pool.submit(HOSTS.get).result() == "left by an earlier task"


def test_a_span_of_the_host_is_carried_without_a_run() -> None:
    ids = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(1))
    with carrying(), ThreadPoolExecutor(1) as pool:
        token = attach(set_span_in_context(NonRecordingSpan(ids), Context()))
        inside = Place("", "", f"{7:032x}", f"{8:016x}")
        assert pool.submit(here).result() == inside
        assert in_thread(here, threading.Thread) == [inside]
        detach(token)
        assert pool.submit(here).result() == NOWHERE


def test_a_pool_is_clean_for_the_next_task() -> None:
    with carrying() as observer, ThreadPoolExecutor(1) as pool:
        with obs.agent("first"):  # it also starts the pool's thread
            assert pool.submit(step).result().agent == "first"
        assert pool.submit(here).result() == NOWHERE
        with obs.agent("second"):
            assert pool.submit(step).result().agent == "second"
        assert pool.submit(here).result() == NOWHERE
        assert steps(observer) == {"steps_total{agent=first}": 1, "steps_total{agent=second}": 1}


def test_an_error_in_a_pool_reaches_the_caller_and_leaves_the_thread_clean() -> None:
    def failing_step() -> None:
        with obs.step("fails"):
            fail()

    with carrying() as observer, ThreadPoolExecutor(1) as pool:
        with obs.agent("a"):
            failed = pool.submit(failing_step)
            assert repr(failed.exception()) == "LookupError('nothing found')"
        assert pool.submit(here).result() == NOWHERE
        failures = samples(observer.registry, "failures_total")
        assert failures == {"failures_total{agent=a,error_type=LookupError}": 1}


def test_an_error_in_a_thread_is_shown_as_ever() -> None:
    shown: list[str] = []

    def hook(args: threading.ExceptHookArgs) -> None:
        shown.extend(traceback.format_exception_only(args.exc_type, args.exc_value))

    before, threading.excepthook = threading.excepthook, hook
    try:
        with carrying(), obs.agent("a"):
            in_thread(fail, threading.Thread)
    finally:
        threading.excepthook = before
    assert shown == ["LookupError: nothing found\n"]


@pytest.mark.parametrize("left", ["broken off", "closed", "thrown into", "still open"])
def test_a_generator_that_is_left_in_a_pool_leaves_nothing_behind(left: str) -> None:
    @obs.agent("inner")
    def numbers() -> Generator[int, None, None]:
        with obs.step("count"):
            yield from range(3)

    kept: list[Generator[int, None, None]] = []

    def leave() -> Place:
        generator = numbers()
        for number in generator:
            if number == 1:
                break
        if left == "closed":
            generator.close()
        elif left == "thrown into":
            with pytest.raises(LookupError):
                generator.throw(LookupError())
        elif left == "still open":
            kept.append(generator)
        return here()

    with carrying(), ThreadPoolExecutor(1) as pool:
        with obs.agent("outer"):
            assert pool.submit(leave).result().scope == "outer"
        assert pool.submit(here).result() == NOWHERE


def test_a_scope_that_a_task_leaves_open_ends_with_the_task() -> None:
    def leave_open() -> None:
        obs.step("never left").__enter__()

    with carrying(), ThreadPoolExecutor(1) as pool:
        with obs.agent("a"):
            pool.submit(leave_open).result()
        assert pool.submit(here).result() == NOWHERE


def test_a_cancelled_task_of_asyncio_lets_its_thread_finish_in_its_run() -> None:
    may_go_on, seen = threading.Event(), []

    def slow() -> None:
        may_go_on.wait(30)
        seen.append(step())

    async def main(pool: ThreadPoolExecutor) -> Place:
        with obs.agent("a"):
            task = asyncio.create_task(cancelled(pool))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return here()

    async def cancelled(pool: ThreadPoolExecutor) -> None:
        with obs.step("waits"):
            await asyncio.get_running_loop().run_in_executor(pool, slow)

    with carrying() as observer, ThreadPoolExecutor(1) as pool:
        assert asyncio.run(main(pool)).scope == "a"
        may_go_on.set()
        assert pool.submit(here).result() == NOWHERE
        assert [(place.scope, place.agent) for place in seen] == [("work", "a")]
        assert steps(observer) == {"steps_total{agent=a}": 2}
        assert here() == NOWHERE


def test_to_thread_and_run_in_executor() -> None:
    async def main() -> tuple[Place, Place, Place]:
        loop = asyncio.get_running_loop()
        with obs.agent("a"):
            carried = await asyncio.to_thread(step), await loop.run_in_executor(None, step)
        return *carried, await loop.run_in_executor(None, here)

    with carrying():
        first, second, after = asyncio.run(main())
    assert (first.agent, second.agent, after) == ("a", "a", NOWHERE)


def test_a_thousand_tasks_of_many_runs_each_count_to_their_own_and_keep_their_order() -> None:
    agents = [f"agent{i}" for i in range(7)]
    chosen = random.Random(1).choices([*agents, ""], k=1_000)  # noqa: S311  # a test's dice

    def work(number: int) -> tuple[int, str]:
        if number % 13 == 0:
            raise LookupError(number)
        return number, step().agent

    with carrying() as observer, ThreadPoolExecutor(8) as pool:
        tasks: list[Future[tuple[int, str]]] = []
        for number, agent in enumerate(chosen):
            if agent:
                with obs.agent(agent):
                    tasks.append(pool.submit(work, number))
            else:
                tasks.append(pool.submit(work, number))
        wait(tasks)
        for number, task in enumerate(tasks):
            if number % 13 == 0:
                assert isinstance(task.exception(), LookupError)
            else:
                assert task.result() == (number, chosen[number])
        counted = [agent for number, agent in enumerate(chosen) if number % 13]
        assert steps(observer) == {
            f"steps_total{{agent={agent}}}": counted.count(agent) for agent in sorted({*counted})
        }
        with obs.agent("mapped"):
            results = list(pool.map(lambda number: (number, step().agent), range(200)))
        assert results == [(number, "mapped") for number in range(200)]
        assert {*pool.map(here_for, range(50))} == {NOWHERE}


def test_pools_within_pools() -> None:
    def outer(inner: ThreadPoolExecutor) -> tuple[Place, Place, Place]:
        with obs.agent("nested"):
            return here(), inner.submit(step).result(), inner.submit(outermost, inner).result()

    def outermost(pool: ThreadPoolExecutor) -> Place:
        return pool.submit(here).result()

    with carrying(), ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(3) as inner:
        with obs.agent("a"):
            here_, step_, twice = pool.submit(outer, inner).result()
        assert (step_.agent, step_.trace) == ("nested", here_.trace)
        assert twice == here_
        places = [executor.submit(here) for executor in (pool, inner) for _ in range(9)]
        assert {place.result() for place in places} == {NOWHERE}


def test_a_pool_that_is_shut_down_refuses_and_cancels_as_ever() -> None:
    started, may_go_on = threading.Event(), threading.Event()

    def slow() -> Place:
        started.set()
        may_go_on.wait(30)
        return step()

    with carrying(), obs.agent("a"):
        pool = ThreadPoolExecutor(1)
        first, second = pool.submit(slow), pool.submit(step)
        started.wait(30)
        pool.shutdown(wait=False, cancel_futures=True)
        may_go_on.set()
        assert first.result().agent == "a"
        assert second.cancelled()
        with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
            pool.submit(step)


def test_a_timer_and_a_cancelled_one() -> None:
    seen: list[Place] = []
    with carrying():
        with obs.agent("a"):
            timer = threading.Timer(0.01, lambda: seen.append(step()))
            timer.start()
            cancelled = threading.Timer(60, fail)
            cancelled.start()
        cancelled.cancel()
        timer.join()
        cancelled.join()
    assert [place.agent for place in seen] == ["a"]
    assert "run" not in cancelled.__dict__


def test_work_that_outlives_its_run_counts_to_its_agent_and_does_not_revive_the_run() -> None:
    may_go_on, seen = threading.Event(), []

    def late() -> None:
        may_go_on.wait(30)
        seen.append(step())
        with obs.agent("begun late"):
            seen.append(step())

    with carrying() as observer:
        with obs.agent("over"):
            trace = here().trace
            thread = threading.Thread(target=late)
            thread.start()
        hub = ACTIVE.hub
        assert hub is not None
        assert not hub.journeys
        may_go_on.set()
        thread.join()
        assert not hub.journeys
        assert [(place.agent, place.trace) for place in seen] == [
            ("over", trace),
            ("begun late", trace),
        ]
        assert steps(observer) == {"steps_total{agent=begun late}": 1, "steps_total{agent=over}": 1}
        ended = {name: v for name, v in samples(observer.registry, "runs_total").items() if v}
        assert ended == {
            "runs_total{agent=begun late,outcome=success}": 1,
            "runs_total{agent=over,outcome=success}": 1,
        }


@pytest.mark.parametrize(
    "call", ["apply_async", "apply", "map", "starmap", "imap", "imap_unordered"]
)
def test_a_thread_pool_of_multiprocessing(call: str) -> None:
    def run(pool: ThreadPool) -> list[Place]:
        match call:
            case "apply_async":
                return [pool.apply_async(step).get()]
            case "apply":
                return [pool.apply(step)]
            case "starmap":
                return pool.starmap(here, [()] * 5)
            case _:
                return list(getattr(pool, call)(here_for, range(5)))

    with carrying():
        with obs.agent("first"):
            pool = ThreadPool(2)  # its threads begin here
        with pool:
            with obs.agent("second"):
                assert {place.agent for place in run(pool)} == {"second"}
            assert {*pool.map(here_for, range(20))} == {NOWHERE}
        pool.join()


def test_a_thread_pool_s_functions_run_in_the_very_scope() -> None:
    with carrying(), ThreadPool(1) as pool, obs.agent("a") as run:
        assert pool.apply(CURRENT.get) is run


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_nothing_keeps_a_run_once_its_task_is_done(ends: str) -> None:
    with carrying(), ThreadPoolExecutor(1) as pool:
        task, thread, seen = _work_in_a_run(pool, step if ends == "well" else fail)
        gc.collect()
        assert seen() is None
        assert task.done()
        assert not thread.is_alive()


def _work_in_a_run(
    pool: ThreadPoolExecutor, work: Callable[[], object]
) -> tuple[Future[object], threading.Thread, weakref.ref[object]]:
    with obs.agent("a") as run:
        task = pool.submit(work)
        wait([task])
        thread = threading.Thread(target=bind(step))
        thread.start()
        thread.join()
        return task, thread, weakref.ref(run)


def test_the_error_of_a_thread_keeps_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: kept.append(args.exc_value))

    def run_and_fail() -> weakref.ref[object]:
        with obs.agent("a") as run:
            in_thread(fail, threading.Thread)
            return weakref.ref(run)

    with carrying():
        seen = run_and_fail()
        gc.collect()
        assert seen() is None
    assert [repr(error) for error in kept] == ["LookupError('nothing found')"]


def test_bind_carries_by_hand() -> None:
    with observing(STEPS) as observer, ThreadPoolExecutor(1) as pool:
        with obs.agent("a"):
            bound = bind(step)
        assert (bound.__name__, bound.__wrapped__) == ("step", step)  # type: ignore[attr-defined]
        for _ in range(2):  # the run has ended by now
            assert pool.submit(bound).result().agent == "a"
            assert pool.submit(here).result() == NOWHERE
        with obs.agent("b"):
            assert bound().agent == "a"
            assert here().agent == "b"
        assert threading.Thread(target=bound).name.endswith(" (step)")
        assert steps(observer) == {"steps_total{agent=a}": 3}


def test_bind_outside_of_every_run_takes_a_function_out_of_them() -> None:
    with observing(STEPS):
        bound = bind(here)
        with obs.agent("a"):
            assert bound() == NOWHERE
            assert here().agent == "a"


def test_bind_of_a_coroutine_function() -> None:
    async def work(number: int) -> tuple[int, Place]:
        await asyncio.sleep(0)
        with obs.step("work"):
            return number, here()

    async def main() -> tuple[int, Place]:
        with obs.agent("a"):
            bound = bind(work)
        assert inspect.iscoroutinefunction(bound)
        with obs.agent("b"):
            task = asyncio.create_task(bound(3))
            _, place = await bound(4)  # in this very task
            assert (place.agent, here().agent) == ("a", "b")
            return await task

    with observing(STEPS):
        number, place = asyncio.run(main())
    assert (number, place.agent) == (3, "a")


def test_bind_is_inert_without_init_and_refuses_what_it_cannot_carry() -> None:
    assert bind(step) is step

    def numbers() -> Generator[int, None, None]:
        yield 1

    with pytest.raises(UsageError, match=r"^obs\.bind: got 3, expected a function$"):
        bind(3)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(UsageError) as caught:
        bind(numbers)
    assert str(caught.value) == (
        "obs.bind: got the generator function `test_bind_is_inert_without_init_and_refuses_what_it"
        "_cannot_carry.<locals>.numbers`, whose body runs where it is iterated; bind the function"
        " that iterates it"
    )


def test_nothing_is_current_after_all_that() -> None:
    assert CURRENT.get() is None
    assert here() == NOWHERE
