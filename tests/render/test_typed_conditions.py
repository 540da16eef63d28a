"""Typed conditions: what they say in PromQL, and tests that turn red for every changed rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alert_specs import TYPED, read, run_tool, write
from condition_samples import METRICS, specs
from hypothesis import HealthCheck, Phase, given, settings
from rule_mutants import mutants, survivors, trials_of
from small_specs import small_spec

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import LabelName, MetricName, Name
from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.render.promtool import render
from autogpt_observe.spec.model import (
    AbsentCondition,
    Alert,
    BucketBound,
    QuantileCondition,
    Severity,
    StaleCondition,
    TrendCondition,
)
from autogpt_observe.spec.model.conditions import Activity
from autogpt_observe.units import Amount, Duration, Ratio

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.spec.model import Spec, When

EXPRESSIONS = {
    "RateAbove": 'sum by (agent) (rate(pages_total{state="broken"}[5m])) > 0.1',
    "RateBelow": "sum(rate(pages_total[10m])) < 0.5",
    "RateBytes": "sum(rate(sent_bytes_total[10m])) > 2097152",
    "IncreaseAbove": 'sum by (agent) (increase(pages_total{state=~"ready|busy"}[1h])) > 100',
    "IncreaseAny": "sum(increase(pages_total[5m])) > 0",
    "GaugeBelow": "min(queue) < 0.5",
    "GaugeSum": 'sum by (agent) (queue{state=~"ready|busy"}) > 7',
    "GaugeZero": "max(queue) > 0",
    "MemoryHigh": (
        "max by (instance) (memory_bytes) / min by (instance) (memory_limit_bytes > 0) > 0.9"
    ),
    "P99": (
        "histogram_quantile(0.99, sum by (agent, le) (rate(page_seconds_bucket[10m]))) > 10"
        " and sum by (agent) (increase(page_seconds_count[10m])) >= 20"
    ),
    "P50": (
        "histogram_quantile(0.5, sum by (le) (rate(page_seconds_bucket[10m]))) < 0.3"
        " and sum(increase(page_seconds_count[10m])) >= 1"
    ),
    "Gone": 'absent(queue{state="ready"})',
    "GoneLong": "absent_over_time(page_seconds_count[10m])",
    "Stuck": (
        "time() - max by (agent) (progress_timestamp_seconds) > 900 and max by (agent) (active) > 0"
    ),
    "DiskFull": "min by (agent) (predict_linear(disk_free_bytes[6h], 14400)) < 0",
    "DiskShare": (
        "min by (agent) (predict_linear(disk_free_bytes[1h], 14400))"
        " / max by (agent) (disk_size_bytes > 0) < 0.1"
    ),
    "Watchdog": "vector(1)",
}
LOOKS = {
    "RateAbove": {"just_below": [0, 0], "no_traffic": [0, 0], "one_group_alone": [0, 1]},
    "RateBelow": {"just_above": [0, 0], "no_traffic": [1, 1]},
    "RateBytes": {"just_below": [0, 0], "no_traffic": [0, 0]},
    "IncreaseAbove": {"just_below": [0, 0], "no_traffic": [0, 0], "one_group_alone": [0, 1]},
    "IncreaseAny": {"no_traffic": [0, 0]},
    "GaugeBelow": {"just_above": [0, 0]},
    "GaugeSum": {"just_below": [0, 0], "one_group_alone": [0, 1]},
    "GaugeZero": {"just_below": [0, 0]},
    "MemoryHigh": {"just_below": [0, 0], "no_whole": [0, 0], "one_group_alone": [0, 1]},
    "P99": {
        "just_below": [0, 0],
        "no_traffic": [0, 0],
        "few_events": [0, 0],
        "enough_events": [0, 1],
        "one_group_alone": [0, 1],
    },
    "P50": {"just_above": [0, 0], "no_traffic": [0, 0], "enough_events": [0, 1]},
    "Stuck": {"just_below": [0, 0], "no_activity": [0, 0], "one_group_alone": [0, 1]},
    "DiskFull": {"just_above": [0, 0], "no_trend": [0, 0], "one_group_alone": [0, 1]},
    "DiskShare": {"just_above": [0, 0], "no_trend": [0, 0], "one_group_alone": [0, 1]},
}
ABSENT = {"vanishes": [0, 1, 0], "there": [0, 0], "no_data": [0, 1, 1]}
SILENT = {"no_data": [0, 0, 0]}
SAME_ANYHOW = {
    "MemoryHigh: max swapped",  # an instance has one of each
    "MemoryHigh: min swapped",
    "P50: `and` dropped",  # no observation, no percentile
    "P50: sum swapped",  # all series see the same observations
}


def looks_of(document: dict[str, Any]) -> dict[str, dict[str, list[int]]]:
    """For each alert and each test, how many alerts fire at each moment."""
    found: dict[str, dict[str, list[int]]] = {}
    for test in document["tests"]:
        alert, _, name = test["name"].partition("/")
        counts = [len(look["exp_alerts"]) for look in test["alert_rule_test"]]
        found.setdefault(alert, {})[name] = counts
    return found


def looks_at(spec: Spec) -> dict[str, dict[str, list[int]]]:
    found: dict[str, dict[str, list[int]]] = {}
    for text in render(spec).values():
        found |= looks_of(yaml.safe_load(text))
    return found


def test_expressions(tmp_path: Path) -> None:
    spec = read(TYPED, tmp_path)
    said = {str(name): condition_expr(alert.when, spec) for name, alert in spec.alerts.items()}
    assert said == EXPRESSIONS


def test_every_side_is_looked_at(tmp_path: Path) -> None:
    expected = {}
    for alert, looks in LOOKS.items():
        fires = "just_above" if "just_above" not in looks else "just_below"
        expected[alert] = {fires: [0, 1, 0], **looks, **SILENT}
    expected |= dict.fromkeys(("Gone", "GoneLong"), ABSENT)
    expected["Watchdog"] = {"always": [1, 1], "no_data": [1, 1, 1]}
    assert looks_at(read(TYPED, tmp_path)) == expected


def test_every_mutant_turns_a_test_red(tmp_path: Path) -> None:
    write(read(TYPED, tmp_path), tmp_path)
    assert set(survivors(tmp_path, tmp_path / "work", thorough=True)) == SAME_ANYHOW


@pytest.mark.parametrize("evaluation", ["7s", "1m"])
def test_other_clocks(evaluation: str, tmp_path: Path) -> None:
    spec = read(TYPED, tmp_path)
    clock = replace(spec.prometheus, evaluation_interval=Duration.parse(evaluation))
    alerts = {name: spec.alerts[Name(name)] for name in map(Name, ("RateBelow", "GoneLong"))}
    write(replace(spec, prometheus=clock, alerts=alerts), tmp_path)
    assert survivors(tmp_path, tmp_path / "work") == []


LONG = """
version: 1
service: {name: crawler, owner: agents-team}
attributes: {state: {help: State, values: [ready, busy, broken]}}
metrics:
  pages_total: {type: counter, from: code, attributes: [state], help: Pages}
  queue: {type: gauge, from: code, attributes: [state], help: Queue}
  backup_timestamp_seconds: {type: gauge, unit: seconds, from: code, help: Last backup}
