"""Objectives: rules that promtool takes, tests that it passes, and that fail for a changed rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alert_specs import read, run_tool, try_tool, write
from slo_specs import GATEWAY_TIME, HEAD, OBJECTIVES, PAGES, RUN_TIME, RUNS
from small_specs import assert_golden

from autogpt_observe.render import prometheus, promtool
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rule = dict[str, Any]


@pytest.mark.parametrize("case", ["runs", "run_time"])
def test_rules_and_tests(case: str, tmp_path: Path) -> None:
    spec = read(HEAD + OBJECTIVES[case], tmp_path)
    assert_golden(f"slo_{case}", {**prometheus.render(spec), **promtool.render(spec)})


@pytest.mark.parametrize("case", OBJECTIVES)
def test_promtool_takes_the_rules_and_passes_the_tests(case: str, tmp_path: Path) -> None:
    write(read(HEAD + OBJECTIVES[case], tmp_path), tmp_path)
    rules = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("rules/*.rules.yml"))
    tests = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("rules/tests/*.yml"))
    assert rules
    assert len(tests) > 1
    run_tool(tmp_path, "promtool", "check", "rules", "--lint-fatal", *rules)
    assert run_tool(tmp_path, "promtool", "test", "rules", *tests).count("SUCCESS") == len(tests)


# --- a changed rule turns a test red ---------------------------------------------------------


def scaled(factor: float, *, which: str) -> Callable[[Rule, list[Rule]], None]:
    """The threshold of both windows, or of one of them, times ``factor``."""

    def change(alert: Rule, _: list[Rule]) -> None:
        parts = alert["expr"].split(" and ")
        for index in {"long": (0,), "short": (1,), "both": (0, 1)}[which]:
            found = re.fullmatch(r"(.* > )([0-9.]+)", parts[index])
            assert found is not None
            parts[index] = f"{found[1]}{float(found[2]) * factor:.9g}"
        alert["expr"] = " and ".join(parts)

    return change


def flipped(alert: Rule, _: list[Rule]) -> None:
    alert["expr"] = alert["expr"].replace(" > ", " < ")


def swapped(alert: Rule, _: list[Rule]) -> None:
    long, short, *rest = alert["expr"].split(" and ")
    alert["expr"] = " and ".join([short, long, *rest])


def only(window: str) -> Callable[[Rule, list[Rule]], None]:
    def change(alert: Rule, _: list[Rule]) -> None:
        long, short, *rest = alert["expr"].split(" and ")
        alert["expr"] = " and ".join([{"long": long, "short": short}[window], *rest])

    return change


def held(evaluations: int) -> Callable[[Rule, list[Rule]], None]:
    """`for`, longer or shorter by evaluations of the test's clock (set as `clock`)."""

    def change(alert: Rule, _: list[Rule]) -> None:
        milliseconds = duration(alert["for"]) + evaluations * alert.pop("clock")
        alert["for"] = f"{max(0, milliseconds)}ms"

    return change


def guard_dropped(alert: Rule, _: list[Rule]) -> None:
    alert["expr"] = " and ".join(alert["expr"].split(" and ")[:2])


def by_dropped(_: Rule, records: list[Rule]) -> None:
    for rule in records:
        rule["expr"] = re.sub(r"sum by \([a-z, ]+\)", "sum", rule["expr"])


def where_dropped(_: Rule, records: list[Rule]) -> None:
    for rule in records:
        rule["expr"] = re.sub(r'\{(outcome|le|zone)[^{}]*"\}', "", rule["expr"])


def replaced(record: str, old: str, new: str) -> Callable[[Rule, list[Rule]], None]:
    def change(_: Rule, records: list[Rule]) -> None:
        (rule,) = (r for r in records if r["record"] == record)
        assert old in rule["expr"]
        rule["expr"] = rule["expr"].replace(old, new)

    return change


MUTATIONS: dict[str, Callable[[Rule, list[Rule]], None]] = {
    "flipped": flipped,
    "higher": scaled(1.1, which="both"),
    "lower": scaled(0.9, which="both"),
    "long higher": scaled(1.1, which="long"),
    "long lower": scaled(0.9, which="long"),
    "short higher": scaled(1.1, which="short"),
    "short lower": scaled(0.9, which="short"),
    "windows swapped": swapped,
    "long alone": only("long"),
    "short alone": only("short"),
    "for longer": held(1),
    "for shorter": held(-1),
    "by dropped": by_dropped,
    "where dropped": where_dropped,
    "severity": lambda alert, _: alert["labels"].update(severity="info"),
    "text": lambda alert, _: alert["annotations"].update(summary="Something"),
}
LONGS = ("1h", "6h", "1d", "3d")
CHANGES = [
    *((RUNS, f"AgentRunsErrorBudgetBurn{long}", name) for long in LONGS for name in MUTATIONS),
    *((RUNS, f"AgentRunsErrorBudgetBurn{long}", "guard dropped") for long in LONGS),
    *(
        (RUN_TIME, f"RunTimeErrorBudgetBurn{long}", name)
        for long in ("15m", "15h")
        for name in MUTATIONS
    ),
    *(
        (GATEWAY_TIME, "GatewayTimeErrorBudgetBurn1h", name)
        for name in MUTATIONS
        if name != "by dropped"
    ),
]


