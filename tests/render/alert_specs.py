"""Specs with alerts, and the real promtool and amtool on what is rendered from them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Spec

OLDEST = ("HighErrorRate", "HighMemoryUsage", "APIRateLimitApproaching")
"""The alerts of the built-in pack that bring tests of their own; goldens show these alone."""
SEED = """
version: 1
include: [oldest.yaml]
service: {name: autogpt, owner: agents-team}
prometheus: {scrape: ['autogpt:9464'], alertmanagers: ['alertmanager:9093']}
"""
RATIO = """
version: 1
include: [oldest.yaml]
service:
  name: crawler
  owner: agents-team
  environment: staging
  runbook_base_url: https://runbooks.example.org/agents/
attributes:
  agent: {help: Agent name, max_values: 50}
  outcome: {help: How a run ended, values: [success, error, cancelled, max_steps]}
metrics:
  crawler_runs_total:
    {type: counter, from: code, attributes: [agent, outcome], help: Runs that ended}
alerts:
  RunFailureRatioHigh:
    when:
      ratio:
        bad: {metric: crawler_runs_total, where: {outcome: [error, max_steps]}}
        total: {metric: crawler_runs_total}
        by: [agent]
        window: 10m
        above: 20%
        min_events: 5
    for: 10m
    severity: critical
    owner: crawl-team
    labels: {tier: '{{ $labels.agent }}'}
    annotations:
      summary: '{{ $labels.agent }} fails too often'
      description: '{{ $value | humanizePercentage }} of the runs fail ({{ $value }})'
"""
EVERYTHING = """
version: 1
service: {name: crawler, owner: agents-team}
prometheus: {scrape_interval: 5s, evaluation_interval: 10s}
attributes: {site: {help: Site that was read}}
metrics:
  crawler_pages_total: {type: counter, from: code, attributes: [site], help: Pages fetched}
  crawler_failures_total: {type: counter, from: code, help: Pages that failed}
recording_rules:
  crawler:pages:rate5m: {expr: 'rate(crawler_pages_total[5m])', labels: {level: service}}
  crawler:failures:rate5m: {expr: 'rate(crawler_failures_total[5m])'}
alerts:
  Stalled:
    when:
      expr: |-
        # pages, not runs
        crawler:pages:rate5m{level="service"}
          < 0.5
    keep_firing_for: 5m
    severity: info
    annotations: {summary: 'Only {{ $value | humanize }} pages/s at "{{ $labels.site }}": slow'}
    tests:
      slow:
        series: {'crawler_pages_total{site="a"}': '0+2x120'}
        at:
          6m: {fires: [{value: "0.4", labels: {site: a, level: service}}]}
  Gone:
    when: {expr: absent(crawler_pages_total)}
    severity: warning
    annotations: {summary: No pages}
    tests:
      no_data: {series: {}, at: {0s: fires, 1h: fires}}
      there: {series: {crawler_pages_total: 1x99}, at: {0s: silent, 5m: silent}}
  PagesFail:
    when:
      ratio:
        bad: {metric: crawler_failures_total}
        total: {metric: crawler_pages_total}
        window: 1m
        above: 1%
    severity: warning
    annotations: {summary: 'Pages fail: {{ $value }}'}
"""
TYPED = (Path(__file__).parent / "typed_conditions.yaml").read_text(encoding="utf-8")


def read(text: str, folder: Path) -> Spec:
    """The spec written in ``text``, which may include the oldest alerts of the built-in pack."""
    (folder / "oldest.yaml").write_text(_oldest(), encoding="utf-8")
    path = folder / "observe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_spec(path)


def _oldest() -> str:
    pack = load_spec()
    parts = {
        "recording_rules": pack.recording_rules,
        "alerts": [name for name in pack.alerts if name not in OLDEST],
        "dashboards": [name for name in pack.dashboards if name != "overview"],
    }
    removed = [
        f"{section}: {{{', '.join(f'{name!r}: {{enabled: false}}' for name in map(str, names))}}}\n"
        for section, names in parts.items()
    ]
    return f"version: 1\ninclude: [autogpt]\n{''.join(removed)}"


def write(spec: Spec, folder: Path) -> None:
    """The rules of ``spec``, their tests and the configurations, below ``folder``."""
    bundle = render_bundle(spec, only=("prometheus", "promtool", "alertmanager"))
    for path, artifact in bundle.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(artifact.text, encoding="utf-8")


def run_tool(folder: Path, *command: str) -> str:
    """What a tool says in ``folder``; the test fails if it isn't content."""
    done = try_tool(folder, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def try_tool(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        package = {"amtool": "prometheus-alertmanager"}.get(command[0], "prometheus")
        pytest.skip(f"no {command[0]}; apt-get install {package}")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