alerts:
"""
LONG_WHEN = {
    "Gone": ("{absent: {metric: queue, where: {state: [ready]}}}", "30d"),
    "GoneLong": ("{absent: {metric: queue, where: {state: [ready, busy]}, window: 20h}}", "0s"),
    "Stale": ("{stale: {metric: backup_timestamp_seconds, older_than: 8d}}", "1h"),
    "Rate": ("{rate: {metric: pages_total, window: 30d, below: 0.5}}", "0s"),
    "AtLimit": ("{rate: {metric: pages_total, by: [state], window: 26h, above: 3}}", "0s"),
    "Trend": ("{trend: {metric: queue, by: [state], window: 7d, ahead: 30d, above: 9}}", "1d"),
}


def test_long_times_are_tested_by_a_coarse_clock(tmp_path: Path) -> None:
    """At 15 s, promtool would take minutes, and give up on samples by the ten thousand."""
    alert = "  %s: {when: %s, for: %s, severity: info, annotations: {summary: x}}\n"
    alerts = "".join(alert % (name, *when) for name, when in LONG_WHEN.items())
    write(read(LONG + alerts, tmp_path), tmp_path)
    assert sorted(path.name for path in (tmp_path / "rules/tests").iterdir()) == [
        "alerts-every-15m.yml",
        "alerts-every-1h.yml",
        "alerts-every-2m.yml",
    ]
    for path in sorted((tmp_path / "rules/tests").iterdir()):
        assert "SUCCESS" in run_tool(tmp_path, "promtool", "test", "rules", str(path))
    assert survivors(tmp_path, tmp_path / "work", alerts=["GoneLong", "Stale"]) == []


def test_a_rule_that_is_badly_tested_is_found(tmp_path: Path) -> None:
    text = """