@pytest.mark.parametrize(
    ("text", "alert", "name"), CHANGES, ids=[f"{a}-{n}" for _, a, n in CHANGES]
)
def test_a_changed_rule_turns_a_test_red(text: str, alert: str, name: str, tmp_path: Path) -> None:
    write(read(HEAD + text, tmp_path), tmp_path)
    (path,) = tmp_path.glob("rules/slo-*.rules.yml")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules = document["groups"][0]["rules"]
    (changed,) = (rule for rule in rules if rule.get("alert") == alert)
    clock, tests = file_of(alert, tmp_path)
    records = [r for group in document["groups"] for r in group["rules"] if "record" in r]
    before = repr(rules)
    changed["clock"] = clock
    {**MUTATIONS, "guard dropped": guard_dropped}[name](changed, records)
    changed.pop("clock", None)
    assert repr(rules) != before
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = try_tool(tmp_path, "promtool", "test", "rules", tests)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"alertname: {alert}" in done.stdout + done.stderr


RECORD_CHANGES = {
    "objective": replaced("slo:objective:ratio", "0.995", "0.994"),
    "budget": replaced("slo:error_budget:ratio", "0.005", "0.006"),
    "burn rate": replaced("slo:current_burn_rate:ratio", "0.005", "0.0055"),
    "burn rate of another window": replaced("slo:current_burn_rate:ratio", "rate5m", "rate30m"),
    "budget left": replaced("slo:period_error_budget_remaining:ratio", "0.005", "0.0055"),
    "a mean of ratios": replaced(
        "slo:sli_error:ratio_rate30d", "bad_events:rate1h", "sli_error:ratio_rate1h"
    ),
    "NaN without traffic": replaced("slo:sli_error:ratio_rate30m", " > 0)", ")"),
    "a shorter window": replaced("slo:sli_error:ratio_rate2h", "[2h]", "[1h]"),
    "a longer window": replaced("slo:sli_error:ratio_rate30m", "[30m]", "[2h]"),
    "tiles": replaced("slo:sli_error:ratio_rate1d", "[1d:1h]", "[1h:1h]"),
}


@pytest.mark.parametrize("name", RECORD_CHANGES)
def test_a_changed_record_turns_the_test_red(name: str, tmp_path: Path) -> None:
    write(read(HEAD + RUNS, tmp_path), tmp_path)
    path = tmp_path / "rules/slo-agent-runs.rules.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    records = [r for group in document["groups"] for r in group["rules"] if "record" in r]
    RECORD_CHANGES[name]({}, records)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    tests = "rules/tests/slo-agent-runs-every-5m.yml"
    done = try_tool(tmp_path, "promtool", "test", "rules", tests)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "expr:" in done.stdout + done.stderr


def duration(text: str) -> int:
    """Milliseconds of a Prometheus duration."""
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)(ms|[dhms])", text))


def file_of(alert: str, folder: Path) -> tuple[int, str]:
    """The clock and the path of the file that tests ``alert``."""
    for path in sorted(folder.glob("rules/tests/*.yml")):
        text = path.read_text(encoding="utf-8")
        if f"{alert}/burns_and_recovers" in text:
            clock = re.search(r"^evaluation_interval: (\S+)$", text, re.MULTILINE)
            assert clock is not None
            return duration(clock[1]), str(path.relative_to(folder))
    raise AssertionError(alert)


# --- the shape of the bundle -----------------------------------------------------------------


def test_each_objective_has_files_of_its_own(tmp_path: Path) -> None:
    """promtool evaluates every rule of the files a test names, so the time stays linear."""
    spec = read(HEAD + RUNS + PAGES, tmp_path)
    files = {**prometheus.render(spec), **promtool.render(spec)}
    assert {path.split("/")[-1] for path in files} == {
        "prometheus.yml",
        "slo-agent-runs.rules.yml",
        "slo-agent-runs-every-1m.yml",
        "slo-agent-runs-every-5m.yml",
        "slo-agent-runs-every-30m.yml",
        "slo-pages.rules.yml",
        "slo-pages-every-1m.yml",
        "slo-pages-every-5m.yml",
        "slo-pages-every-30m.yml",
    }
    for path, text in files.items():
        if "tests/slo-pages" in path:
            assert yaml.safe_load(text)["rule_files"] == ["../slo-pages.rules.yml"]


def test_alerts_come_after_what_they_read(tmp_path: Path) -> None:
    spec = read(HEAD + RUNS, tmp_path)
    text = prometheus.render(spec)["rules/slo-agent-runs.rules.yml"]
    own, period = yaml.safe_load(text)["groups"]
    known: set[str] = set()
    for rule in own["rules"]:
        assert set(re.findall(r"slo:[a-z_:0-9]+", rule["expr"])) <= known
        known.add(rule.get("record", ""))
    assert [kind for rule in own["rules"] for kind in ("record", "alert") if kind in rule] == (
        ["record"] * 12 + ["alert"] * 4
    )
    assert period["interval"] == "1m"


def test_without_objectives_there_are_none_of_their_files() -> None:
    spec = load_spec()
    assert not spec.slos
    assert not [path for path in promtool.render(spec) if "slo" in path]
    assert "slo" not in "".join(prometheus.render(spec).values())
