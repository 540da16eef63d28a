"""What 1,000 service level objectives cost: whole processes, from the spec's text to the files.

Prints a table and writes it to docs/benchmarks-slos.md. Before anything is measured, the rules are
counted and two runs are compared byte for byte.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "benchmarks-slos.md"
OBSERVE = (sys.executable, "-m", "autogpt_observe")
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
INTRODUCTION = """\
# The cost of many objectives

`python benchmarks/slos.py` measures this and writes this page. The spec has {count:,} objectives,
three of four on events (by agent, over 7, 28 or 90 days), one of four on latency, over 20 services'
metrics. Each figure is a whole cold process, the median of {runs} runs; byte code is compiled
before. {rules:,} rules are written, the same bytes in two runs ({machine}).

CPU is user and system time. The wall clock also has the disk in it: every file is synced before the
bundle counts as written.
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one process."""

    wall: float
    cpu: float


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


def run(command: tuple[str, ...], folder: Path) -> Cost:
    """Run a command; one that fails ends the benchmark with what it said."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(1000 * wall, 1000 * used)


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*.yml")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def count_rules(files: dict[str, bytes]) -> int:
    return sum(data.count(b"- record: ") + data.count(b"- alert: ") for data in files.values())


def measure(command: tuple[str, ...], spec: str, runs: int) -> Cost:
    costs = []
    with click.progressbar(range(runs + 1), label=command[-1], file=sys.stderr) as rounds:
        for number in rounds:
            with tempfile.TemporaryDirectory() as name:
                (Path(name) / "observe.yaml").write_text(spec, encoding="utf-8")
                cost = run(command, Path(name))
            if number > 0:
                costs.append(cost)
    wall, cpu = (statistics.median(values) for values in zip(*map(_pair, costs), strict=True))
    return Cost(wall, cpu)


def _pair(cost: Cost) -> tuple[float, float]:
    return cost.wall, cost.cpu


def same_bytes_twice(spec: str, command: tuple[str, ...]) -> dict[str, bytes]:
    """What the command writes; ends the benchmark if a second run writes something else."""
    results = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "observe.yaml").write_text(spec, encoding="utf-8")
            run(command, Path(name))
            results.append(written(Path(name)))
    if results[0] != results[1]:
        sys.exit("two runs wrote different bytes")
    return results[0]


@click.command()
@click.option("--count", default=1000, show_default=True, help="Objectives in the spec.")
@click.option("--runs", default=7, show_default=True, help="Runs to take the median of.")
def main(count: int, runs: int) -> None:
    """Measure, print the table, write docs/benchmarks-slos.md."""
    spec = spec_text(count)
    subjects = {
        "`validate`: read, all checks": (*OBSERVE, "validate"),
        "`generate --only prometheus`: the same, rules written": (
            *OBSERVE,
            "generate",
            "--only",
            "prometheus",
        ),
        "`generate --only promtool`: the same, their unit tests written": (
            *OBSERVE,
            "generate",
            "--only",
            "promtool",
        ),
    }
    rules = count_rules(same_bytes_twice(spec, (*OBSERVE, "generate", "--only", "prometheus")))
    assert rules >= RULES_OF_ONE * count
    lines = ["| process | wall ms | CPU ms |", "|---|---:|---:|"]
    for name, command in subjects.items():
        cost = measure(command, spec, runs)
        lines.append(f"| {name} | {cost.wall:.0f} | {cost.cpu:.0f} |")
    table = "\n".join(lines)
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    introduction = INTRODUCTION.format(count=count, runs=runs, rules=rules, machine=machine)
    REPORT.write_text(f"{introduction}\n{table}\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
