"""Spans while they are open: what they hold, and what the host's contexts and spans get of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import opentelemetry.trace as otel
import pytest
from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from runtime_specs import RUNS, observing
from trace_spans import context, ended

import autogpt_observe as obs
from autogpt_observe.runtime.traces.context import span_in, with_span
from autogpt_observe.runtime.traces.conventions.describe import SharedValues
from autogpt_observe.runtime.traces.limits import Limits
from autogpt_observe.runtime.traces.provider import Nothing, Provider
from autogpt_observe.runtime.traces.readable import SpanReader
from autogpt_observe.runtime.traces.spans import MOST_HELD, SAMPLED, UNSAMPLED, Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

MORE = MOST_HELD + 300


def opened() -> Span:
    span = ended()
    span.ended = 0
    return span


def read(span: Span) -> ReadableSpan:
    return SpanReader(Resource({}), Limits()).read(span)


def test_of_too_many_events_the_last_are_held_and_the_others_counted() -> None:
    span = opened()
    for number in range(MORE):
        span.add_event(f"{number}")
    assert span.events is not None
    assert len(span.events) == MOST_HELD
    made = read(span)
    assert [event.name for event in made.events] == [f"{n}" for n in range(MORE - 128, MORE)]
    assert made.dropped_events == MORE - 128


def test_of_too_many_links_the_last_are_held_and_the_others_counted() -> None:
    span = opened()
    for number in range(1, MORE + 1):
        span.add_link(context(1, number))
    assert span.links is not None
    assert len(span.links) == MOST_HELD
    made = read(span)
    assert [link.context.span_id for link in made.links] == [*range(MORE - 127, MORE + 1)]
    assert made.dropped_links == MORE - 128


def test_of_too_many_attributes_the_first_are_held_and_the_others_counted() -> None:
    span = opened()
    for number in range(MORE):
        span.set_attribute(f"{number}", number)
    span.set_attributes({"0": -1, "late": 1})
    assert span.attributes is not None
    assert len(span.attributes) == MOST_HELD
    made = read(span)
    assert dict(made.attributes or {}) == {"0": -1} | {f"{n}": n for n in range(1, 128)}
    assert made.dropped_attributes == MORE + 1 - 128


def test_a_span_that_has_ended_changes_no_more() -> None:
    span = opened()
    span.set_attribute("n", 1)
    span.end()
    span.set_attribute("n", 2)
    span.add_event("late")
    span.add_link(context(1, 1))
    assert (span.attributes, span.events, span.links) == ({"n": 1}, None, None)


@pytest.mark.parametrize("own_before", [False, True])
def test_attributes_that_are_shared_do_not_change(*, own_before: bool) -> None:
    span = opened()
    if own_before:
        span.set_attribute("first", 0)
    shared = SharedValues({"step": "s"})
    span.attributes = shared
    span.set_attribute("more", 1)
    span.set_attribute("more", 2)
    assert shared == {"step": "s"}
    assert span.attributes == {"step": "s", "more": 2}


@pytest.mark.parametrize("sampled", [True, False])
def test_a_child_of_a_local_span_is_decided_as_its_trace_was(*, sampled: bool) -> None:
    decided: list[int] = []

    def decide(trace_id: int, _: SpanContext | None) -> bool:
        decided.append(trace_id)
        return sampled if len(decided) == 1 else not sampled

    provider = Provider(decide, Nothing())
    root = provider.start("root", SpanKind.INTERNAL, None, {})
    child = provider.start("child", SpanKind.INTERNAL, {"n": 1}, with_span(root, Context()))
    assert decided == [root.context.trace_id]
    assert child.context.trace_id == root.context.trace_id
    assert child.parent is root.context
    assert child.context.trace_flags is (SAMPLED if sampled else UNSAMPLED)
    assert child.is_recording() is sampled
    assert child.attributes == ({"n": 1} if sampled else None)


def test_what_else_stands_in_a_context_stays() -> None:
    first, second = opened(), opened()
    around = with_span(first, set_baggage("user", "u-1", Context()))
    inside = with_span(second, around)
    assert (span_in(around), span_in(inside)) == (first, second)
    assert get_baggage("user", around) == get_baggage("user", inside) == "u-1"


def test_what_a_span_of_the_host_is_told_at_its_end_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = InMemorySpanExporter()
    host = TracerProvider()
    host.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(otel, "get_tracer_provider", lambda: host)
    with observing(RUNS), obs.llm("gpt", provider="openai") as call:
        call.responded(model="gpt for sk-proj-" + "a1B2c3D4" * 8)
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["gen_ai.response.model"] == "gpt for [redacted:openai-api-key]"
