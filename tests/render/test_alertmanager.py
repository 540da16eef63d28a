"""Routing, and amtool's opinion of where an alert goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alert_specs import SEED, read, run_tool, try_tool, write
from small_specs import assert_golden, small_spec

from autogpt_observe.render.alertmanager import render

if TYPE_CHECKING:
    from pathlib import Path

NOTIFICATIONS = """
notifications:
  receivers:
    everybody: {webhook: {url: 'http://127.0.0.1:9000/all'}}
    pager: {webhook: {url: 'https://pager.example.org/hook?team=a&x=%20', send_resolved: false}}
    crawlers: {webhook: {url: 'http://127.0.0.1:9000/crawlers'}}
    ledger: {webhook: {url: 'http://127.0.0.1:9000/ledger'}}
  default: everybody
  group_by: [alertname, service, agent]
  group_wait: 0s
  group_interval: 1m30s
  repeat_interval: 1d
  routes:
    known-noise: {receiver: ledger, severity: [info]}
    page: {receiver: pager, severity: [critical], continue: true}
    crawl: {receiver: crawlers, severity: [warning, critical], owner: [crawl-team, spider-team]}
    rest: {receiver: everybody}
"""
CASES = {
    "one_receiver": SEED
    + "notifications: {receivers: {hook: {webhook: {url: 'http://a:8080/x'}}}, default: hook}\n",
    "routes": SEED + NOTIFICATIONS,
}


@pytest.mark.parametrize("case", CASES)
def test_configuration(case: str, tmp_path: Path) -> None:
    assert_golden(f"alertmanager_{case}", render(read(CASES[case], tmp_path)))


@pytest.mark.parametrize("case", CASES)
def test_alertmanager_takes_it(case: str, tmp_path: Path) -> None:
    write(read(CASES[case], tmp_path), tmp_path)
    said = run_tool(tmp_path, "amtool", "check-config", "rules/alertmanager.yml")
    assert "SUCCESS" in said


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("severity=critical", "owner=agents-team"), "pager,everybody"),
        (("severity=critical", "owner=crawl-team"), "pager,crawlers"),
        (("severity=warning", "owner=spider-team"), "crawlers"),
        (("severity=warning", "owner=spider-team-2"), "everybody"),
        (("severity=info", "owner=crawl-team"), "ledger"),
        (("severity=warning", "owner=agents-team"), "everybody"),
    ],
)
def test_an_alert_goes_where_the_spec_says(
    labels: tuple[str, ...], receivers: str, tmp_path: Path
) -> None:
    write(read(CASES["routes"], tmp_path), tmp_path)
    config = "--config.file=rules/alertmanager.yml"
    done = try_tool(tmp_path, "amtool", "config", "routes", "test", config, *labels)
    assert (done.returncode, done.stdout.strip()) == (0, receivers)


def test_without_notifications_nothing_is_written() -> None:
    assert render(small_spec()) == {}
