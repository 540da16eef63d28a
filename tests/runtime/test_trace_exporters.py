"""Which exporters the variables ask for, and what is said where they can't be had."""

from __future__ import annotations

import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.re import parse_env_headers

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.traces.exporters import Endpoint, Exporters, choose_exporters

HERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/"}
SECRET = "hunter" + "2" * 8


def chosen(variables: dict[str, str]) -> list[str]:
    found = choose_exporters(variables, timeout=30.0)
    choices = () if found is None else found.chosen
    return [each.url if isinstance(each, Endpoint) else str(each) for each in choices]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, []),
        (HERE, ["http://127.0.0.1:4318/v1/traces"]),
        ({**HERE, "OTEL_TRACES_EXPORTER": "none"}, []),
        ({**HERE, "OTEL_TRACES_EXPORTER": "console"}, ["console"]),
        (
            {"OTEL_TRACES_EXPORTER": " console, OTLP,console"},
            ["console", "http://localhost:4318/v1/traces"],
        ),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://here/traces"},
            ["https://here/traces"],
        ),
        ({**HERE, "OTEL_TRACES_EXPORTER": "otlp_proto_http"}, ["http://127.0.0.1:4318/v1/traces"]),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            ["http://127.0.0.1:4318/v1/traces"],
        ),
        (
            {
                **HERE,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            ["http://127.0.0.1:4318/v1/traces"],
        ),
    ],
)
def test_what_the_variables_ask_for(variables: dict[str, str], expected: list[str]) -> None:
    assert chosen(variables) == expected


GRPC = (
    "spans are sent over HTTP; collectors take them on port 4318, so set {0} and"
    " OTEL_EXPORTER_OTLP_ENDPOINT=http://<collector>:4318"
)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "jaeger"},
            (
                "OTEL_TRACES_EXPORTER: got 'jaeger', expected `otlp`, `console`, `none` or several"
                " of the first two"
            ),
        ),
        (
            {"OTEL_TRACES_EXPORTER": "none,otlp"},
            "OTEL_TRACES_EXPORTER: `none` can't be combined with others; leave it out",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"},
            "OTEL_TRACES_EXPORTER: got `otlp_proto_grpc`, expected `otlp`: "
            + GRPC.format("OTEL_TRACES_EXPORTER=otlp"),
        ),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: got `grpc`, expected `http/protobuf`: "
            + GRPC.format("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        ),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: got 'http/json', expected `http/protobuf`",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": f"user:{SECRET}@collector:4318"},
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT: expected an http or https address such as"
                " `http://localhost:4318`"
            ),
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:99999"},
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: expected an http or https address such as"
                " `http://localhost:4318`"
            ),
        ),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_HEADERS": f"a=b,authorization={SECRET};"},
            (
                "OTEL_EXPORTER_OTLP_HEADERS: header 2 can't be read, expected `name=value`,"
                " the value percent-encoded where it holds other signs than letters and digits"
            ),
        ),
        (
            {**HERE, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization={SECRET}%0A"},
            (
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS: header 1 can't be read, expected `name=value`,"
                " the value percent-encoded where it holds other signs than letters and digits"
            ),
        ),
    ],
)
def test_what_can_not_be_had_is_refused_without_a_secret(
    variables: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$") as refused:
        chosen(variables)
    assert SECRET not in str(refused.value)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("opentelemetry.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    with pytest.raises(UsageError) as refused:
        chosen(HERE)
    assert str(refused.value) == (
        "traces go to an OTLP endpoint, but its exporter is not installed; run"
        " `pip install 'autogpt-observe[otlp]'`, or set OTEL_TRACES_EXPORTER=none"
    )


def test_an_exporter_that_is_passed_stands_for_itself() -> None:
    exporter = InMemorySpanExporter()
    found = choose_exporters(HERE, exporter=exporter, timeout=30.0)
    assert found == Exporters((exporter,))


@pytest.mark.parametrize("wrong", [InMemorySpanExporter, "otlp", object()])
def test_what_is_no_exporter_is_refused(wrong: object) -> None:
    with pytest.raises(UsageError) as refused:
        choose_exporters({}, exporter=wrong, timeout=30.0)  # type: ignore[arg-type]  # on purpose
    assert str(refused.value) == (
        f"span_exporter: got {wrong!r:.80}, expected an exporter of OpenTelemetry's SDK, such as"
        " `InMemorySpanExporter()`"
    )


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        ("", 10.0, []),
        ("2.5", 2.5, []),
        ("10000", 30.0, []),
        ("-1", 10.0, ["OTEL_EXPORTER_OTLP_TIMEOUT: got '-1', expected seconds; it is 10"]),
        ("nan", 10.0, ["OTEL_EXPORTER_OTLP_TIMEOUT: got 'nan', expected seconds; it is 10"]),
        ("soon", 10.0, ["OTEL_EXPORTER_OTLP_TIMEOUT: got 'soon', expected seconds; it is 10"]),
    ],
)
def test_a_request_gets_no_more_time_than_an_export(
    text: str, seconds: float, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "autogpt_observe"):
        found = choose_exporters({**HERE, "OTEL_EXPORTER_OTLP_TIMEOUT": text}, timeout=30.0)
    assert found is not None
    assert [each.timeout for each in found.chosen if isinstance(each, Endpoint)] == [seconds]
    assert caplog.messages == said


def test_a_password_in_an_address_is_not_shown() -> None:
    url = f"https://user:{SECRET}@collector:4318/v1/traces?key={SECRET}"
    found = choose_exporters({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url}, timeout=30.0)
    assert found is not None
    shown = [(each.url, each.shown) for each in found.chosen if isinstance(each, Endpoint)]
    assert shown == [(url, "https://collector:4318/v1/traces")]


def test_the_port_of_grpc_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "autogpt_observe"):
        assert chosen({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"}) == [
            "http://c:4317/v1/traces"
        ]
    assert caplog.messages == [
        "OTEL_EXPORTER_OTLP_ENDPOINT: port 4317 is usually that of gRPC; OTLP over HTTP has 4318"
    ]


ENTRIES = st.lists(st.text(st.characters(codec="ascii"), max_size=12), max_size=3)


@given(text=ENTRIES.map(",".join) | st.from_regex(r"[a-z-]{1,9}=[ -~]{0,9}", fullmatch=True))
def test_headers_that_pass_are_read_by_the_exporter_without_a_word(text: str) -> None:
    said: list[logging.LogRecord] = []
    logger = logging.getLogger("opentelemetry.util.re")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record)

    handler = Handler()
    logger.addHandler(handler)
    try:
        chosen({**HERE, "OTEL_EXPORTER_OTLP_HEADERS": text})
    except UsageError:
        return
    else:
        read = parse_env_headers(text, liberal=True)
        assert all(value.isprintable() for value in read.values())
    finally:
        logger.removeHandler(handler)
    assert not [shown for record in said if (shown := str(record.args).strip("(), '"))]
