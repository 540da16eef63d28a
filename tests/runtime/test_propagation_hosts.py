"""What hosts do with threads themselves: it works as ever, before, during and after."""

from __future__ import annotations

import functools
import inspect
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import Context as Variables
from multiprocessing.dummy import Process as DummyProcess
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import attach, detach
from opentelemetry.context.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context
from propagating import carrying, in_thread, step
from propagation_work import NOWHERE, here

import autogpt_observe as obs
from autogpt_observe.runtime.propagation.patches import Switch, replace
from autogpt_observe.runtime.propagation.threads import carry_over_threads

if TYPE_CHECKING:
    from collections.abc import Callable


class Overridden(threading.Thread):
    """A thread that does all itself."""

    def __init__(self, target: Callable[[], object]) -> None:
        super().__init__()
        self.work = target

    def start(self) -> None:
        super().start()

    def run(self) -> None:
        self.work()


class WithOwnRun(threading.Thread):
    """A thread whose `run` is an attribute of the thread."""

    def __init__(self, target: Callable[[], object]) -> None:
        super().__init__()
        self.run = target  # type: ignore[assignment,method-assign]  # as some do


def wrapped_as_sentry_does(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target)
    start = thread.start

    def own_start() -> None:
        inner = getattr(thread.run, "__func__", thread.run)
        thread.run = lambda: inner(thread)  # type: ignore[method-assign,call-arg]  # as it does
        start()

    thread.start = own_start  # type: ignore[method-assign]  # as above
    return thread


@pytest.mark.parametrize("make", [Overridden, WithOwnRun, wrapped_as_sentry_does, DummyProcess])
def test_threads_of_other_kinds(make: Callable[..., threading.Thread]) -> None:
    with carrying(), obs.agent("a"):
        assert [place.agent for place in in_thread(step, make)] == ["a"]


def test_a_run_attribute_of_the_host_is_back_when_its_thread_runs() -> None:
    with carrying(), obs.agent("a"):
        thread = WithOwnRun(lambda: None)
        own = thread.__dict__["run"]
        thread.start()
        thread.join()
        assert thread.__dict__["run"] is own


def test_a_wrapper_of_run_that_is_put_on_while_the_thread_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def begin(thread: threading.Thread) -> None:  # on top of which ours will stand
        inner = getattr(thread.run, "__func__", thread.run)
        thread.run = lambda: inner(thread)  # type: ignore[method-assign,call-arg]  # as Sentry does
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", begin)
    with carrying(), obs.agent("a"):
        assert [place.agent for place in in_thread(step, threading.Thread)] == ["a"]


def test_it_lasts_as_long_as_somebody_wants_it() -> None:
    start = threading.Thread.start
    with carrying(), ExitStack() as undo:
        ours = threading.Thread.start
        carry_over_threads(undo)
        assert threading.Thread.start is ours
        undo.close()
        assert threading.Thread.start is ours
        assert threading.Thread.start is not start
    assert threading.Thread.start is start


def test_a_timer_whose_start_somebody_has_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    start, seen = threading.Thread.start, []

    def replaced(timer: threading.Timer) -> None:
        start(timer)

    monkeypatch.setattr(threading.Timer, "start", replaced, raising=False)
    with carrying():
        with obs.agent("a"):
            timer = threading.Timer(0, lambda: seen.append(step()))
            timer.start()
        timer.join()
    assert [place.agent for place in seen] == ["a"]
    assert threading.Timer.start is replaced


