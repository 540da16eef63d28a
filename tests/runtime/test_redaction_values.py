"""Secrets in nested data: under names that say so, and in texts however deep."""

from __future__ import annotations

import copy
from collections import OrderedDict, deque, namedtuple
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from redaction_samples import HUNTER, SECRETS

from autogpt_observe.names import Name
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.runtime.redaction.nested import MOST_DEPTH, MOST_ITEMS
from autogpt_observe.runtime.redaction.patterns import WINDOW
from autogpt_observe.secrets.kinds import KINDS
from autogpt_observe.spec.model import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterator

REDACTOR = build_redactor(None)
KEY = SECRETS["openai-api-key"][0]
SHOWN = "[redacted:openai-api-key]"
Point = namedtuple("Point", ["x", "y"])  # noqa: PYI024 - what hosts pass


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("headers.authorization", "authorization"),
        ("http.request.header.x-api-key", "api-key"),
        ("http.request.header.set-cookie.0", "cookie"),
        ("OPENAI_API_KEY", "api-key"),
        ("openaiApiKey", "api-key"),
        ("dbPassword", "password"),
        ("userpassword", "password"),
        ("Proxy-Authorization", "authorization"),
        ("refresh_tokens", "token"),
        ("aws_secret_access_key", "secret"),
        ("connectionString", "credentials"),
        ("private_key", "private-key"),
        ("credentials[0]", "credentials"),
    ],
)
def test_a_name_tells_of_a_secret(name: str, kind: str) -> None:
    assert REDACTOR.value(name, HUNTER) == f"[redacted:{kind}]"
    assert REDACTOR.value(None, {name: HUNTER, "a": 1}) == {name: f"[redacted:{kind}]", "a": 1}


@pytest.mark.parametrize(
    "name",
    [
        *("max_tokens", "token_count", "tokens", "tokens_total", "token_type", "input_tokens"),
        *("eos_token", "next_page_token", "time_per_output_token", "first_token"),
        *("key", "primary_key", "cache_key", "routing_key", "author", "keyboard", "signature"),
        *("password_length", "secret_name", "api_key_id", "private_key_id", "tokenizer", ""),
    ],
)
def test_a_name_tells_of_no_secret(name: str) -> None:
    fields = {name: HUNTER}
    assert REDACTOR.value(None, fields) is fields
    assert REDACTOR.value(name, HUNTER) is HUNTER


def test_under_such_a_name_the_whole_value_goes() -> None:
    assert REDACTOR.value(
        None, {"token": 123456, "api_keys": ["a", "b"], "secret": {"a": "b"}}
    ) == {
        "token": "[redacted:token]",
        "api_keys": "[redacted:api-key]",
        "secret": "[redacted:secret]",
    }
    assert REDACTOR.value("cookie", b"a=b") == b"[redacted:cookie]"
    assert REDACTOR.value("password", Path("a")) == "[redacted:password]"


def test_what_says_nothing_stays_under_such_a_name() -> None:
    fields: dict[str, object] = {
        "password": None,
        "token": "",
        "secret": True,
        "cookie": {},
        "api_key": b"",
    }
    assert REDACTOR.value(None, fields) is fields


def test_texts_are_redacted_in_every_container_and_nothing_is_changed_in_place() -> None:
    value: dict[Any, Any] = {
        "list": [1, f"a {KEY}", None],
        "tuple": ("a", (KEY,)),
        "named": Point(KEY, 2),
        "set": {KEY},
        "frozen": frozenset({(KEY, 1)}),
        "deque": deque([KEY]),
        "bytes": f"ü {KEY}".encode(),
        "array": bytearray(KEY.encode()),
        "ordered": OrderedDict(a={"b": KEY}),
        "read only": MappingProxyType({"a": KEY}),
        "headers": [("x-api-key", "a"), (b"Authorization", b"b"), ("accept", "c")],
        ("a", KEY): 1,
        b"password": "a",
        7: KEY,
        KEY: "named by a secret",
    }
    before = copy.deepcopy({k: v for k, v in value.items() if k != "read only"})
    assert REDACTOR.value(None, value) == {
        "list": [1, f"a {SHOWN}", None],
        "tuple": ("a", (SHOWN,)),
        "named": (SHOWN, 2),
        "set": {SHOWN},
        "frozen": frozenset({(SHOWN, 1)}),
        "deque": [SHOWN],
        "bytes": f"ü {SHOWN}".encode(),
        "array": bytearray(SHOWN.encode()),
        "ordered": {"a": {"b": SHOWN}},
        "read only": {"a": SHOWN},
        "headers": [
            ("x-api-key", "[redacted:api-key]"),
            (b"Authorization", b"[redacted:authorization]"),
            ("accept", "c"),
        ],
        ("a", SHOWN): 1,
        b"password": "[redacted:password]",
        7: SHOWN,
        SHOWN: "named by a secret",
    }
    assert {k: v for k, v in value.items() if k != "read only"} == before


