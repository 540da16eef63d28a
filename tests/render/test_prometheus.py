"""Prometheus' configuration and rules, and Prometheus' own opinion of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from alert_specs import EVERYTHING, RATIO, SEED, read, run_tool, write
from hypothesis import given
from hypothesis import strategies as st
from small_specs import assert_golden, small_spec

from autogpt_observe.names import LabelName, Name, PromQL, Url
from autogpt_observe.render.prometheus import render
from autogpt_observe.spec.model import Alert, Severity, Spec
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from pathlib import Path

CASES = {"seed": SEED, "ratio": RATIO, "everything": EVERYTHING}


def an_alert(expr: str) -> Alert:
    return Alert(
        when=PromQL(expr),
        severity=Severity.WARNING,
        annotations={LabelName("summary"): "Look"},
    )


@pytest.mark.parametrize("case", CASES)
def test_rules_and_configuration(case: str, tmp_path: Path) -> None:
    assert_golden(f"prometheus_{case}", render(read(CASES[case], tmp_path)))


@pytest.mark.parametrize("case", CASES)
def test_prometheus_takes_them(case: str, tmp_path: Path) -> None:
    write(read(CASES[case], tmp_path), tmp_path)
    said = run_tool(tmp_path, "promtool", "check", "config", "rules/prometheus.yml")
    assert "SUCCESS: rules/prometheus.yml is valid prometheus config file syntax" in said
    rules = [str(path) for path in sorted((tmp_path / "rules").glob("*.rules.yml"))]
    run_tool(tmp_path, "promtool", "check", "rules", "--lint-fatal", *rules)


def test_the_seed_keeps_its_alerts(tmp_path: Path) -> None:
    text = render(read(SEED, tmp_path))["rules/alerts.rules.yml"]
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    added = {"owner": "agents-team", "service": "autogpt"}
    assert rules == [
        {
            "alert": "HighErrorRate",
            "expr": "rate(autogpt_errors_total[5m]) > 0.1",
            "for": "2m",
            "labels": {"severity": "warning", **added},
            "annotations": {
                "summary": "High error rate detected",
                "description": "Error rate is {{ $value }} per second",
            },
        },
        {
            "alert": "HighMemoryUsage",
            "expr": "autogpt_memory_usage_bytes / autogpt_memory_limit_bytes > 0.9",
            "for": "5m",
            "labels": {"severity": "critical", **added},
            "annotations": {
                "summary": "High memory usage",
                "description": "Memory usage is above 90%",
            },
        },
        {
            "alert": "APIRateLimitApproaching",
            "expr": "rate(autogpt_api_calls_total[1m]) > 80",
            "for": "1m",
            "labels": {"severity": "warning", **added},
            "annotations": {"summary": "API rate limit approaching"},
        },
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_raw_promql_stands_character_for_character(expr: str) -> None:
    files = render(small_spec(alerts={Name("Raw"): an_alert(expr)}))
    (rule,) = yaml.safe_load(files["rules/alerts.rules.yml"])["groups"][0]["rules"]
    assert rule["expr"] == expr


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://wiki.example.org/runbooks", "https://wiki.example.org/runbooks/Raw"),
        ("https://wiki.example.org/runbooks/", "https://wiki.example.org/runbooks/Raw"),
        ("https://wiki.example.org", "https://wiki.example.org/Raw"),
    ],
)
def test_the_runbook_is_below_the_base(base: str, url: str) -> None:
    spec = small_spec(alerts={Name("Raw"): an_alert("up == 0")})
    spec = replace(spec, service=replace(spec.service, runbook_base_url=Url(base)))
    (rule,) = yaml.safe_load(render(spec)["rules/alerts.rules.yml"])["groups"][0]["rules"]
    assert rule["annotations"] == {"summary": "Look", "runbook_url": url}


def test_a_service_without_alerts_has_a_configuration(tmp_path: Path) -> None:
    spec = small_spec()
    assert list(render(spec)) == ["rules/prometheus.yml"]
    write(spec, tmp_path)
    run_tool(tmp_path, "promtool", "check", "config", "rules/prometheus.yml")


def test_a_scaled_clock_is_taken_too(tmp_path: Path) -> None:
    spec: Spec = read(SEED, tmp_path)
    fast = replace(
        spec.prometheus, scrape_interval=Duration(200), evaluation_interval=Duration(200)
    )
    write(replace(spec, prometheus=fast), tmp_path)
    run_tool(tmp_path, "promtool", "check", "config", "rules/prometheus.yml")
