"""Names and addresses: what Prometheus, Kubernetes and DNS take, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.names import (
    SIGNALS,
    ClockRange,
    EmailAddress,
    EnvName,
    FilePath,
    GroupLabel,
    HostPort,
    LabelName,
    MetricName,
    MetricSource,
    Name,
    ObjectName,
    PromQL,
    RecordName,
    Url,
)

GOOD: dict[type[Any], tuple[str, ...]] = {
    Name: ("a", "A", "my-agent", "a_1", "a" * 63, "true", "on"),
    ObjectName: ("a", "1", "my-agent", "a1", "a" * 63),
    MetricName: ("a", "_", "autogpt_runs_total", "A" * 200),
    RecordName: ("a", "site:pages:rate5m", ":", "a" * 200),
    LabelName: ("a", "_", "le", "_x__y", "a" * 100),
    EnvName: ("OPENAI_API_KEY", "_", "path", "A" * 128),
    HostPort: (
        "localhost:9090",
        "a:1",
        "a.b-c_d.e:65535",
        "[::1]:9090",
        "10.0.0.1:65535",
        f"{'a' * 253}:80",
    ),
    FilePath: ("/a", "/etc/alertmanager/secrets/slack", "/a/b.c-d_e", "/\u00e9/..data/key"),
    EmailAddress: ("a@b", "on.call+night@mail.example.com", f"{'a' * 64}@{'b' * 253}"),
    ClockRange: ("09:00-17:00", "00:00-24:00", "23:58-23:59"),
    GroupLabel: ("...", "alertname", "_x__y"),
    PromQL: ("up", " up\n", "\n\nup > 0"),
    Url: (
        "http://a",
        "https://a.example:8443/x?y=z#f",
        "http://[::1]:9093/-/healthy",
        "http://a/user@host",
        "http://a?mail=x@y",
        "https://b\u00fccher.example/",
    ),
}
BAD: dict[type[Any], tuple[str, ...]] = {
    Name: ("", "1a", "-a", "a.b", "a b", "a" * 64, "\u00e9", "a\n", "a/b", "../a"),
    ObjectName: ("", "A", "-a", "a-", "a_b", "a.b", "a" * 64, "a\n"),
    MetricName: ("", "1a", "a-b", "a:b", "a.b", "a" * 201, "\u00e9", "a\n"),
    RecordName: ("", "1a", "a-b", "a" * 201, "a b", "a:b\n"),
    LabelName: ("", "__name__", "__", "1a", "a-b", "a:b", "a" * 101, "\u00e9", "a\n"),
    EnvName: ("", "1A", "A-B", "A=B", "A" * 129, "A\n"),
    HostPort: (
        "",
        "localhost",
        ":9090",
        "a:0",
        "a:65536",
        "a:080",
        "a:99999",
        "http://a:80",
        "a:80/x",
        "user:password@a:80",
        "::1:80",
        "[::1]",
        "a b:80",
        "a:80\n",
        f"{'a' * 254}:80",
        "-a:80",
    ),
    FilePath: ("", "/", "a", "a/b", "/a/", "//a", "/a b", "/a\n", "/a\x00", "file:///a", "C:\\a"),
    EmailAddress: (
        "",
        "a",
        "a@",
        "@b",
        "a@b@c",
        "A <a@b>",
        "a@b, c@d",
        "a b@c",
        "a@b\n",
        "\u00e9@b",
        f"{'a' * 65}@b",
        f"a@{'b' * 254}",
    ),
    ClockRange: (
        "",
        "9:00-17:00",
        "09:00",
        "09:00 - 17:00",
        "24:00-24:00",
        "00:00-24:01",
        "09:60-17:00",
        "09:00-17:00\n",
        "9am-5pm",
    ),
    GroupLabel: ("", "..", "....", "a...", "__name__", "1a", "a-b", "...\n"),
    PromQL: ("", " ", "\n\t"),
    Url: (
        "",
        "a",
        "ftp://a",
        "http://",
        "http:///x",
        "http://a b",
        "http://a:port",
        "http://a\n",
        "http://a/\x00",
        "HTTP://a",
        "//a",
        "javascript:alert(1)",
    ),
}
EACH_GOOD = [(type_, text) for type_, texts in GOOD.items() for text in texts]
EACH_BAD = [(type_, text) for type_, texts in BAD.items() for text in texts]
CREDENTIALS = "credentials don't belong in the spec; refer to a secret instead"


@pytest.mark.parametrize(("type_", "text"), EACH_GOOD)
def test_good_text(type_: Any, text: str) -> None:
    name = type_.parse(text)
    assert name == text
    assert isinstance(name, type_)


@pytest.mark.parametrize(("type_", "text"), EACH_BAD)
def test_bad_text(type_: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        type_.parse(text)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@a/",
        "http://user@a/",
        "http://:hunter2@a/",
        "https://user:hun/ter2@a/",
        "https://user:hun#ter2@a",
        "http://user:hun@ter2@a/",
    ],
)
def test_a_url_with_credentials_says_where_they_belong(url: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(CREDENTIALS)}$"):
        Url.parse(url)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("22:00-06:00", "22:00", "06:00"), ("09:00-09:00", "09:00", "09:00")],
)
def test_a_time_of_day_that_ends_before_it_starts_is_two(text: str, start: str, end: str) -> None:
    advice = f"it ends before it starts; write `{start}-24:00` and `00:00-{end}`"
    with pytest.raises(ValueError, match=f"^{re.escape(advice)}$"):
        ClockRange.parse(text)


def test_every_text_type_has_cases_and_says_what_it_expects() -> None:
    assert GOOD.keys() == BAD.keys() == set(Name.__mro__[1].__subclasses__())
    assert all(type_.EXPECTED.startswith(("a ", "an ")) for type_ in GOOD)


@given(st.sampled_from(sorted(GOOD, key=lambda t: t.__name__)), st.text(max_size=30))
def test_any_text_is_taken_as_it_is_or_refused(type_: Any, text: str) -> None:
    try:
        parsed = type_.parse(text)
    except ValueError:
        return
    assert parsed == text


@given(st.integers(-5, 70_000))
def test_ports(port: int) -> None:
    fits = HostPort.PATTERN.fullmatch(f"a:{port}") is not None
    assert fits is (1 <= port <= 65_535)


def test_every_signal_is_described() -> None:
    own = {MetricSource.CODE, MetricSource.EXTERNAL}
    assert SIGNALS.keys() == set(MetricSource) - own