def test_a_method_that_is_inherited_is_so_again() -> None:
    class Base:
        def start(self) -> str:
            return "started"

    class Heir(Base):
        pass

    def make(original: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
        return lambda self: f"{original(self)}, {switch.on}"

    with ExitStack() as undo:
        replace(Heir, "start", make, undo)
        replaced = Heir.start
        assert Heir().start() == "started, True"
        assert Base().start() == "started"
    assert "start" not in Heir.__dict__
    assert replaced(Heir()) == "started, False"


class Descriptor:
    """A replacement that is called as a method is, and told its instance, as wrapt's are."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self.original = original

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self.original
        return functools.partial(self.original, instance)

    def __call__(self, *_: object) -> None:
        pytest.fail("called without its instance")


def test_over_a_replacement_that_is_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Descriptor(ThreadPoolExecutor.submit)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", theirs)
    with carrying(), ThreadPoolExecutor(1) as pool, obs.agent("a"):
        assert pool.submit(step).result().agent == "a"
    assert ThreadPoolExecutor.__dict__["submit"] is theirs


BESIDE = """
import sys, threading
sys.path.insert(0, {tests!r})
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.threads import carry_over_threads
from propagation_work import NOWHERE, here

def in_thread(make):
    seen = []
    thread = make(lambda: seen.append(here()))
    thread.start()
    thread.join()
    return seen[0]

def is_right():
    makes = [lambda work: threading.Thread(target=work), lambda work: threading.Timer(0, work)]
    with ThreadPoolExecutor(1) as pool:
        with obs.agent("a"):
            inside = {{pool.submit(here).result(), *map(in_thread, makes)}} == {{here()}}
        outside = {{pool.submit(here).result(), *map(in_thread, makes)}} == {{NOWHERE}}
    return inside and outside

obs.init(serve=False)
theirs, undo = ThreadingInstrumentor(), ExitStack()
carry_over_threads(undo)
theirs.instrument()
print("theirs on top of ours", is_right())
theirs.uninstrument()
print("theirs gone", is_right())
undo.close()
obs.shutdown()
theirs.instrument()
obs.init(serve=False)
carry_over_threads(undo)
print("ours on top of theirs", is_right())
theirs.uninstrument()
print("theirs gone", is_right())
"""


def test_beside_the_threading_instrumentation_of_opentelemetry() -> None:
    pytest.importorskip(
        "opentelemetry.instrumentation.threading",
        reason="OpenTelemetry's threading instrumentation is not there; it pins the SDK's version",
    )
    script = BESIDE.format(tests=str(Path(__file__).parent))
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "theirs on top of ours True",
        "theirs gone True",
        "ours on top of theirs True",
        "theirs gone True",
    ]


def test_a_pool_with_a_submit_of_its_own() -> None:
    class Counting(ThreadPoolExecutor):
        submitted = 0

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.submitted += 1
            assert fn is step
            return super().submit(fn, *args, **kwargs)

    with carrying(), Counting(1) as pool, obs.agent("a"):
        assert pool.submit(step).result().agent == "a"
        assert pool.submitted == 1


def test_wrong_use_fails_as_it_ever_did() -> None:
    with carrying(), obs.agent("a"):
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match=r"^threads can only be started once$"):
            thread.start()
        assert "run" not in thread.__dict__
        unready = threading.Thread.__new__(threading.Thread)
        with pytest.raises(RuntimeError, match=r"^thread.__init__\(\) not called$"):
            unready.start()
        with ThreadPoolExecutor(1) as pool:
            message = (
                r"^ThreadPoolExecutor.submit\(\) missing 1 required positional argument: 'fn'$"
            )
            with pytest.raises(TypeError, match=message):
                pool.submit()  # type: ignore[call-arg]  # the mistake
            mistaken = pool.submit(3)  # type: ignore[arg-type,var-annotated]  # as above
            assert str(mistaken.exception()) == "'int' object is not callable"


def test_a_thread_that_cannot_be_started_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    name = "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread"
    with carrying(), obs.agent("a"):
        thread = threading.Thread(target=step)
        with monkeypatch.context() as patch:
            patch.setattr(threading, name, refuse)
            with pytest.raises(RuntimeError, match=r"^can't start new thread$"):
                thread.start()
        assert "run" not in thread.__dict__


def test_a_thread_whose_context_the_host_chose_carries_nothing() -> None:
    def make(target: Callable[[], object]) -> threading.Thread:
        if sys.version_info >= (3, 14):
            return threading.Thread(target=target, context=Variables())
        thread = threading.Thread(target=target)
        thread._context = Variables()  # type: ignore[attr-defined]  # noqa: SLF001  # where 3.14 has it
        return thread

    with carrying(), obs.agent("a"):
        assert in_thread(here, make) == [NOWHERE]


def test_a_library_s_own_thread_belongs_to_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    start, begun, seen = threading.Thread.start, [], []

    def inheriting(thread: threading.Thread) -> None:  # as a Python does that hands contexts on
        begun.append(here())
        start(thread)

    def serve() -> None:
        seen.append(here())

    serve.__module__ = "opentelemetry.sdk.somewhere"
    monkeypatch.setattr(threading.Thread, "start", inheriting)
    with carrying(), obs.agent("a"):
        thread = threading.Thread(target=serve)
        thread.start()
        thread.join()
        assert here().agent == "a"
    assert seen == begun == [NOWHERE]


def test_shutdown_puts_everything_back() -> None:
    start, submit, finders = threading.Thread.start, ThreadPoolExecutor.submit, [*sys.meta_path]
    apply_async = ThreadPool.apply_async
    for _ in range(3):
        with carrying():
            assert threading.Thread.start is not start
            assert inspect.signature(ThreadPoolExecutor.submit) == inspect.signature(submit)
            assert threading.Thread.start.__name__ == "start"
            assert ThreadPool.apply_async is not apply_async
        assert threading.Thread.start is start
        assert ThreadPoolExecutor.submit is submit
        assert ThreadPool.apply_async is apply_async
        assert "submit" in ThreadPoolExecutor.__dict__
        assert sys.meta_path == finders


def test_under_somebody_else_s_replacement_it_becomes_inert() -> None:
    submit, seen = ThreadPoolExecutor.submit, []
    ids = SpanContext(7, 8, is_remote=False)
    try:
        with carrying():
            ours = ThreadPoolExecutor.submit

            def theirs(pool: ThreadPoolExecutor, fn: Any, /, *args: Any) -> Future[Any]:
                seen.append(fn)
                return ours(pool, fn, *args)

            ThreadPoolExecutor.submit = theirs  # type: ignore[method-assign,assignment]  # theirs
        assert ThreadPoolExecutor.submit is theirs
        token = attach(set_span_in_context(NonRecordingSpan(ids), Context()))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(here).result() == NOWHERE
            with carrying(), obs.agent("a"):
                assert pool.submit(step).result().agent == "a"
            assert ThreadPoolExecutor.submit is theirs
        detach(token)
        assert seen[0] is here
    finally:
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]  # as it was


def test_tasks_that_wait_while_the_observer_is_shut_down_run_all_the_same() -> None:
    may_go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with carrying(), obs.agent("a"):
            pool.submit(may_go_on.wait, 30)
            task = pool.submit(step)
        may_go_on.set()
        assert task.result().agent == "a"
        assert pool.submit(here).result() == NOWHERE


SCRIPT = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
import autogpt_observe as obs
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.propagation.threads import carry_over_threads
from contextlib import ExitStack

start = threading.Thread.start
observer, undo = obs.init(serve=False), ExitStack()
carry_over_threads(undo)
seen = []
def look():
    seen.append(CURRENT.get() and CURRENT.get().agent)
with obs.agent("parent"):
    child = os.fork()
    if not child:
        obs.init(serve=False)
        carry_over_threads(ExitStack())
        inner = threading.Thread.start.__wrapped__
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        os._exit(0 if inner is start and seen == ["parent"] else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_that_observes_replaces_nothing_twice() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")
