"""The queue and its thread: what is sent when, what is dropped, and that nobody waits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_value
from trace_spans import ended, names

from autogpt_observe.runtime.traces.pipeline import THREAD_NAME, Pipeline
from autogpt_observe.runtime.traces.tail import TailSampler
from autogpt_observe.runtime.traces.variables import Pace, read_pace
from autogpt_observe.spec.model import Tail
from autogpt_observe.units import Ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autogpt_observe.runtime.traces.spans import Span

NEVER = 3600.0


class Sent:
    """An outlet that keeps what it is sent, once its gate is open."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()
        self.arrives = True
        self.raises: BaseException | None = None
        self.suppressed: set[object] = set()
        self.said: list[str] = []

    def send(self, spans: Sequence[Span], /) -> bool:
        self.began.set()
        assert self.gate.wait(30)
        self.suppressed.add(get_value(_SUPPRESS_INSTRUMENTATION_KEY))
        if self.raises is not None:
            raise self.raises
        self.batches.append(names(list(spans)))
        return self.arrives

    def hurry(self, seconds: float, /) -> None:
        self.said.append(f"hurry {seconds}")

    def close(self) -> None:
        self.said.append("close")

    def renew(self) -> None:
        self.said.append("renew")


class Line:
    """A pipeline into `Sent`."""

    def __init__(self, *, queue: int = 8, batch: int = 4, delay: float = NEVER) -> None:
        self.sent = Sent()
        self.lost: Counter[str] = Counter()
        self.errors: list[tuple[str, str]] = []
        self.pipeline = Pipeline(
            self.sent,
            pace=Pace(queue=queue, batch=batch, delay=delay),
            on_drop=lambda reason, count: self.lost.update({reason: count}),
            on_error=lambda place, error: self.errors.append((place, repr(error))),
        )

    def offer(self, *spans: str) -> None:
        for name in spans:
            self.pipeline.offer(ended(name))


@pytest.fixture
def make() -> Iterator[Callable[..., Line]]:
    made: list[Line] = []

    def make(**options: float) -> Line:
        made.append(Line(**options))  # type: ignore[arg-type]  # whole numbers, but for the delay
        return made[-1]

    yield make
    for line in made:
        line.sent.gate.set()
        line.pipeline.shutdown(timeout=10)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.005)
    pytest.fail("it never came to that")


def threads() -> int:
    return sum(thread.name == THREAD_NAME for thread in threading.enumerate())


def test_no_thread_runs_before_the_first_span(make: Callable[..., Line]) -> None:
    line = make()
    assert threads() == 0
    line.offer("a")
    assert threads() == 1
    assert line.pipeline.shutdown()
    assert threads() == 0
    assert line.sent.batches == [["a"]]
    assert line.sent.said == ["hurry 1.2", "close"]


def test_a_full_batch_is_sent_at_once_and_the_rest_waits(make: Callable[..., Line]) -> None:
    line = make()
    line.offer("a", "b", "c", "d", "e")
    until(lambda: bool(line.sent.batches))
    assert [name for batch in line.sent.batches for name in batch] == ["a", "b", "c", "d"]
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b", "c", "d"], ["e"]]


def test_a_batch_of_one_is_sent_at_once(make: Callable[..., Line]) -> None:
    line = make(batch=1)
    line.offer("a")
    until(lambda: line.sent.batches == [["a"]])


def test_what_is_no_full_batch_is_sent_after_the_delay(make: Callable[..., Line]) -> None:
    line = make(delay=0.01)
    line.offer("a")
    until(lambda: line.sent.batches == [["a"]])
    line.offer("b")
    until(lambda: line.sent.batches == [["a"], ["b"]])


