"""Threads that carry the context, spans of the host, and what other processes send: for tests."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from propagation_work import Place, here
from runtime_specs import metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.propagation.threads import carry_over_threads

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

STEPS = spec(
    steps_total=metric("counter", "step.end", "agent"),
    runs_total=metric("counter", "run.end", "agent", "outcome"),
    failures_total=metric("counter", "failure", "agent", "error_type"),
)
NO_METRICS = spec()
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
REMOTE = Place("", "", TRACE, SPAN)


@contextmanager
def carrying() -> Iterator[obs.Observer]:
    """An observer whose threads carry the context."""
    with observing(STEPS) as observer, ExitStack() as undo:
        carry_over_threads(undo)
        yield observer


def step() -> Place:
    with obs.step("work"):
        return here()


def steps(observer: obs.Observer) -> dict[str, float]:
    return {name: v for name, v in samples(observer.registry, "steps_total").items() if v}


def in_thread(function: Callable[[], object], make: Callable[..., threading.Thread]) -> list[Any]:
    """What ``function`` returned in a thread that ``make`` made of it."""
    seen: list[object] = []
    thread = make(target=lambda: seen.append(function()))
    thread.start()
    thread.join()
    return seen


@contextmanager
def current(trace: int, span: int, *, state: str = "", remote: bool = False) -> Iterator[None]:
    """A span of the host's is the current one."""
    ids = SpanContext(trace, span, remote, TraceFlags(1), TraceState.from_header([state]))
    token = attach(set_span_in_context(NonRecordingSpan(ids)))
    try:
        yield
    finally:
        detach(token)
