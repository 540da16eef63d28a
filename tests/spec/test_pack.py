"""The built-in pack `autogpt`: all of it is used, explained, and can be taken apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.names import HISTOGRAM_SUFFIXES, SIGNALS, MetricSource, PromQL
from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.render.grafana.queries import plot
from autogpt_observe.spec.load import load_spec, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"
SEED = {
    "HighErrorRate": "rate(autogpt_errors_total[5m]) > 0.1",
    "HighMemoryUsage": "autogpt_memory_usage_bytes / autogpt_memory_limit_bytes > 0.9",
    "APIRateLimitApproaching": "rate(autogpt_api_calls_total[1m]) > 80",
}
SUMMARY_SAYS_IT_ALL = {"APIRateLimitApproaching"}
SMALL = "version: 1\ninclude: [autogpt]\nservice: {name: s, owner: o}\n"
PACK = load_spec()
ALERTS = [str(name) for name in PACK.alerts]


def _expressions() -> Iterator[str]:
    for alert in PACK.alerts.values():
        yield condition_expr(alert.when, PACK)
    for rule in PACK.recording_rules.values():
        yield rule.expr
    for dashboard in PACK.dashboards.values():
        for row in dashboard.rows:
            for panel in row.panels:
                yield from (query.expr for query in plot(panel, PACK.metrics).queries)


@pytest.mark.parametrize("name", ALERTS)
def test_alert_says_what_to_do(name: str) -> None:
    alert = next(alert for known, alert in PACK.alerts.items() if known == name)
    texts = {str(key): text for key, text in alert.annotations.items()}
    assert texts["summary"]
    assert texts.get("description") or name in SUMMARY_SAYS_IT_ALL
    assert alert.runbook.meaning
    assert alert.runbook.causes
    assert alert.runbook.steps
    assert alert.runbook.dashboards
    assert set(alert.runbook.dashboards) <= set(PACK.dashboards)


def test_old_alerts_are_what_they_were() -> None:
    found = {str(n): str(a.when) for n, a in PACK.alerts.items() if isinstance(a.when, PromQL)}
    assert found == {**SEED, "Watchdog": "vector(1)"}


def test_the_page_shows_every_alert_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (critical|warning|info) \|", PAGE.read_text(), re.MULTILINE)
    assert dict(rows) == {str(name): alert.severity.value for name, alert in PACK.alerts.items()}


def test_the_page_explains_every_metric_and_outcome() -> None:
    page = PAGE.read_text(encoding="utf-8")
    outcomes = next(a.values for name, a in PACK.attributes.items() if name == "outcome")
    assert [word for word in (*PACK.metrics, *outcomes) if f"`{word}`" not in page] == []


def test_every_metric_is_read() -> None:
    words = {word for text in _expressions() for word in re.findall(r"\w+", text)}
    unread = [
        name
        for name in PACK.metrics
        if words.isdisjoint((name, *(f"{name}{suffix}" for suffix in HISTOGRAM_SUFFIXES)))
    ]
    assert unread == []


def test_every_signal_feeds_a_metric() -> None:
    assert {m.from_ for m in PACK.metrics.values()} == {*SIGNALS, MetricSource.CODE}


def test_every_attribute_is_carried() -> None:
    carried = {attribute for m in PACK.metrics.values() for attribute in m.attributes}
    assert carried == set(PACK.attributes)


def test_what_people_are_woken_for() -> None:
    assert {str(n) for n, a in PACK.alerts.items() if a.severity == "critical"} == {
        "AgentTelemetryAbsent",
        "DependencyDown",
        "HighMemoryUsage",
        "ModelAccessLost",
        "ModelProviderFailing",
        "QueueConsumerDead",
        "QueueWaitTooLong",
        "RunsFailing",
        "SpendRunaway",
    }


@pytest.mark.parametrize("name", [str(name) for name in PACK.dashboards])
def test_dashboard_can_be_left_out(name: str, tmp_path: Path) -> None:
    path = tmp_path / "observe.yaml"
    path.write_text(f"{SMALL}dashboards: {{{name}: {{enabled: false}}}}\n", encoding="utf-8")
    loaded = read_spec(path)
    assert loaded.diagnostics == ()
    assert loaded.spec is not None
    assert {name for a in loaded.spec.alerts.values() for name in a.runbook.dashboards} == (
        {str(known) for known in PACK.dashboards} - {name}
    )


@pytest.mark.parametrize("name", ALERTS)
def test_alert_can_be_left_out(name: str, tmp_path: Path) -> None:
    path = tmp_path / "observe.yaml"
    path.write_text(f"{SMALL}alerts: {{{name}: {{enabled: false}}}}\n", encoding="utf-8")
    loaded = read_spec(path)
    assert loaded.diagnostics == ()
    assert loaded.spec is not None
    assert {*ALERTS} - {str(known) for known in loaded.spec.alerts} == {name}
