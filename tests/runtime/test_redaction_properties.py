"""What holds of the redaction of any text and any value, however hostile."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redaction_samples import HUNTER, MIXED, PEM, SECRETS, UPPER, run

from autogpt_observe.names import Name
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.secrets.keys import KEY_NAMES
from autogpt_observe.spec.model import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable

REDACTOR = build_redactor(None)
WITH_PATTERNS = build_redactor(Redaction(patterns={Name("ticket"): r"CRAWL-\d+"}))
EACH = [secret for secrets in SECRETS.values() for secret in secrets]
NAMES = [name for names in KEY_NAMES.values() for name in names.split()]
IN_TEXTS = [name for name in NAMES if not name.endswith(("tokens", "_str", "_string"))]
PIECES = (
    *EACH,
    *NAMES,
    PEM,
    HUNTER,
    *("=", ":", ": ", '"', "'", "\\", '\\"', "\n", "\\n", " ", ",", "&", "?", ";", "@", "%40"),
    *("://", "http://", "postgres://ada:", "[", "]", "(", ")", "<", ">", "{", "}", "--", "Bearer "),
    *("Basic ", "Authorization", "-----BEGIN ", "-----END ", "[redacted:", "[redacted:jwt]", "a"),
    *("1", "_", "-", ".", "/", "None", "sk-", "eyJ", "\x1b[31m", "é", "\ud800", "CRAWL-1"),
)
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
scalars = st.one_of(
    texts, st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=30)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(texts, inner, max_size=4),
    ),
    max_leaves=12,
)


@given(texts)
def test_redacting_a_text_again_changes_nothing(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(texts)
def test_a_text_without_secrets_is_the_same_object(text: str) -> None:
    for redactor in (REDACTOR, WITH_PATTERNS):
        shown = redactor.text(text)
        assert shown is text or shown != text or "[redacted:" in text


@given(st.one_of(st.none(), texts), values)
def test_redacting_a_value_again_changes_nothing(key: str | None, value: object) -> None:
    once = REDACTOR.value(key, value)
    assert "unreadable" not in repr(once)
    assert repr(REDACTOR.value(key, once)) == repr(once)


WRITTEN = (
    "{}",
    "failed: {}",
    "https://example.com/search?q={}&page=2",
    "https://ada:{}@example.com/",
    "a=1 b={} c=2",
    "({}), [{}], <{}>",
    "é{}é",
    "\\t{}\\n",
    "%20{}%20",
)


@given(st.sampled_from(EACH), st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=3), st.data())
def test_no_secret_is_left_wherever_it_is_planted(
    secret: str, frames: list[str], data: st.DataObject
) -> None:
    text = secret
    for frame in frames:
        text = frame.replace("{}", text)
    for _ in range(data.draw(st.integers(0, 3))):
        text = json.dumps({"message": text}, ensure_ascii=False)
    before, after = data.draw(texts), data.draw(texts)
    shown = REDACTOR.text(f"{before}\n{text}\n{after}")
    core = secret[: len(secret) * 3 // 4]
    assert core not in shown or core in f"{before}{after}"


@given(
    st.sampled_from(NAMES),
    st.sampled_from(("{}", "headers.{}", "a.b.{}", "X-{}", "my_{}", "{}_hash", "{}1")),
    st.sampled_from((str.lower, str.upper)),
    st.integers(0, 5),
)
def test_no_value_is_left_under_a_name_that_says_so(
    name: str, form: str, case: Callable[[str], str], depth: int
) -> None:
    key = form.replace("{}", case(name))
    value: Any = {"before": 1, key: HUNTER, "after": [2]}
    for _ in range(depth):
        value = {"inner": [value, ("x", 1)]}
    shown = REDACTOR.value(None, value)
    assert HUNTER not in repr(shown)
    assert "'before': 1" in repr(shown)
    assert HUNTER not in repr(REDACTOR.value(key, [HUNTER]))


@given(
    st.sampled_from(IN_TEXTS),
    st.sampled_from(
        ("{}={}", "'{}': '{}'", '"{}": "{}"', "{} = {}", "{}: {}", "?a=1&{}={}&b=2", '"{}":"{}"')
    ),
    st.text("abcXYZ019_!/+.~^*#%$", min_size=6, max_size=30).filter(lambda value: value[0] != "/"),
    st.integers(0, 3),
)
def test_no_value_is_left_behind_a_name_in_a_text(
    name: str, form: str, value: str, nested: int
) -> None:
    value = f"{value}9!"
    text = form.replace("{}", name, 1).replace("{}", value, 1)
    for _ in range(nested):
        text = json.dumps({"message": text})
    assert value not in REDACTOR.text(f"sent {text} there")


HOSTILE = {
    "letters": "a",
    "digits": "1",
    "dashes": "-",
    "keys": "sk-",
    "pem": "-----BEGIN PRIVATE KEY-----",
    "pem ends": "-----END PRIVATE KEY-----",
    "at signs": "a@",
    "domains": "a@b.",
    "addresses": "://a:",
    "addresses with an end": "://a:b@",
    "assignments": "password=",
    "quotes": "password='",
    "mixed quotes": "password='password=\"",
    "escapes": 'password=\\"',
    "backslashes": "password='\\",
    "flags": "--password ",
    "lists": "password=[",
    "commas": "password=a,,",
    "names": "password_",
    "jwt": "eyJaaaaaaaaaa.",
    "bearer": "Bearer aaaaaaaaaaaaaaaaaaaa ",
    "basic": "Basic aaaaaaaaaaaaaaaa ",
    "aws": "AK" + "IA" + UPPER + " ",
    "telegram": "1234567:AA",
    "placeholders": "[redacted:",
    "signs": "=:",
    "cookies": "cookie: a",
}


@pytest.mark.timeout(60)  # were it not linear, a megabyte would take minutes at the least
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_read_to_its_end(piece: str) -> None:
    secret = SECRETS["github-token"][0]
    shown = REDACTOR.text(f"{run(piece, 1_000_000)}\n{secret}")
    assert secret not in shown
    assert "[redacted:" in shown[-200:] or len(shown) < 100_000


def test_a_long_text_of_all_pieces_is_read_in_full() -> None:
    picked = random.Random(7).choices(PIECES, k=20_000)  # noqa: S311 - the same in each run
    text = "".join(piece for piece in picked if piece not in EACH)
    secret = SECRETS["github-token"][0]
    assert secret not in REDACTOR.text(f"{text}\n{secret}\n{text}")


def test_nothing_that_was_read_is_kept() -> None:
    redactor = build_redactor(None)
    secret = run(MIXED, 40)
    redactor.value(None, {secret: 1, "password": secret, "a": [secret], f"x {EACH[0]}": secret})
    kept = [getattr(redactor, slot) for slot in redactor.__slots__]
    assert secret not in repr(kept)
    harmless = next(value for value in kept if isinstance(value, set))
    assert all(type(number) is int for number in harmless)
