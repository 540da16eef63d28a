"""Findings as people see them: the caret is under the right character, and no secret is shown."""

from __future__ import annotations

import unicodedata
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autogpt_observe.diagnostics import (
    Diagnostic,
    Report,
    Severity,
    Source,
    Span,
    SpecError,
    did_you_mean,
    format_diagnostic,
    format_diagnostics,
    hide_secrets,
    suggest,
)


def excerpt(line: str, column: int, length: int = 1) -> str:
    """The two lines of the excerpt, each without its gutter and one `|` before it."""
    at = Span(Source("f", line), 1, column, length)
    _, shown, caret = format_diagnostic(Diagnostic(id="x/y", message="m", at=at)).split("\n")
    assert shown.startswith("    1 |")
    assert caret.startswith("      | ")
    return f"|{shown[8:]}\n|{caret[8:]}"


def test_a_finding_in_full() -> None:
    at = Span(Source("observe.yaml", "a: 1\nwindwo: 5m\n"), 2, 1, 6)
    found = Diagnostic(id="spec/unknown-key", message="unknown key", at=at, fix="did you mean `w`?")
    assert format_diagnostic(found) == dedent("""\
        observe.yaml:2:1: error: unknown key [spec/unknown-key]
            2 | windwo: 5m
              | ^^^^^^
          = did you mean `w`?""")


def test_a_finding_without_a_place_or_a_fix() -> None:
    found = Diagnostic(id="a/b", message="gone", severity=Severity.WARNING)
    assert format_diagnostic(found) == "warning: gone [a/b]"


@pytest.mark.parametrize(
    ("line", "column", "length", "shown"),
    [
        ("key: value", 6, 5, "|key: value\n|     ^^^^^"),
        ("key: value", 1, 1, "|key: value\n|^"),
        ("key: v", 7, 1, "|key: v\n|      ^"),
        ("key: v", 6, 99, "|key: v\n|     ^"),
        ("key: value\r", 6, 5, "|key: value\n|     ^^^^^"),
        ("a:\tb", 4, 1, "|a: b\n|   ^"),
        ("name: 日本 x", 10, 1, "|name: 日本 x\n|           ^"),
        ("name: 日本 x", 7, 2, "|name: 日本 x\n|      ^^^^"),
        ("e\u0301te\u0301: x", 8, 1, "|e\u0301te\u0301: x\n|     ^"),
        ("a: \u202eevil", 4, 1, "|a: \\u202eevil\n|   ^^^^^^"),
        ("a: \u200bx", 5, 1, "|a: \\u200bx\n|         ^"),
        ("a: \x1b[31m", 4, 1, "|a: \\x1b[31m\n|   ^^^^"),
        ("a: \U0001f600 x", 6, 1, "|a: \U0001f600 x\n|      ^"),
        ("", 1, 1, "|\n|^"),
    ],
)
def test_excerpt(line: str, column: int, length: int, shown: str) -> None:
    assert excerpt(line, column, length) == shown


@pytest.mark.parametrize("column", [1, 60, 61, 62, 500, 100_000])
def test_the_caret_of_a_long_line_stands_under_its_character(column: int) -> None:
    line = "." * (column - 1) + "X" + "." * 100_000
    shown, caret = excerpt(line, column).split("\n")
    assert shown[caret.index("^")] == "X"
    assert shown.count("X") == 1
    assert len(shown) < 200


def test_a_place_outside_of_the_text_has_no_excerpt() -> None:
    at = Span(Source("f", "a"), 9, 1)
    assert format_diagnostic(Diagnostic(id="x/y", message="m", at=at)) == "f:9:1: error: m [x/y]"


@settings(max_examples=300, deadline=None)
@given(
    st.builds(Source, st.text(max_size=40), st.text(max_size=200)),
    st.tuples(st.integers(1, 10), st.integers(1, 250), st.integers(1, 300)),
    st.text(max_size=40),
)
def test_no_text_disturbs_a_terminal(
    source: Source, place: tuple[int, int, int], message: str
) -> None:
    found = Diagnostic(id="x/y", message=message, at=Span(source, *place), fix=message)
    lines = format_diagnostic(found).split("\n")
    assert 2 <= len(lines) <= 4
    assert {unicodedata.category(c) for c in "".join(lines)}.isdisjoint({"Cc", "Cf", "Cs"})


