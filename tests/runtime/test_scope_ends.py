"""Scopes that end in odd ways: out of order, in deep recursion, after a shutdown, twice."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import opentelemetry.trace as otel
import pytest
from opentelemetry.context import get_current
from runtime_specs import RUNS, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.scopes import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = spec(steps_total=metric("counter", "step.end", "agent"))


@pytest.fixture(autouse=True)
def _left_clean() -> Iterator[None]:
    yield
    assert CURRENT.get() is None
    assert not get_current()


def test_scopes_that_end_out_of_order_leave_nothing_behind() -> None:
    with observing(RUNS) as observer:
        first, second = obs.agent("a"), obs.agent("b")
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert CURRENT.get() is second
        second.__exit__(None, None, None)
        assert CURRENT.get() is None
        assert not otel.get_current_span().get_span_context().is_valid
        with obs.agent("c"):
            assert len(samples(observer.registry, "runs_total")) == 9
        assert samples(observer.registry, "runs_active") == {
            "runs_active{agent=a}": 0,
            "runs_active{agent=b}": 0,
            "runs_active{agent=c}": 0,
        }


@obs.agent("deep")
def recurse() -> None:
    recurse()


def test_recursion_without_end_loses_no_run() -> None:
    with observing(RUNS, strict=False) as observer:
        for _ in range(3):
            with pytest.raises(RecursionError), obs.agent("outer"):
                recurse()
            assert CURRENT.get() is None
            assert not get_current()
        shown = samples(observer.registry, "runs_active")
        assert shown == {"runs_active{agent=outer}": 0, "runs_active{agent=deep}": 0}
        hub = ACTIVE.hub
        assert hub is not None
        assert (hub.journeys, len(hub.unfinished)) == ({}, 0)


def test_a_shutdown_inside_of_a_run() -> None:
    with observing(RUNS), obs.agent("a"):
        obs.shutdown()
    assert not get_current()
    with observing(RUNS) as observer:
        with obs.agent("b"):
            assert otel.get_current_span().get_span_context().is_valid
        assert samples(observer.registry, "runs_total")["runs_total{agent=b,outcome=success}"] == 1


def test_a_block_may_be_entered_again() -> None:
    run = obs.agent("a", budget=obs.Budget(steps=5))
    with observing(RUNS) as observer:
        with run:
            run.finish("cancelled")
        with obs.agent("around"), run:
            pass
        with run:
            assert run.budget == obs.Budget(steps=5)
        ended = samples(observer.registry, "runs_total")
        assert ended["runs_total{agent=a,outcome=cancelled}"] == 1
        assert ended["runs_total{agent=a,outcome=success}"] == 2


def test_a_block_that_is_entered_twice_at_once_is_refused() -> None:
    step = obs.step("s")
    told = "a block is entered that is entered already; make one for each: `with obs.step(...)`"
    with observing(STEPS, strict=False) as observer:
        with step, step:
            pass
        series = "autogpt_observe_rejected_calls_total{call=block,reason=entered twice}"
        assert samples(observer.registry, "autogpt_observe_") == {series: 1}
        assert samples(observer.registry, "steps_total") == {"steps_total{agent=}": 1}
    with observing(STEPS), step, pytest.raises(obs.UsageError) as caught:
        step.__enter__()
    step.__exit__(None, None, None)
    assert str(caught.value) == told


class InterruptingSink:
    """Interrupts at the first event of a kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def take(self, event: object, /) -> None:
        if type(event).__name__ == self.kind:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["RunStarted", "Run"])
def test_an_interrupt_in_the_middle_leaves_the_context_clean(kind: str) -> None:
    with observing(RUNS):
        hub = ACTIVE.hub
        assert hub is not None
        hub.sinks = (*hub.sinks, InterruptingSink(kind))
        with pytest.raises(KeyboardInterrupt), obs.agent("a"):
            pass
        assert CURRENT.get() is None
        assert not get_current()
        assert hub.journeys == {}


def no_class(_: object) -> type:
    raise RuntimeError("no class")


Odd = type("Odd", (Exception,), {"__class__": property(no_class)})


def test_an_exception_that_hides_its_class_stays_what_it_is() -> None:
    with observing(STEPS, strict=False) as observer:
        with pytest.raises(Odd), obs.step("s"):
            raise Odd
        assert samples(observer.registry, "steps_total") == {"steps_total{agent=}": 1}


def test_a_run_near_the_end_of_the_stack_in_a_thread() -> None:
    limit = sys.getrecursionlimit()

    def descend(depth: int) -> None:
        if depth:
            descend(depth - 1)
        else:
            with suppress(RecursionError), obs.agent("a"):
                pass

    def work() -> None:
        for depth in range(limit - 80, limit):
            with suppress(RecursionError):
                descend(depth)
        left.append((CURRENT.get(), dict(get_current())))

    left: list[object] = []
    with observing(RUNS, strict=False) as observer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert left == [(None, {})]
        with obs.agent("a"):
            pass
        assert samples(observer.registry, "runs_active") == {"runs_active{agent=a}": 0}


class Failing:
    """A tracing, and a sink, of which one method raises."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.called: list[str] = []

    def _maybe(self, method: str) -> None:
        self.called.append(method)
        if method == self.method:
            raise LookupError(method)

    def start(self, _: object, /) -> None:
        self._maybe("start")

    def fail(self, _: object, __: BaseException, /) -> None:
        self._maybe("fail")

    def end(self, _: object, __: object, ___: BaseException | None, /) -> None:
        self._maybe("end")

    def take(self, _: object, /) -> None:
        self._maybe("take")


@pytest.mark.parametrize("method", ["start", "fail", "end", "take"])
def test_what_fails_inside_stays_inside(method: str) -> None:
    failing = Failing(method)
    with observing(RUNS, strict=False) as observer:
        hub = ACTIVE.hub
        assert hub is not None
        hub.tracing = failing
        hub.sinks = (failing, *hub.sinks)
        with pytest.raises(ValueError, match="of the host"), obs.agent("a"):
            raise ValueError("of the host")
        assert failing.called.count(method) >= 1
        shown = samples(observer.registry)
        assert shown["runs_total{agent=a,outcome=error}"] == 1
        assert shown["failures_total{agent=a,error_type=ValueError}"] == 1
        assert shown["runs_active{agent=a}"] == 0
        errors = {name: n for name, n in shown.items() if "internal_errors" in name}
        assert sum(errors.values()) == failing.called.count(method)
    with observing(RUNS, strict=True):
        hub = ACTIVE.hub
        assert hub is not None
        hub.tracing = Failing(method)
        hub.sinks = (Failing(method),)
        with pytest.raises((LookupError, ValueError)), obs.agent("a"):
            raise ValueError("of the host")


def test_budget_that_is_used_up_exactly_is_not_remarkable() -> None:
    with observing(RUNS):
        with obs.agent("a", budget=obs.Budget(steps=1)) as exact, obs.step("s"):
            pass
        with obs.agent("a", budget=obs.Budget(steps=1)) as over:
            for _ in range(2):
                with obs.step("s"):
                    pass
    assert (exact.is_remarkable, over.is_remarkable) == (False, True)
