"""What the hub tells of becomes lines; secrets do not; settings are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_lines import builder, log_spec, logging_to, own, parse

from autogpt_observe.errors import UsageError
from autogpt_observe.names import LabelName, Name
from autogpt_observe.runtime import events
from autogpt_observe.runtime.events import Trace
from autogpt_observe.runtime.logs.lines import About, LineBuilder, Origin
from autogpt_observe.runtime.logs.logger import log
from autogpt_observe.runtime.logs.pipeline import read_log_settings
from autogpt_observe.runtime.logs.stamps import Stamps
from autogpt_observe.runtime.logs.values import MOST_CHARS
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.spec.model import Attribute, Logging, LogLevel, Redaction

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.runtime.events import Event

KEY = "sk-" + "a" * 48
TRACE = Trace(0xABC, 0xDEF)
ATTRIBUTES = {
    LabelName("agent"): Attribute(help="Agent", log="gen_ai.agent.name"),
    LabelName("tool"): Attribute(help="Tool", log="gen_ai.tool.name"),
    LabelName("outcome"): Attribute(help="Outcome"),
}


def told(event: Event, tmp_path: Path, level: str = "debug") -> list[dict[str, Any]]:
    with logging_to(tmp_path / "log", level=level, attributes=ATTRIBUTES) as run:
        assert run.logs.sink is not None
        run.logs.sink.take(event)
        return run.lines() if run.logs.flush(10) and run.path.exists() else []


@pytest.mark.parametrize(
    ("event", "level", "message", "expected"),
    [
        (
            events.RunStarted("a"),
            "debug",
            "run started",
            {"event.action": "run.start", "gen_ai.agent.name": "a"},
        ),
        (
            events.Run("a", "success", 1.5, TRACE),
            "info",
            "run ended",
            {
                "event.action": "run.end",
                "event.outcome": "success",
                "event.duration": 1_500_000_000,
                "gen_ai.agent.name": "a",
                "labels": {"outcome": "success"},
                "trace.id": f"{0xABC:032x}",
                "span.id": f"{0xDEF:016x}",
            },
        ),
        (events.Run("a", "error", 0, None), "error", "run failed", None),
        (events.Run("a", "cancelled", 0, None), "info", "run cancelled", None),
        (events.Run("a", "max_steps", 0, None), "warning", "run ended early", None),
        (events.Step("a", "plan", "ok", 0, None), "debug", "step ended", None),
        (
            events.ToolCall("", "search", "timeout", 0.25, None),
            "warning",
            "tool call failed",
            {
                "event.action": "tool.end",
                "event.outcome": "failure",
                "event.duration": 250_000_000,
                "gen_ai.tool.name": "search",
                "labels": {"result": "timeout"},
            },
        ),
        (
            events.LLMCall("a", "p", "m", "cancelled", 0, None, 0.5, 0, 1),
            "debug",
            "model call cancelled",
            None,
        ),
        (events.Attempt("a", "p", "m", 1), "debug", "model call retried", None),
        (
            events.AttemptFailed("a", "p", "m", "timeout"),
            "warning",
            "attempt of a model call failed",
            None,
        ),
        (events.Unparseable("a", "p", "m"), "warning", "output of a model could not be read", None),
        (events.Failure("a", "ValueError", None), "error", "failure", None),
        (events.LoopFound("a", "cycle"), "warning", "run goes in circles", None),
    ],
)
def test_events(
    tmp_path: Path, event: Event, level: str, message: str, expected: dict[str, Any] | None
) -> None:
    (line,) = told(event, tmp_path)
    assert (line["log.level"], line["message"]) == (level, message)
    assert line["log.logger"] == "autogpt_observe"
    if expected is not None:
        assert own(line) == expected | {"log.logger": "autogpt_observe"}
    assert told(event, tmp_path / "none", "critical") == []


def test_what_only_counts_is_no_line(tmp_path: Path) -> None:
    assert told(events.TokensUsed("a", "p", "m", "input", 3), tmp_path) == []
    assert told(events.CostIncurred("a", "p", "m", 0.5), tmp_path) == []
    assert told(events.Attempt("a", "p", "m", 0), tmp_path) == []


def test_a_failure_shows_its_exception(tmp_path: Path) -> None:
    try:
        raise ValueError("why")  # noqa: TRY301  # it is on its way while the event is told
    except ValueError:
        (line,) = told(events.Failure("a", "ValueError", None), tmp_path / "1")
        (other,) = told(events.Failure("a", "OSError", None), tmp_path / "2")
    assert (line["error.type"], line["error.message"]) == ("ValueError", "why")
    assert "test_a_failure_shows_its_exception" in line["error.stack_trace"]
    assert "error.type" not in other


# --- secrets -------------------------------------------------------------------------------------


def test_secrets_are_taken_out_of_all_there_is(tmp_path: Path) -> None:
    error = ValueError(f"rejected: {KEY}")
    try:
        raise error
    except ValueError:
        pass
    secrets = {"password": "hunter2", "pin_token": 987654321012345}
    with logging_to(tmp_path / "log", stdlib="debug", redactor=build_redactor(None)) as run:
        log.info(f"used {KEY}")
        log.info("m", text=f"used {KEY}", other="plain")
        log.info("m", **secrets)
        log.info("m", **secrets)  # the names are known now
        log.info("m", nested={"api_key": "x" * 20, "list": [KEY]}, items=[KEY], raw=KEY.encode())
        log.info("m", **{KEY: "a name"})
        log.info("m", exc_info=error)
        log.info("m" * 8_180 + KEY, text="t" * 8_180 + KEY)
        log.bind(text=KEY).info("m")
        lines = run.lines()
    written = run.path.read_text()
    assert "a" * 20 not in written
    assert "hunter2" not in written
    assert "987654321012345" not in written
    assert "x" * 20 not in written
    assert lines[1]["labels"]["other"] == "plain"
    assert "[redacted:" in lines[1]["labels"]["text"]


@given(st.lists(st.text(), max_size=4), st.integers(0, 4), st.text(max_size=5), st.text(max_size=5))
def test_a_secret_is_found_wherever_it_stands(
    texts: list[str], at: int, before: str, after: str
) -> None:
    redactor = build_redactor(None)
    texts.insert(at, f"{before} {KEY} {after}")
    fields = {f"k{number}": text for number, text in enumerate(texts[1:])}
    lines = builder(redactor=redactor)
    lines.build(20, "m", dict.fromkeys(fields, ""))  # so that the names are known
    found = parse(lines.build(20, texts[0], fields))
    assert [found["message"], *found.get("labels", {}).values()] == [
        redactor.text(text) for text in texts
    ]


def test_a_pattern_may_ask_where_a_text_begins() -> None:
    redactor = build_redactor(Redaction(patterns={Name("badge"): r"^B\d+$"}))
    lines = LineBuilder(
        Origin("s", "e", "d"), declared={}, redactor=redactor, apart=True, on_error=lambda *_: None
    )
    for _ in range(2):
        found = parse(lines.build(20, "m", {"badge_seen": "B1234", "other": "x"}))
        assert found["labels"] == {"badge_seen": "[redacted:badge]", "other": "x"}


def test_names_and_what_is_known_of_an_event_are_looked_through() -> None:
    lines = builder(redactor=build_redactor(None))
    error = type(KEY, (Exception,), {})("m")
    for _ in range(2):  # names are remembered, secrets are not
        about = About(error=error, fields={"log.origin.function": f"f {KEY}"})
        found = parse(lines.build(20, "m", {}, f"logger.{KEY}", about))
        assert found["log.origin.function"] == "f [redacted:openai-api-key]"
        assert found["log.logger"] == "logger.[redacted:openai-api-key]"
        assert found["error.type"] == "[redacted:openai-api-key]"
        plain = parse(lines.build(20, "m", {}, "crawler.main", About(error=ValueError("m"))))
        assert (plain["log.logger"], plain["error.type"]) == ("crawler.main", "ValueError")


def test_a_secret_across_the_cut_is_found() -> None:
    lines = builder(redactor=build_redactor(None))
    message = "m " * 4_080 + KEY  # of its 51 characters, 21 fit in front of the mark
    assert len(message) > MOST_CHARS > 2 * 4_080 + 21
    found = parse(lines.build(20, message, {}))
    assert found["message"].startswith("m m ")
    assert "sk-a" not in found["message"]


def test_a_redactor_that_fails_lets_nothing_pass() -> None:
    class Failing:
        def text(self, _text: str, /) -> str:
            raise TypeError

        def value(self, _key: str, _value: object, /) -> object:
            raise TypeError

    told_of: list[str] = []
    lines = LineBuilder(
        Origin("s", "e", "d"),
        declared={},
        redactor=Failing(),
        on_error=lambda place, _: told_of.append(place),
    )
    line = lines.build(20, "secret", {"a": "secret"}, "", About(error=ValueError("secret")))
    assert b"secret" not in line
    assert parse(line)["message"] == "(what was logged here could not be told)"
    assert told_of == ["log line"]


# --- ids -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300), st.integers(1, 600))
def test_ids_rise_whatever_the_clock_does(steps: list[int], each: int) -> None:
    now = 1_700_000_000_000_000_000
    stamps = Stamps(lambda: now)
    ids = []
    for step in steps:
        now += step * 10**6
        ids += [stamps.stamp()[1] for _ in range(each if step == 0 else 2)]
    assert ids == sorted(set(ids))
    assert all(one[14] == "7" and one[19] in "89ab" for one in ids)
    assert int(ids[0].replace("-", "")[:12], 16) == (1_700_000_000_000 + steps[0])


def test_a_child_has_other_ids() -> None:
    stamps = Stamps(lambda: 0)
    parents = {stamps.stamp()[1] for _ in range(1000)}
    stamps.renew()
    assert not parents & {stamps.stamp()[1] for _ in range(1000)}


# --- settings ------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_spec() -> None:
    spec = log_spec(Logging(level=LogLevel.ERROR))
    settings = read_log_settings(
        spec, {"AUTOGPT_OBSERVE_LOG_LEVEL": "Debug", "AUTOGPT_OBSERVE_LOG_OUTPUT": "./x.jsonl"}
    )
    assert (settings.level, str(settings.output)) == (10, "./x.jsonl")
    settings = read_log_settings(spec, {"AUTOGPT_OBSERVE_LOG_LEVEL": ""})
    assert (settings.level, str(settings.output)) == (40, "stderr")
    assert read_log_settings(log_spec(None), {}).level == 20


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "AUTOGPT_OBSERVE_LOG_LEVEL",
            "loud",
            (
                "AUTOGPT_OBSERVE_LOG_LEVEL: got 'loud', expected one of `debug`, `info`,"
                " `warning`, `error`, `critical`"
            ),
        ),
        (
            "AUTOGPT_OBSERVE_LOG_OUTPUT",
            "stdeer",
            (
                "AUTOGPT_OBSERVE_LOG_OUTPUT: got 'stdeer', expected `stderr`, `stdout`, or the path"
                " of a file with a `/` in it; write `./stdeer` for a file here"
            ),
        ),
        (
            "AUTOGPT_OBSERVE_LOG_OUTPUT",
            "logs/",
            (
                "AUTOGPT_OBSERVE_LOG_OUTPUT: got 'logs/', expected `stderr`, `stdout`, or the path"
                " of a file with a `/` in it"
            ),
        ),
    ],
)
def test_settings_that_are_wrong(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_log_settings(log_spec(None), {name: value})
    assert str(raised.value) == message
