"""Spans as text: any forest can be read back from it."""

from __future__ import annotations

from typing import NamedTuple

import opentelemetry.trace as otel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from autogpt_observe.testing.clock import FakeClock
from autogpt_observe.testing.ids import CountingIds
from autogpt_observe.testing.recording import RecordingProvider
from autogpt_observe.testing.spans import ObservedSpan, Reading
from autogpt_observe.testing.tree import ELSEWHERE, INDENT, OPEN, format_tree, one_line


class Grown(NamedTuple):
    """A span: its name, and the place of its parent among those before it; none for a root."""

    name: str
    parent: int | None


@st.composite
def forests(draw: st.DrawFn) -> list[Grown]:
    names = st.text(max_size=12) | st.sampled_from(["step plan", " ", "\n", "a  b", OPEN])
    grown: list[Grown] = []
    for number in range(draw(st.integers(0, 12))):
        parents = st.none() | st.integers(0, number - 1) if number else st.none()
        grown.append(Grown(draw(names), draw(parents)))
    return grown


def observed(forest: list[Grown]) -> list[ObservedSpan]:
    """The forest as spans of the kit's own provider."""
    provider = RecordingProvider(FakeClock(), CountingIds())
    for each in forest:
        parent = None if each.parent is None else provider.begun[each.parent]
        context = {} if parent is None else otel.set_span_in_context(parent)
        provider.start(each.name, SpanKind.INTERNAL, None, context)
    for span in provider.begun:
        span.end()
    return Reading(redact=lambda _, value: value, environ={}).read(provider.begun)


@given(forests())
def test_a_tree_tells_names_and_parents(forest: list[Grown]) -> None:
    spans = observed(forest)
    text = format_tree(spans)
    lines = text.split("\n") if text else []
    assert len(lines) == len(forest)
    read: list[tuple[str, str | None]] = []
    around: list[str] = []
    for line in lines:
        name = line.lstrip(" ")
        depth, odd = divmod(len(line) - len(name), len(INDENT))
        assert not odd
        del around[depth:]
        read.append((name, around[-1] if around else None))
        around.append(name)
    names = [one_line(span.name) or "(no name)" for span in spans]
    expected = [
        (names[place], None if each.parent is None else names[each.parent])
        for place, each in enumerate(forest)
    ]
    assert sorted(read, key=repr) == sorted(expected, key=repr)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert shown == shown.strip(" ")
    assert bool(shown) == bool(text)


def test_a_deep_tree() -> None:
    spans = observed([Grown("s", place - 1 if place else None) for place in range(3000)])
    assert format_tree(spans).split("\n")[-1] == INDENT * 2999 + "s"


def test_what_a_line_says() -> None:
    provider = RecordingProvider(FakeClock(), CountingIds())
    remote = otel.NonRecordingSpan(SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1)))
    span = provider.start(
        "a\nb", SpanKind.INTERNAL, {"n": 1, "t": " x"}, otel.set_span_in_context(remote)
    )
    span.set_status(otel.StatusCode.ERROR)
    other = provider.start("", SpanKind.SERVER, None, {})
    other.set_status(otel.StatusCode.ERROR, "two\nlines")
    other.end()
    spans = Reading(redact=lambda _, value: value, environ={}).read(provider.begun)
    assert format_tree(spans, ("t", "n", "gone")) == (
        f"a\\nb  t=\\x20x  n=1  error  {OPEN}  {ELSEWHERE}\n(no name)  error: two\\nlines"
    )


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("  a  ", "\\x20\\x20a\\x20\\x20"), ("  ", "\\x20\\x20")]
)
def test_spaces_at_the_edges_are_seen(text: str, shown: str) -> None:
    assert one_line(text) == shown
