from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logstash_grammar import Call, read_pipeline
from small_specs import assert_golden, logs, render_elsewhere, small_spec

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import Url
from autogpt_observe.render.logstash import (
    ISO8601_WITH_A_SPACE,
    Plugin,
    format_pipeline,
    quote,
    render,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.model import Spec

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "logstash"
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason=f"recorded behaviour of Logstash is missing: {VECTORS}"
)

quotable = st.text(st.sampled_from("\"'\\ab \n#{}[]%=>,"), max_size=12).filter(
    lambda text: (
        not text.endswith("\\")
        and any(re.search(rf"(?<!\\){mark}", text) is None for mark in ('"', "'"))
    )
)


def seed_case() -> Spec:
    return small_spec(logs=logs())


def own_formats_case() -> Spec:
    own = logs(
        beats_port=5045,
        pattern=r'%{TIMESTAMP_ISO8601:timestamp} "%{WORD:level}"|(?<timestamp>\d+) %{WORD:level}',
        date_formats=("yyyy-MM-dd'T'HH:mm:ss", "UNIX"),
        timezone="Europe/Berlin",
        elasticsearch=(Url("https://es-1:9200"), Url("https://es-2:9200")),
    )
    return small_spec(service="Own_Formats", logs=own)


@pytest.mark.parametrize("case", [seed_case, own_formats_case])
def test_golden(case: Any) -> None:
    assert_golden(f"logstash_{case.__name__.removesuffix('_case')}", render(case()))


def test_no_logs_no_files() -> None:
    assert render(small_spec()) == {}


def test_seed_pipeline_as_the_engine_reads_it() -> None:
    (text,) = render(seed_case()).values()
    pattern = r"\A%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} %{GREEDYDATA:message}"
    assert read_pipeline(text) == [
        Call("input", "beats", {"port": 5044}),
        Call("filter", "grok", {"match": {"message": pattern}, "overwrite": ["message"]}),
        Call(
            "filter",
            "date",
            {"match": ["timestamp", "ISO8601", *ISO8601_WITH_A_SPACE], "timezone": "UTC"},
        ),
        Call(
            "output",
            "elasticsearch",
            {"hosts": ["http://elasticsearch:9200"], "index": "autogpt-logs-%{+YYYY.MM.dd}"},
        ),
    ]


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("%{WORD:level} x", r"\A%{WORD:level} x"),
        ("%{WORD:a}|%{WORD:b}", r"\A(?:%{WORD:a}|%{WORD:b})"),
        ("^%{WORD:level}", "^%{WORD:level}"),
        (r"\A%{WORD:level}", r"\A%{WORD:level}"),
    ],
)
def test_pattern_is_anchored_once(pattern: str, written: str) -> None:
    (text,) = render(small_spec(logs=logs(pattern=pattern))).values()
    grok = read_pipeline(text)[1]
    assert grok.options == {"match": {"message": written}}


@pytest.mark.parametrize(
    "capture", ["%{GREEDYDATA:message}", "%{DATA:message:string}", "(?<message>.*)"]
)
def test_captured_message_replaces_the_line(capture: str) -> None:
    (text,) = render(small_spec(logs=logs(pattern=capture))).values()
    assert read_pipeline(text)[1].options["overwrite"] == ["message"]