def test_what_holds_no_secret_comes_back_itself() -> None:
    for value in (
        {"event": "step_done", "tokens": 12, "took": 0.5, "run": "4bf92f3577b34da6", "ok": True},
        {"a": [1, ("b", {"c": {2.5}}), b"d"], "e": deque(["f"]), "g": Point(1, 2)},
        [Decimal(1), Path("a"), ValueError(KEY), object()],
    ):
        for _ in range(3):  # the first looks at the names, others remember
            assert REDACTOR.value(None, value) is value


def test_an_event_is_read_though_the_one_before_had_the_same_names_and_no_secret() -> None:
    redactor = build_redactor(None)
    for _ in range(3):
        clean: dict[str, object] = {"event": "a", "url": "b", "took": 1}
        assert redactor.value(None, clean) is clean
        assert redactor.value(None, {"event": "a", "url": KEY, "took": 1}) == {
            "event": "a",
            "url": SHOWN,
            "took": 1,
        }
        assert redactor.value(None, {"event": [KEY], "url": "b", "took": 1}) == {
            "event": [SHOWN],
            "url": "b",
            "took": 1,
        }


def test_keys_that_become_one_keep_their_values() -> None:
    one, other = SECRETS["openai-api-key"][1], SECRETS["openai-api-key"][2]
    assert REDACTOR.value(None, {one: 1, other: 2}) == {SHOWN: 1, f"{SHOWN} (2)": 2}


def test_a_cycle_ends() -> None:
    value: dict[str, Any] = {"a": 1}
    value["self"] = [value]
    assert REDACTOR.value(None, value) == {"a": 1, "self": ["[redacted:cycle]"]}


def test_what_is_met_twice_is_no_cycle() -> None:
    shared = ["a"]
    value = {"a": shared, "b": [shared, shared]}
    assert REDACTOR.value(None, value) is value


def test_depth_and_size_are_bounded() -> None:
    value: object = KEY
    for _ in range(MOST_DEPTH + 1):
        value = [value]
    expected: object = "[redacted:too-deep]"
    for _ in range(MOST_DEPTH):
        expected = [expected]
    assert REDACTOR.value(None, value) == expected
    shown = REDACTOR.value(None, ["a"] * (MOST_ITEMS - 1) + [KEY, 7])
    assert isinstance(shown, list)
    assert shown[-3:] == ["a", "[redacted:too-large]", 7]


class _Hostile(dict[str, str]):
    def items(self) -> Any:
        raise RuntimeError(KEY)


class _Text(str):
    __slots__ = ()

    def __getitem__(self, _: object) -> str:
        raise RuntimeError

    def startswith(self, *_: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


class _Endless(list[int]):
    def __iter__(self) -> Iterator[int]:
        raise RecursionError


def test_it_never_raises_and_lets_nothing_pass_that_it_could_not_read() -> None:
    assert REDACTOR.value(None, _Hostile(a=KEY)) == "[redacted:unreadable]"
    assert REDACTOR.value(None, [_Endless([1])]) == "[redacted:unreadable]"
    assert REDACTOR.text(_Text(f"a {KEY}")) == f"a {SHOWN}"
    assert REDACTOR.value(_Text("password"), HUNTER) == "[redacted:unreadable]"
    assert REDACTOR.text(b"bytes") == "[redacted:unreadable]"  # type: ignore[arg-type]


def test_a_spec_says_what_is_redacted() -> None:
    redactor = build_redactor(
        Redaction(
            emails=False,
            patterns={Name("ticket"): r"CRAWL-\d+", Name("badge"): r"badge (?P<secret>\w+)"},
            keys=("session_id", "pin2"),
            allow=("jwt", "token"),
        )
    )
    token = SECRETS["jwt"][0]
    clean = f"ada@example.com {token} token=abc"
    assert redactor.text(clean) is clean
    assert redactor.text("see CRAWL-17, badge x9 there") == (
        "see [redacted:ticket], badge [redacted:badge] there"
    )
    assert redactor.text("sessionId=abc PIN=7") == (
        "sessionId=[redacted:custom-key] PIN=[redacted:custom-key]"
    )
    fields = {"http.session-id": "a", "token": "b", "password": "c"}
    assert redactor.value(None, fields) == {
        "http.session-id": "[redacted:custom-key]",
        "token": "b",
        "password": "[redacted:password]",
    }
    assert redactor.text(f"{KEY} CRAWL-1") == f"{SHOWN} [redacted:ticket]"
    again = redactor.text("see CRAWL-17")
    assert redactor.text(again) is again


def test_a_pattern_is_found_where_two_windows_meet() -> None:
    redactor = build_redactor(Redaction(patterns={Name("ticket"): r"CRAWL-\d{100}"}))
    ticket = "CRAWL-" + "1" * 100
    for before in range(WINDOW - len(ticket), WINDOW + 2):
        text = f"{'x' * before} {ticket} {'y' * WINDOW}"
        assert redactor.text(text) == text.replace(ticket, "[redacted:ticket]")


def test_all_kinds_may_be_allowed() -> None:
    redactor = build_redactor(Redaction(allow=KINDS))
    for text in (f"password={HUNTER}", *(secret for each in SECRETS.values() for secret in each)):
        assert redactor.text(text) is text