version: 1
service: {name: crawler, owner: agents-team}
metrics: {queue: {type: gauge, from: code, help: Queue}}
alerts:
  Long:
    when: {expr: sum by (job) (queue) > 10}
    for: 1m
    severity: info
    annotations: {summary: Long}
    tests:
      long: {series: {queue: 30x20}, at: {0s: silent, 5m: fires}}
"""
    write(read(text, tmp_path), tmp_path)
    assert survivors(tmp_path, tmp_path / "work") == [
        "Long: 10 raised",
        "Long: 10 lowered",
        "Long: by (job) dropped",
        "Long: held longer",
        "Long: held shorter",
    ]
    rules = yaml.safe_load((tmp_path / "rules/alerts.rules.yml").read_text(encoding="utf-8"))
    changed = dict(mutants(rules, Duration(15_000)))
    assert [document["groups"][0]["rules"][0]["expr"] for document in changed.values()] == [
        "sum by (job) (queue) < 10",
        "sum by (job) (queue) > 11.0",
        "sum by (job) (queue) > 9.0",
        "sum  (queue) > 10",
        "sum by (job) (queue) > 10",
        "sum by (job) (queue) > 10",
    ]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs())
def test_any_numbers_can_be_tested(spec: Spec) -> None:
    (alert,) = spec.alerts.values()
    if isinstance(alert.when, TrendCondition) and 20 * alert.when.window.ms < alert.when.ahead.ms:
        return  # so far ahead of so little, floats and fractions see different futures
    (looks,) = looks_at(spec).values()
    if isinstance(alert.when, AbsentCondition):
        assert looks["vanishes"] == [0, 1, 0]
        return
    assert [0, 1, 0] in (looks.get("just_above"), looks.get("just_below"))
    assert looks.get("one_group_alone", [0, 1]) == [0, 1]
    assert looks["no_data"] == [0, 0, 0]


def test_promtool_agrees_for_any_numbers(tmp_path: Path) -> None:
    """The same alerts every time: what is drawn is only spread wide, not new."""
    tried: list[list[str]] = []

    @settings(
        max_examples=16,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(specs())
    def check(spec: Spec) -> None:
        folder = tmp_path / str(len(tried))
        folder.mkdir()
        write(spec, folder)
        (trial,) = trials_of(folder)
        tried.append(trial.survivors(folder / "work"))

    check()
    assert len(tried) == 16


def alert(when: When, text: str = "{{ $value }}") -> Spec:
    made = Alert(when=when, severity=Severity.WARNING, annotations={LabelName("summary"): text})
    bounds = tuple(map(BucketBound.parse, ("0.1", "1s")))
    return small_spec(alerts={Name("A"): made}, metrics=METRICS, buckets={Name("all"): bounds})


def quantile(limit: str) -> QuantileCondition:
    return QuantileCondition(
        metric=MetricName("page_seconds"),
        percentile=Ratio(Decimal("0.9")),
        window=Duration(300_000),
        above=Amount.parse(limit),
    )


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            TrendCondition(
                metric=MetricName("queue"),
                window=Duration(3_600_000),
                ahead=Duration(3_600_000),
                above=Amount.parse("3"),
            ),
            (
                "the value prints with digits that differ between versions of Prometheus; show it"
                " as `{{ $value | humanize }}`"
            ),
        ),
        (
            quantile("2s"),
            (
                "the 90% percentile of these buckets is between 0.09 and 1; no limit elsewhere"
                " tells anything"
            ),
        ),
        (
            StaleCondition(
                metric=MetricName("moment_seconds"),
                where={LabelName("state"): ("ready",)},
                by=(LabelName("state"),),
                older_than=Duration(60_000),
                while_=Activity(metric=MetricName("active"), where={LabelName("state"): ("busy",)}),
            ),
            "no group has a `state` that both it and `while` count",
        ),
    ],
)
def test_a_condition_without_tests_says_why(when: When, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(alert(when))
    assert str(caught.value) == f"alert `A` can't be tested: {message}"


def test_a_histogram_without_buckets_gets_some(tmp_path: Path) -> None:
    """A third party's buckets are not known; any will do to tell the rule from a changed one."""
    spec = alert(quantile("2s"), "{{ $value | humanizeDuration }}")
    foreign = {name: replace(metric, buckets=None) for name, metric in METRICS.items()}
    write(replace(spec, metrics=foreign), tmp_path)
    assert survivors(tmp_path, tmp_path / "work") == []
