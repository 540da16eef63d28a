"""Head sampling: the same traces as OpenTelemetry's own samplers choose."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext
from trace_spans import context

from autogpt_observe.runtime.traces.sampling import read_head
from autogpt_observe.spec.model import Traces
from autogpt_observe.units import Ratio

if TYPE_CHECKING:
    from decimal import Decimal

IDS = st.integers(1, 2**128 - 1)
PARENTS = st.none() | st.builds(
    context, IDS, st.integers(1, 2**64 - 1), remote=st.booleans(), sampled=st.booleans()
)


def theirs(sampler: Sampler, trace_id: int, parent: SpanContext | None) -> bool:
    around = trace.set_span_in_context(
        NonRecordingSpan(parent if parent is not None else trace.INVALID_SPAN_CONTEXT)
    )
    return sampler.should_sample(around, trace_id, "s").decision is Decision.RECORD_AND_SAMPLE


def sampler_called(name: str, share: float) -> Sampler:
    roots = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}
    root = roots.get(name.removeprefix("parentbased_"), TraceIdRatioBased(share))
    return ParentBased(root) if name.startswith("parentbased_") else root


@given(
    name=st.sampled_from(
        [p + r for p in ("", "parentbased_") for r in ("always_on", "always_off", "traceidratio")]
    ),
    share=st.floats(0, 1),
    trace_id=IDS,
    parent=PARENTS,
)
def test_it_decides_as_the_sdk_does(
    name: str, share: float, trace_id: int, parent: SpanContext | None
) -> None:
    variables = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": repr(share)}
    head = read_head(None, variables)
    assert head.decide(trace_id, parent) is theirs(sampler_called(name, share), trace_id, parent)


@given(share=st.decimals(0, 1, places=4), trace_id=IDS, parent=PARENTS)
def test_a_share_of_the_spec_is_one_of_new_traces(
    share: Decimal, trace_id: int, parent: SpanContext | None
) -> None:
    head = read_head(Traces(sample=Ratio(share)), {})
    expected = theirs(ParentBased(TraceIdRatioBased(float(share))), trace_id, parent)
    assert head.decide(trace_id, parent) is expected


@pytest.mark.parametrize(
    ("share", "low", "sampled"),
    [
        ("10%", (2**64) // 10, True),
        ("10%", (2**64) // 10 + 1000, False),
        ("0%", 0, False),
        ("100%", 2**64 - 1, True),
    ],
)
def test_the_edges_of_a_share(share: str, low: int, sampled: bool) -> None:  # noqa: FBT001
    head = read_head(Traces(sample=Ratio.parse(share)), {})
    assert head.decide((1 << 64) | low, None) is sampled


@pytest.mark.parametrize(
    ("variables", "name", "said"),
    [
        ({}, "parentbased_traceidratio{0.25}", []),
        ({"OTEL_TRACES_SAMPLER": " ALWAYS_OFF "}, "always_off", []),
        ({"OTEL_TRACES_SAMPLER_ARG": "0.5"}, "parentbased_traceidratio{0.25}", []),
        (
            {"OTEL_TRACES_SAMPLER": "xray"},
            "parentbased_traceidratio{0.25}",
            [
                (
                    "OTEL_TRACES_SAMPLER: got 'xray', expected one of always_on, always_off,"
                    " traceidratio, parentbased_always_on, parentbased_always_off,"
                    " parentbased_traceidratio"
                )
            ],
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "10%"},
            "traceidratio{1}",
            ["OTEL_TRACES_SAMPLER_ARG: got '10%', expected a share from 0 to 1; it is 1"],
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.5"},
            "traceidratio{1}",
            ["OTEL_TRACES_SAMPLER_ARG: got '1.5', expected a share from 0 to 1; it is 1"],
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "nan"},
            "traceidratio{1}",
            ["OTEL_TRACES_SAMPLER_ARG: got 'nan', expected a share from 0 to 1; it is 1"],
        ),
    ],
)
def test_the_variable_wins_over_the_spec_and_a_bad_one_is_no_error(
    variables: dict[str, str], name: str, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "autogpt_observe"):
        head = read_head(Traces(sample=Ratio.parse("25%")), variables)
    assert head.name == name
    assert caplog.messages == said


def test_without_a_word_every_new_trace_is_recorded() -> None:
    assert read_head(None, {}).name == "parentbased_always_on"