def test_listed_formats_are_not_repeated() -> None:
    listed = ("ISO8601", "yyyy-MM-dd HH:mm", "UNIX")
    (text,) = render(small_spec(logs=logs(date_formats=listed))).values()
    match = read_pipeline(text)[2].options["match"]
    assert isinstance(match, list)
    assert match[:4] == ["timestamp", *listed]
    assert sorted(set(map(str, match))) == sorted(map(str, match))
    assert set(ISO8601_WITH_A_SPACE) < set(match)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "pattern",
            'it\'s "so"',
            (
                'logs.pattern: `it\'s "so"` holds both kinds of quotes, which a Logstash string'
                r" can't hold; write one kind as `.` or `\x22` in a pattern"
            ),
        ),
        (
            "date_formats",
            ("ISO8601", "yyyy\\"),
            (
                "logs.date_formats: `yyyy\\` ends in a backslash, which a Logstash string can't"
                " hold; end it in another character"
            ),
        ),
    ],
)
def test_text_that_no_string_can_hold(key: str, value: Any, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(small_spec(logs=logs(**{key: value})))
    assert str(caught.value) == message


@given(st.lists(quotable, min_size=1, max_size=4), st.dictionaries(quotable, quotable, min_size=1))
def test_what_is_written_is_what_is_read(array: list[str], hash_: dict[str, str]) -> None:
    options: dict[str, Any] = {"text": array[0], "array": array, "hash": hash_, "number": 3}
    text = format_pipeline({"filter": [Plugin("mutate", options, ["a { comment"])]})
    assert read_pipeline(text) == [Call("filter", "mutate", dict(options))]


@given(st.text(st.sampled_from("\"'\\a"), max_size=8))
def test_quote_refuses_exactly_what_cannot_be_read_back(text: str) -> None:
    readable = [
        mark
        for mark in ('"', "'")
        if re.fullmatch(rf"{mark}(?:\\{mark}|[^{mark}])*+{mark}", f"{mark}{text}{mark}")
    ]
    if readable:
        assert quote(text) == f"{readable[0]}{text}{readable[0]}"
    else:
        with pytest.raises(ObserveError):
            quote(text)


@pytest.mark.parametrize("case", [seed_case, own_formats_case])
def test_same_bytes_in_every_process(case: Any) -> None:
    assert repr(render(case())) == render_elsewhere("logstash", case.__name__)


def records(name: str) -> Iterator[dict[str, Any]]:
    with (VECTORS / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@needs_vectors
def test_reader_takes_nothing_that_the_engine_refuses() -> None:
    taken = 0
    for record in records("config.jsonl"):
        try:
            read_pipeline(record["config"])
        except ValueError:
            continue
        taken += 1
        assert record["ok"] or record["stage"] in ("settings", "register"), record["name"]
    assert taken > 50


@needs_vectors
@pytest.mark.parametrize("case", [seed_case, own_formats_case])
def test_options_are_the_engines(case: Any) -> None:
    known = {
        (option["plugin"], option["option"]): option
        for option in json.loads((VECTORS / "plugin_options.json").read_text(encoding="utf-8"))
    }
    (text,) = render(case()).values()
    for call in read_pipeline(text):
        for name, value in call.options.items():
            option = known[f"{call.section}/{call.name}", name]
            assert not option["obsolete"]
            assert not option["deprecated"]
            kinds = {"number": int, "string": str, "array": list, "hash": dict}
            wanted = list if option["list"] else kinds[option["type"]]
            assert isinstance(value, wanted), (call.name, name)
        required = {
            option
            for (plugin, option), facts in known.items()
            if plugin == f"{call.section}/{call.name}" and facts["required"]
        }
        assert required <= call.options.keys()


# What the date filter takes, in two regular expressions per format that are first held against
# the engine's own record, then against everything grok's pattern can let through.
_JODA = {
    "yyyy": r"\d+", "MM": r"\d{1,2}", "dd": r"\d{1,2}", "HH": r"\d{1,2}", "mm": r"\d{1,2}",
    "ss": r"\d{1,2}", "SSSSSSSSS": r"\d{1,9}", "SSSSSS": r"\d{1,6}", "SSS": r"\d{1,3}",
    "ZZ": r"(?:Z|[+-]\d\d:?\d\d)",
}  # fmt: skip
_ISO8601 = (
    r"\d+-\d{1,2}-\d{1,2}T\d{1,2}(?::\d{1,2}(?::\d{1,2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?",
    r"\d+-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}(?:Z|[+-]\d\d:?\d\d)?",
)
_GROK_TIMESTAMP = (
    r"(?:\d\d){1,2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-8])[T ](?:2[0-3]|[01][0-9]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?:Z|[+-](?:0[0-9]|1[0-3]):?[0-5][0-9])?"
)


def parses(date_format: str, text: str) -> bool:
    if date_format == "ISO8601":
        return any(re.fullmatch(form, text, re.ASCII) for form in _ISO8601)
    parts = re.split(f"({'|'.join(_JODA)})", date_format)
    form = "".join(_JODA.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(form, text, re.ASCII) is not None


@needs_vectors
def test_model_of_the_date_filter_agrees_with_the_engine() -> None:
    modelled = {"ISO8601", "yyyy-MM-dd HH:mm:ss.SSSSSS", "yyyy-MM-dd HH:mm:ss.SSSSSSZZ"}
    modelled |= {form for form in ISO8601_WITH_A_SPACE if "S" not in form.upper().replace("SS", "")}
    seen = 0
    for record in records("date.jsonl"):
        text = record["input"]
        if not set(record["formats"]) <= modelled or record.get("timezone") not in (None, "UTC"):
            continue
        if not re.fullmatch(_GROK_TIMESTAMP, str(text)):
            continue
        seen += 1
        taken = any(parses(form, text) for form in record["formats"])
        assert taken is (record["output"] is not None), (record["formats"], text)
    assert seen > 50


def grok_timestamps() -> st.SearchStrategy[str]:
    """What TIMESTAMP_ISO8601 takes, colons in the time, each part there or not."""
    digits = st.text(st.sampled_from("0123456789"), min_size=1, max_size=9)
    fraction = st.tuples(st.sampled_from(".,"), digits).map("".join)
    second = fraction.map(":59{}".format) | st.sampled_from(["", ":07"])
    zone = st.sampled_from(["", "Z", "+00:00", "-0530"])
    day = st.sampled_from(["2026-11-20", "2026-1-2"])
    return st.tuples(day, st.sampled_from("T "), st.just("10:00"), second, zone).map("".join)


@given(grok_timestamps())
def test_every_time_that_grok_takes_the_date_filter_takes(text: str) -> None:
    (config,) = render(seed_case()).values()
    match = read_pipeline(config)[2].options["match"]
    assert isinstance(match, list)
    assert any(parses(str(form), text) for form in match[1:])
