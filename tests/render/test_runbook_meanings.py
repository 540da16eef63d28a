"""What the pages of alerts say of their conditions, in plain words."""

# ruff: noqa: E501 - what a page says stands as it is printed

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alert_specs import read
from markdown_reader import shown
from runbook_specs import EVERY_KIND, section, with_alerts

from autogpt_observe.render import runbooks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    files = runbooks.render(read(EVERY_KIND, tmp_path_factory.mktemp("spec")))
    return {path.removeprefix("docs/runbooks/"): text for path, text in files.items()}


MEANINGS = {
    "Ratio": "In the last 10m, more than 20% of crawler_runs_total (Runs that ended) were bad:"
    " those where outcome is error or empty. Each agent is judged alone. Fewer than 5 events are"
    " too few for a verdict. That must hold for 10m without a break. After it cleared, the alert"
    " fires on for 5m.",
    "Rate": "crawler_runs_total (Runs that ended) where outcome is error rose by more than 0.5 per"
    " second, on average over the last 5m. Each agent is judged alone.",
    "Increase": "crawler_pages_total (Pages read | fetched) rose by less than 10 in the last 1h."
    " Each site is judged alone. That must hold for 15m without a break.",
    "Threshold": "The largest crawler_disk_used_bytes (Disk used) is above 90% of"
    " crawler_disk_size_bytes.",
    "Level": "The sum of crawler_disk_used_bytes (Disk used) is above 20Gi.",
    "Quantile": "The 99th percentile of crawler_run_duration_seconds (Time of runs) over the last"
    " 10m is above 30s. Each agent is judged alone. Fewer than 20 events are too few for a"
    " verdict.",
    "Absent": "No series of crawler_active_runs (Runs in progress) was there in the last 10m:"
    " nothing reports it.",
    "Stale": "The newest moment that crawler_last_success_seconds (When a run last succeeded)"
    " holds is longer ago than 1h, while crawler_active_runs (Runs in progress) is above 0. Each"
    " agent is judged alone.",
    "Trend": "The largest crawler_disk_used_bytes (Disk used) will be above 100% of"
    " crawler_disk_size_bytes in 4h, if it goes on as in the last 6h.",
    "Raw": "The query below has a result: one alert for each of its series. That must hold for 2m"
    " without a break.",
    "AgentRunsErrorBudgetBurn1h": "The error budget of the objective agent-runs burns more than"
    " 14.4 times as fast as it may, over the last 1h, and over the last 5m as well. 99.5% of the"
    " events in 30d are to be good. At that pace 2% of the budget goes in 1h, and all of it in"
    " 2d2h. Each agent is judged alone. Fewer than 10 events are too few for a verdict. That must"
    " hold for 2m without a break.",
    "AgentRunsErrorBudgetBurn3d": "The error budget of the objective agent-runs burns faster than"
    " it may, over the last 3d, and over the last 6h as well. 99.5% of the events in 30d are to be"
    " good. At that pace 10% of the budget goes in 3d, and all of it in 30d. Each agent is judged"
    " alone. Fewer than 10 events are too few for a verdict. That must hold for 1h without a"
    " break.",
}


@pytest.mark.parametrize("name", MEANINGS)
def test_a_condition_in_plain_words(pages: Mapping[str, str], name: str) -> None:
    paragraphs = section(pages[f"{name}.md"], "What it means").split("\n\n")
    assert shown(paragraphs[-1]) == MEANINGS[name]


@pytest.mark.parametrize(
    ("when", "meaning"),
    [
        (
            (
                "ratio: {bad: {metric: crawler_pages_total, where: {site: [a]}}, total: {metric:"
                " crawler_runs_total}, window: 5m, above: 1%}"
            ),
            (
                "In the last 5m, crawler_pages_total (Pages read | fetched) where site is a counted"
                " more than 1% of what crawler_runs_total (Runs that ended) counted."
            ),
        ),
        (
            "threshold: {metric: crawler_active_runs, by: [agent], below: 2}",
            (
                "The smallest crawler_active_runs (Runs in progress) is below 2. Each agent is judged"
                " alone."
            ),
        ),
        (
            "threshold: {metric: crawler_disk_used_bytes, above: 1000}",
            "The largest crawler_disk_used_bytes (Disk used) is above 1000 bytes.",
        ),
        (
            (
                "quantile: {metric: crawler_run_duration_seconds, percentile: 99.9%, window: 5m,"
                " above: 10s}"
            ),
            (
                "The 99.9th percentile of crawler_run_duration_seconds (Time of runs) over the last 5m"
                " is above 10s."
            ),
        ),
        (
            (
                "quantile: {metric: crawler_run_duration_seconds, percentile: 0.92, window: 5m,"
                " below: 1s}"
            ),
            (
                "The 92nd percentile of crawler_run_duration_seconds (Time of runs) over the last 5m"
                " is below 1s."
            ),
        ),
        (
            "absent: {metric: crawler_runs_total, where: {outcome: [success]}}",
            (
                "No series of crawler_runs_total (Runs that ended) where outcome is success is there:"
                " nothing reports it."
            ),
        ),
        (
            "rate: {metric: crawler_runs_total, by: [agent, outcome], window: 5m, below: 1}",
            (
                "crawler_runs_total (Runs that ended) rose by less than 1 per second, on average over"
                " the last 5m. Each combination of agent and outcome is judged alone."
            ),
        ),
    ],
)
def test_other_limits_in_plain_words(tmp_path: Path, when: str, meaning: str) -> None:
    alert = f"{{A: {{when: {{{when}}}, severity: info, annotations: {{summary: s}}}}}}"
    page = runbooks.render(with_alerts(tmp_path, alert))["docs/runbooks/A.md"]
    assert shown(section(page, "What it means")) == meaning


def test_a_watchdog_says_what_its_silence_means(tmp_path: Path) -> None:
    alert = (
        "{A: {when: {expr: vector(1)}, watchdog: true, severity: info, annotations: {summary: s}}}"
    )
    page = runbooks.render(with_alerts(tmp_path, alert))["docs/runbooks/A.md"]
    assert section(page, "What it means") == (
        "It always fires. Its silence means that alerts no longer arrive."
    )


def test_what_the_spec_says_comes_first_and_means_itself(pages: Mapping[str, str]) -> None:
    ratio = pages["Ratio.md"]
    assert section(ratio, "What it means").split("\n\n")[:2] == [
        r"Users of an \*agent\* get no answer; see [the board](https://board.example/a_b).",
        "Paid for all the same.",
    ]
    assert section(ratio, "Likely causes") == (
        "1. The provider is down\n2. A prompt was changed: `git log prompts/`"
    )
    assert section(ratio, "First steps") == (
        "1. Open <https://status.example>\n2. Roll back with `make rollback`"
    )
    assert section(pages["Rate.md"], "Likely causes") == ""
