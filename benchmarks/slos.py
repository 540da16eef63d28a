"""What 1,000 service level objectives cost: whole processes, from the spec's text to the files.

Before anything is measured, the rules are counted and two runs are compared byte for byte.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from processes import Program
from rounds import measure
from tables import Headline, Table, format_time

OBSERVE = (sys.executable, "-m", "autogpt_observe")
COUNT = 1000
RULES_OF_ONE = 18
"""At least: 12 to 13 records and 4 alerts, and 2 records for the period."""

HEAD = """\
version: 1
service: {name: fleet, owner: agents-team}
prometheus: {series_budget: 1000000}
buckets: {run_time: [1s, 10s, 30s, 1m]}
attributes:
  agent: {help: Agent name, max_values: 10}
  outcome: {help: How a run ended, values: [success, error, max_steps]}
metrics:
"""
METRICS = """\
  fleet%d_runs_total: {type: counter, from: code, attributes: [agent, outcome], help: Runs}
  fleet%d_run_duration_seconds:
    {type: histogram, from: code, unit: seconds, buckets: run_time, help: Time for a run}
"""
EVENTS = """\
  team-%d-runs:
    objective: 99.5%%
    window: %s
    events:
      bad: {metric: fleet%d_runs_total, where: {outcome: [error, max_steps]}}
      total: {metric: fleet%d_runs_total}
    by: [agent]
    min_events: 20
"""
LATENCY = """\
  team-%d-latency:
    objective: 99%%
    window: 30d
    latency: {metric: fleet%d_run_duration_seconds, within: 30s}
"""
ABOUT = """\
The spec has {count:,} objectives, three of four on events (by agent, over 7, 28 or 90 days), one of
four on latency, over 20 services' metrics. User and system time of whole cold processes; byte code
is compiled before. {rules:,} rules are written, the same bytes in two runs."""


def spec_text(count: int, *, services: int = 20) -> str:
    parts = [HEAD]
    parts += [METRICS % (service, service) for service in range(services)]
    parts.append("slos:\n")
    for number in range(count):
        service = number % services
        if number % 4 == 3:  # noqa: PLR2004 - one of four
            parts.append(LATENCY % (number, service))
        else:
            window = ("7d", "28d", "90d")[number % 4]
            parts.append(EVENTS % (number, window, service, service))
    return "".join(parts)


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*.yml")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def count_rules(files: dict[str, bytes]) -> int:
    return sum(data.count(b"- record: ") + data.count(b"- alert: ") for data in files.values())


def same_bytes_twice(spec: str, command: tuple[str, ...]) -> dict[str, bytes]:
    """What the command writes; ends the benchmark if a second run writes something else."""
    results = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "observe.yaml").write_text(spec, encoding="utf-8")
            subprocess.run(command, cwd=name, check=True, capture_output=True)
            results.append(written(Path(name)))
    if results[0] != results[1]:
        sys.exit("two runs wrote different bytes")
    return results[0]


VALIDATE = "`validate`: read, all checks"
RULES = "`generate --only prometheus`: the same, rules written"


def tables(rounds: int) -> list[Table]:
    spec = spec_text(COUNT)
    write = (*OBSERVE, "generate", "--only", "prometheus")
    rules = count_rules(same_bytes_twice(spec, write))
    assert rules >= RULES_OF_ONE * COUNT
    files = (("observe.yaml", spec),)
    programs = [
        Program(VALIDATE, (*OBSERVE, "validate"), files=files),
        Program(RULES, write, files=files),
    ]
    figures = measure(programs, min(rounds, 5))
    headline = Headline(
        f"{COUNT:,} SLOs: checks, {rules:,} rules written",
        "<= 2 s",
        format_time(figures[RULES].median),
        "-",
    )
    about = ABOUT.format(count=COUNT, rules=rules)
    return [Table(f"{COUNT:,} objectives", about, figures, RULES, headlines=(headline,))]