def test_a_full_queue_drops_what_comes_and_counts_it(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.gate.clear()
    line.offer("a", "b", "c", "d")
    assert line.sent.began.wait(10)
    line.offer(*(f"{n}" for n in range(20)))
    line.sent.gate.set()
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b", "c", "d"], ["0", "1", "2", "3"], ["4", "5", "6", "7"]]
    assert line.lost == {"queue_full": 12}
    line.offer("later")
    assert line.pipeline.flush(10)
    assert line.lost == {"queue_full": 12}


def test_no_span_is_lost_or_sent_twice_by_many_threads(make: Callable[..., Line]) -> None:
    line = make(queue=100_000, batch=64)
    per_thread = 3000

    def work(number: int) -> None:
        line.offer(*(f"{number}.{n}" for n in range(per_thread)))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert line.pipeline.flush(30)
    sent = Counter(name for batch in line.sent.batches for name in batch)
    assert len(sent) == 6 * per_thread
    assert set(sent.values()) == {1}
    assert not line.lost


def test_flush_waits_for_no_more_than_it_may(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.gate.clear()
    line.offer("a")
    assert not line.pipeline.flush(0.05)
    line.sent.gate.set()
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a"]]


def test_flush_tells_that_a_batch_did_not_arrive(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.arrives = False
    line.offer("a")
    assert not line.pipeline.flush(10)
    line.sent.arrives = True
    assert line.pipeline.flush(10)
    line.sent.arrives = False
    line.offer("b")
    assert not line.pipeline.shutdown(10)


def test_a_shutdown_leaves_what_does_not_arrive_in_time(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.gate.clear()
    line.offer("a", "b", "c", "d", "e")
    assert line.sent.began.wait(10)
    assert not line.pipeline.shutdown(0.05)
    assert line.lost == {"shutdown": 5}
    line.offer("late")
    assert line.lost == {"shutdown": 6}
    assert not line.pipeline.flush(0.05)
    line.sent.gate.set()
    until(lambda: threads() == 0)
    assert line.sent.batches == [["a", "b", "c", "d"]]


def test_a_second_shutdown_does_nothing(make: Callable[..., Line]) -> None:
    line = make()
    assert line.pipeline.shutdown()
    assert not line.pipeline.shutdown()
    assert line.sent.said == ["hurry 1.2", "close"]


def test_an_error_costs_its_batch_and_no_more(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.raises = ValueError("broken")
    line.offer("a")
    assert not line.pipeline.flush(10)
    assert line.errors == [("traces", "ValueError('broken')")]
    line.sent.raises = None
    line.offer("b")
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["b"]]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exporter_that_ends_its_thread_ends_no_more(make: Callable[..., Line]) -> None:
    line = make()
    line.offer("a")
    assert line.pipeline.flush(10)
    line.sent.raises = SystemExit()
    line.offer("b")
    assert not line.pipeline.flush(0.2)
    until(lambda: threads() == 0)
    line.sent.raises = None
    line.offer("c")
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a"], ["c"]]


def test_exports_are_not_instrumented(make: Callable[..., Line]) -> None:
    line = make()
    line.offer("a")
    assert line.pipeline.flush(10)
    assert line.sent.suppressed == {True}
    assert get_value(_SUPPRESS_INSTRUMENTATION_KEY) is None


def test_a_span_that_a_finalizer_ends_is_taken_wherever_it_strikes(
    make: Callable[..., Line],
) -> None:
    line = make(batch=2, queue=1_000_000)
    made = 0

    class Scope:
        """A scope in a cycle, so that the garbage collector ends it."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            nonlocal made
            made += 1
            line.pipeline.offer(ended("collected"))

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(2000):
            Scope()
            line.pipeline.offer(ended("plain"))
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert line.pipeline.flush(30)
    sent = Counter(name for batch in line.sent.batches for name in batch)
    assert sent == {"plain": 2000, "collected": made}
    assert made == 2000


def test_a_forked_child_sends_its_own_spans_only(make: Callable[..., Line]) -> None:
    line = make()
    line.sent.gate.clear()
    line.offer("a", "b", "c", "d", "parent")
    assert line.sent.began.wait(10)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            line.sent.gate = threading.Event()
            line.sent.gate.set()
            line.pipeline.renew_locks()
            assert threads() == 0
            line.offer("child")
            assert line.pipeline.flush(10)
            assert line.sent.batches == [["child"]], line.sent.batches
            assert set(line.sent.said) == {"renew"}, line.sent.said
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    line.sent.gate.set()
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b", "c", "d"], ["parent"]]


def test_where_no_thread_can_be_started_the_caller_sends(
    make: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    line = make()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        line.offer("a", "b")
        assert line.pipeline.flush(10)
        assert line.sent.batches == [["a", "b"]]
    line.offer("c")
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b"], ["c"]]


class Interrupted(BaseException):
    """What a signal handler raises."""


@pytest.mark.parametrize("broken", ["__init__", "start"])
@pytest.mark.parametrize("error", [RecursionError(), Interrupted()], ids=repr)
def test_a_start_that_is_interrupted_is_tried_again(
    make: Callable[..., Line], monkeypatch: pytest.MonkeyPatch, broken: str, error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    line = make()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, broken, fail)
        with suppress(Interrupted):
            line.offer("a")
    assert threads() == 0
    line.offer("b")
    assert threads() == 1
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b"]]


def test_a_start_that_is_interrupted_late_starts_no_second_thread(
    make: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise Interrupted

    line = make()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(Interrupted):
            line.offer("a")
    line.offer("b")
    assert threads() == 1
    assert line.pipeline.flush(10)
    assert line.sent.batches == [["a", "b"]]


def test_a_forked_child_holds_no_span_of_its_parent() -> None:
    tail = TailSampler(Tail(sample=Ratio.parse("0%")), on_drop=lambda *_: None)
    sent = Sent()
    pipeline = Pipeline(
        sent,
        pace=Pace(delay=NEVER),
        on_drop=lambda *_: None,
        on_error=lambda *_: None,
        sieve=tail,
    )
    pipeline.offer(ended("held", parent=9))
    assert pipeline.flush(10)
    assert tail.held == 1
    pipeline.renew_locks()
    assert tail.held == 0
    pipeline.shutdown()


AT_THE_END = """
    import atexit, sys, threading
    sys.path.insert(0, {folder!r})
    from test_trace_pipeline import Line
    from trace_spans import ended

    line = Line()
    # Registered first, so it runs last: Python starts no threads any more.
    atexit.register(lambda: print(line.sent.batches, dict(line.lost)))
    atexit.register(lambda: line.pipeline.shutdown())
    atexit.register(lambda: line.offer("at exit"))
    {before}
"""


@pytest.mark.parametrize("before", ["pass", 'line.offer("before")'])
def test_a_span_that_ends_while_python_ends_is_sent(before: str) -> None:
    folder = os.path.dirname(__file__)  # noqa: PTH120  # a text to put into the program
    program = textwrap.dedent(AT_THE_END).format(folder=folder, before=before)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    expected = ["before", "at exit"] if before != "pass" else ["at exit"]
    assert (done.stdout, done.stderr) == (f"{[expected]} {{}}\n", "")


@pytest.mark.parametrize(
    ("variables", "pace", "said"),
    [
        ({}, Pace(queue=2048, batch=512, delay=5.0, timeout=30.0), []),
        (
            {
                "OTEL_BSP_MAX_QUEUE_SIZE": "100",
                "OTEL_BSP_SCHEDULE_DELAY": " 250 ",
                "OTEL_BSP_EXPORT_TIMEOUT": "1500",
            },
            Pace(queue=100, batch=100, delay=0.25, timeout=1.5),
            [],
        ),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "20"},
            Pace(queue=10, batch=10),
            ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE: a batch of 20 is larger than the queue, 10"],
        ),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "0", "OTEL_BSP_SCHEDULE_DELAY": "5s"},
            Pace(),
            [
                "OTEL_BSP_MAX_QUEUE_SIZE: got 0, expected at least 1; it is 2048",
                "OTEL_BSP_SCHEDULE_DELAY: got '5s', expected a whole number; it is 5000",
            ],
        ),
        (
            {"OTEL_BSP_EXPORT_TIMEOUT": "9" * 10},
            Pace(),
            [
                "OTEL_BSP_EXPORT_TIMEOUT: got '9999999999', expected a whole number; it is 30000",
            ],
        ),
    ],
)
def test_the_pace_of_the_variables(
    variables: dict[str, str], pace: Pace, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert read_pace(variables) == pace
    assert caplog.messages == said