SECRETS = {
    "url: 'http://user:hunter2@host/x'": "url: 'http://************@host/x'",
    "url: http://token@host/x": "url: http://*****@host/x",
    "url: http://user:hun/ter2@host/x": "url: http://*************@host/x",
    "url: http://user:hun@ter2@host/x": "url: http://*************@host/x",
    "{bearer_token: abc, url: x}": "{bearer_token: ************",
    'password: "a \\" b" # c': "password: ******** # c",
    "password: 'it''s'": "password: *******",
    '"password": hunter2': '"password": *******',
    "OPENAI_API_KEY: abc": "OPENAI_API_KEY: ***",
    "apiKey: abc": "apiKey: ***",
    "header: 'Authorization: Bearer abc'": "header: 'Authorization: ***********",
    "key: sk-proj-abcdefghijklmnop": "key: ************************",
    "key: ghp_abcdefghijklmnop1234": "key: ************************",
}
NO_SECRETS = (
    "OPENAI_API_KEY: {secret: autogpt-secrets, key: openai-api-key}",
    "url: http://host:8080/a/b",
    "scrape: ['autogpt-metrics:9464']",
    "crawler_tokens_total: {type: counter}",
    "token: {help: A token}",
    'expr: rate(tokens_total{token="in"}[5m])',
    "image: registry.example/task-abcdefghijklmnopqrst:1",
    "owner: me@example.com",
    "secret: autogpt-secrets",
    "sleep: 5s",
)


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret_is_not_shown(text: str) -> None:
    assert hide_secrets(text) == SECRETS[text]


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert hide_secrets(text) == text


def test_a_report_keeps_no_secret_in_its_texts() -> None:
    report = Report()
    report.error("a/b", "got `http://u:hunter2@h`", None, fix="write `[http://u:hunter2@h]`")
    assert [(found.message, found.fix) for found in report.diagnostics] == [
        ("got `http://*********@h`", "write `[http://*********@h]`")
    ]


def test_a_caret_stays_under_its_character_behind_a_secret() -> None:
    assert excerpt("{url: 'http://u:hunter2@h', ulr: 1}", 29, 3) == (
        "|{url: 'http://*********@h', ulr: 1}\n|                            ^^^"
    )


def test_a_report_is_in_reading_order_without_repeats_and_never_endless() -> None:
    report = Report()
    one, two = Source("a.yaml", "x\ny\n"), Source("b.yaml", "x\n")
    report.warn("z/z", "last", Span(two, 1, 1))
    report.error("b/b", "third", Span(one, 2, 1))
    report.error("b/b", "second", Span(one, 1, 2))
    report.error("a/a", "first", Span(one, 1, 1))
    report.error("a/a", "first", Span(Source("a.yaml", "x\ny\n"), 1, 1))
    report.error("c/c", "x" * 5000, None)
    assert [found.message for found in report.diagnostics] == [
        "x" * 800 + "...",
        "first",
        "second",
        "third",
        "last",
    ]
    assert report.has_errors
    assert str(SpecError(report.diagnostics)) == format_diagnostics(report.diagnostics)


def test_warnings_are_no_errors() -> None:
    report = Report()
    report.warn("a/a", "m", None)
    assert not report.has_errors


def test_did_you_mean() -> None:
    assert did_you_mean("windwo", ("window", "when")) == "did you mean `window`?"
    assert did_you_mean("zzz", ("window", "when")) == "known: `window`, `when`"
    assert did_you_mean("zzz", ("a", "b", "c"), most=2) == "known: `a`, `b` and 1 more"
    assert did_you_mean("zzz", ()) == "nothing is declared there"


def test_the_nearest_of_many_words_is_found_as_among_few() -> None:
    many = tuple(f"service_{n}_requests_total" for n in range(10_000))
    assert suggest("service_7_request_total", many) == "service_7_requests_total"
    assert suggest("autogpt_erors_total", (*many, "autogpt_errors_total")) == "autogpt_errors_total"
    assert suggest("zzz", many) is None


def test_a_word_of_any_length_is_compared() -> None:
    assert suggest("x" * 1_000_000, ("window",)) is None
