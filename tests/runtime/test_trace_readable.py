"""Our spans in the SDK's form: limits, values that don't fit, secrets, where they are from."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from trace_spans import FAILED, SECOND, context, ended, service_spec

from autogpt_observe.runtime.traces.limits import Limits, read_limits
from autogpt_observe.runtime.traces.readable import SpanReader, build_resource
from autogpt_observe.runtime.traces.spans import Library, Span, SpanEvent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

RESOURCE = Resource({"service.name": "crawler"})


def read(span: Span, **limits: int) -> ReadableSpan:
    return SpanReader(RESOURCE, Limits(**limits)).read(span)


def test_a_span_says_all_it_said() -> None:
    span = ended("fetch", trace=7, span=8, parent=context(7, 6, remote=True))
    span.kind = SpanKind.CLIENT
    span.library = Library("my.library", "1.2")
    span.attributes = {"text": "ü", "count": 3, "share": 0.5, "flag": True, "many": ("a", "b")}
    span.events = [SpanEvent("tried", 5, {"again": False}), SpanEvent("bare", 6, None)]
    span.links = [Link(context(9, 10), {"why": "cause"})]
    span.status = FAILED
    made = read(span)
    assert (made.name, made.kind, made.start_time, made.end_time) == (
        "fetch",
        SpanKind.CLIENT,
        SECOND,
        2 * SECOND,
    )
    assert made.get_span_context() is span.context
    assert made.parent is span.parent
    assert dict(made.attributes or {}) == span.attributes
    assert [(e.name, e.timestamp, dict(e.attributes or {})) for e in made.events] == [
        ("tried", 5, {"again": False}),
        ("bare", 6, {}),
    ]
    assert [(link.context.span_id, link.attributes) for link in made.links] == [
        (10, {"why": "cause"})
    ]
    assert (made.status.status_code, made.status.description) == (StatusCode.ERROR, "it broke")
    scope = made.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("my.library", "1.2")
    assert made.resource is RESOURCE
    assert (made.dropped_attributes, made.dropped_events, made.dropped_links) == (0, 0, 0)


def test_what_is_too_much_is_left_out_and_counted() -> None:
    span = ended()
    span.attributes = {"first": 1, "second": 2, "third": 3}
    span.events = [SpanEvent(f"{n}", n, {"a": 1, "b": 2}) for n in range(3)]
    span.links = [Link(context(1, n), {"a": 1, "b": 2}) for n in (1, 2, 3)]
    made = read(span, attributes=2, events=1, links=1, event_attributes=1, link_attributes=0)
    assert dict(made.attributes or {}) == {"first": 1, "second": 2}
    assert [(e.name, dict(e.attributes or {})) for e in made.events] == [("2", {"a": 1})]
    assert [(link.context.span_id, link.attributes) for link in made.links] == [(3, {})]
    assert (made.dropped_attributes, made.dropped_events, made.dropped_links) == (1, 2, 2)
    encoded = encode_spans([made]).resource_spans[0].scope_spans[0].spans[0]
    assert encoded.dropped_attributes_count == 1
    assert encoded.dropped_events_count == 2
    assert encoded.dropped_links_count == 2
    assert encoded.events[0].dropped_attributes_count == 1
    assert encoded.links[0].dropped_attributes_count == 2


@pytest.mark.parametrize(
    "value",
    [None, object(), {"a": 1}, {1, 2}, b"raw", 1j, 2**63, -(2**63) - 1, [1, "a"], [[1]], [2**63]],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_a_wrong_type_is_left_out_and_counted(value: object) -> None:
    span = ended()
    span.attributes = {"bad": value, "good": 1}  # type: ignore[dict-item]  # what hosts do
    made = read(span)
    assert dict(made.attributes or {}) == {"good": 1}
    assert made.dropped_attributes == 1


def test_half_a_surrogate_pair_costs_no_batch(caplog: pytest.LogCaptureFixture) -> None:
    span = ended("na\ud800me")
    span.attributes = {"k\ud800": "v\ud800", "list": ["\udfff"]}
    span.events = [SpanEvent("e\ud800", 1, {"a": "\ud800"})]
    span.status = Status(StatusCode.ERROR, "s\ud800")
    span.library = Library("l\ud800")
    encoded = encode_spans([read(span)]).resource_spans[0].scope_spans[0]
    assert encoded.scope.name == "l?"
    assert encoded.spans[0].name == "na?me"
    assert {a.key: str(a.value).strip() for a in encoded.spans[0].attributes} == {
        "k?": 'string_value: "v?"',
        "list": 'array_value {\n  values {\n    string_value: "?"\n  }\n}',
    }
    assert encoded.spans[0].events[0].name == "e?"
    assert encoded.spans[0].status.message == "s?"
    assert not caplog.messages


TEXTS = st.text(st.characters(), max_size=20)
VALUES = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.none()
    | st.binary(max_size=3)
    | st.lists(TEXTS | st.integers(), max_size=4)
    | st.dictionaries(TEXTS, st.integers(), max_size=2)
)


@given(
    attributes=st.dictionaries(TEXTS, VALUES, max_size=8),
    most=st.integers(0, 8),
    length=st.integers(0, 20),
)
def test_whatever_the_attributes_are_the_rest_is_within_the_limits_and_encodes(
    attributes: dict[str, object], most: int, length: int
) -> None:
    span = ended()
    span.attributes = attributes  # type: ignore[assignment]  # what hosts do
    made = read(span, attributes=most, length=length)
    kept = dict(made.attributes or {})
    assert len(kept) <= most
    assert len(kept) + made.dropped_attributes == len(attributes)
    for value in kept.values():
        texts = value if isinstance(value, tuple) else (value,)
        assert all(len(text) <= length for text in texts if isinstance(text, str))
    encoded = encode_spans([made])
    encoded.SerializeToString()
    assert len(encoded.resource_spans[0].scope_spans[0].spans[0].attributes) == len(kept)


def test_secrets_are_taken_out_before_a_value_is_cut() -> None:
    seen: list[tuple[str, object]] = []

    def redact(key: str, value: object) -> object:
        seen.append((key, value))
        if key == "number":
            return {"not": "a value"}
        return value.replace("hunter2", "***") if isinstance(value, str) else value

    span = ended()
    span.attributes = {"password": "it is hunter2", "number": 5}
    span.events = [SpanEvent("e", 1, {"event": "hunter2"})]
    span.links = [Link(context(1, 1), {"link": "hunter2"})]
    span.status = Status(StatusCode.ERROR, "no hunter2 here")
    made = SpanReader(RESOURCE, Limits(length=10), redact=redact).read(span)
    assert dict(made.attributes or {}) == {"password": "it is ***"}
    assert made.dropped_attributes == 1
    assert dict(made.events[0].attributes or {}) == {"event": "***"}
    assert dict(made.links[0].attributes or {}) == {"link": "***"}
    assert made.status.description == "no *** her"
    assert seen == [
        ("span.name", "service.name"),
        ("service.name", "crawler"),
        ("password", "it is hunter2"),
        ("span.name", "password"),
        ("number", 5),
        ("event", "hunter2"),
        ("span.name", "event"),
        ("span.name", "e"),
        ("link", "hunter2"),
        ("span.name", "link"),
        ("span.name", "work"),
        ("status.description", "no hunter2 here"),
        ("span.name", "autogpt_observe"),
    ]


def test_secrets_in_the_names_of_attributes_and_libraries_are_taken_out() -> None:
    def redact(_: str, value: object) -> object:
        return value.replace("hunter2", "***") if isinstance(value, str) else value

    span = ended()
    span.attributes = {"for hunter2": 1, "plain": 2}
    span.events = [SpanEvent("e", 1, {"event hunter2": 3})]
    span.links = [Link(context(1, 1), {"link hunter2": 4})]
    span.library = Library("lib hunter2", "v hunter2")
    resource = Resource({"host.name": "hunter2", "hunter2": "yes", "n": 5}, "https://schema")
    made = SpanReader(resource, Limits(), redact=redact).read(span)
    assert dict(made.attributes or {}) == {"for ***": 1, "plain": 2}
    assert dict(made.events[0].attributes or {}) == {"event ***": 3}
    assert dict(made.links[0].attributes or {}) == {"link ***": 4}
    scope = made.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("lib ***", "v ***")
    assert dict(made.resource.attributes) == {"host.name": "***", "***": "yes", "n": 5}
    assert made.resource.schema_url == "https://schema"


class Text(str):  # noqa: SLOT000  # so that it can be referred to weakly
    """A text whose end can be seen."""


def test_names_without_end_are_not_kept() -> None:
    reader = SpanReader(RESOURCE, Limits())
    seen = []
    for number in range(6_000):
        name = Text(f"goal {number}")
        seen.append(weakref.ref(name))
        reader.read(ended(name))
    kept = sum(name() is not None for name in seen)
    assert 0 < kept <= 2_000


def test_the_limits_of_the_variables(caplog: pytest.LogCaptureFixture) -> None:
    variables = {
        "OTEL_ATTRIBUTE_COUNT_LIMIT": "10",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "0",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "100",
        "OTEL_SPAN_EVENT_COUNT_LIMIT": "-1",
        "OTEL_SPAN_LINK_COUNT_LIMIT": "",
    }
    with caplog.at_level(logging.WARNING, "autogpt_observe"):
        assert read_limits(variables) == Limits(
            attributes=10, event_attributes=10, link_attributes=0, length=100
        )
    assert caplog.messages == [
        "OTEL_SPAN_EVENT_COUNT_LIMIT: got '-1', expected a whole number; it is 128"
    ]


def test_where_spans_are_from(monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_spec().service
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.delenv("OTEL_RESOURCE_ATTRIBUTES", raising=False)
    found = build_resource(service).attributes
    assert found["service.name"] == "crawler"
    assert found["service.owner"] == "agents-team"
    assert found["deployment.environment.name"] == "staging"
    assert found["telemetry.sdk.language"] == "python"
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "service.name=x,deployment.environment.name=eu%20west,pod=p-1"
    )
    monkeypatch.setenv("OTEL_SERVICE_NAME", "renamed")
    found = build_resource(service).attributes
    assert found["service.name"] == "renamed"
    assert found["service.owner"] == "agents-team"
    assert found["deployment.environment.name"] == "eu west"
    assert found["pod"] == "p-1"
