"""What the command line costs: CPU time of whole processes, beside a bare Python's.

Prints a table and writes it to docs/benchmarks.md. The numbers of one run compare with one
another; those of two machines, or of two loads, do not.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "benchmarks.md"
OBSERVE = (sys.executable, "-m", "autogpt_observe")
DEPENDENCIES = (
    "click, jsonschema, opentelemetry.sdk.trace, orjson, prometheus_client, promql_parser, psutil,"
    " requests, structlog, waitress, yaml"
)

INTRODUCTION = """\
# Benchmarks

`make bench` measures this and writes this page. Each figure is the CPU time (user and system) of a
whole process, start and end included; the median of {runs} runs, taken in turns so that a busy
moment hits all lines alike. Byte code is compiled before the first. Read the ratios: the
milliseconds are one machine's ({machine}).

The floor is a Python that does nothing. The peer is a Python that imports the dependencies, and
does nothing: the least a tool would cost that loads them all at its start. The commands work on the
packaged default spec.
"""


@dataclass(frozen=True)
class Subject:
    """A command line to measure.

    Attributes:
        name: what the table calls it.
        before: run first, in the same folder, and not measured.
    """

    name: str
    command: tuple[str, ...]
    before: tuple[str, ...] | None = None


FLOOR = Subject("floor: `python -c pass`", (sys.executable, "-c", "pass"))
PEER = Subject("peer: import the dependencies", (sys.executable, "-c", f"import {DEPENDENCIES}"))
GENERATE = (*OBSERVE, "generate")
SUBJECTS = (
    FLOOR,
    PEER,
    Subject("`autogpt-observe --version`", (*OBSERVE, "--version")),
    Subject("`autogpt-observe validate`", (*OBSERVE, "validate")),
    Subject("`autogpt-observe generate`, empty folder", GENERATE),
    Subject("`autogpt-observe generate --check`, no drift", (*GENERATE, "--check"), GENERATE),
)


def measure(subject: Subject) -> float:
    """CPU milliseconds of one run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if subject.before is not None:
            run(subject.before, folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(subject.command, folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return 1000 * (user + system)


def run(command: tuple[str, ...], folder: str) -> None:
    """Run a command; one that fails ends the benchmark with what it said."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}{done.stderr}")


def measure_all(runs: int) -> dict[Subject, float]:
    """The median of each subject over ``runs`` rounds, after one round that is thrown away."""
    samples: dict[Subject, list[float]] = {subject: [] for subject in SUBJECTS}
    with click.progressbar(range(runs + 1), label="measuring", file=sys.stderr) as rounds:
        for number in rounds:
            for subject in SUBJECTS:
                taken = measure(subject)
                if number > 0:
                    samples[subject].append(taken)
    return {subject: statistics.median(taken) for subject, taken in samples.items()}


def format_table(medians: dict[Subject, float]) -> str:
    """The figures as a Markdown table."""
    lines = ["| process | CPU ms | x floor | x peer |", "|---|---:|---:|---:|"]
    for subject, cost in medians.items():
        floor, peer = cost / medians[FLOOR], cost / medians[PEER]
        lines.append(f"| {subject.name} | {cost:.0f} | {floor:.1f} | {peer:.2f} |")
    return "\n".join(lines)


@click.command()
@click.option("--runs", default=15, show_default=True, help="Rounds to take the median of.")
def main(runs: int) -> None:
    """Measure, print the table, write docs/benchmarks.md."""
    table = format_table(measure_all(runs))
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    introduction = INTRODUCTION.format(runs=runs, machine=machine)
    REPORT.write_text(f"{introduction}\n{table}\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
