"""Measures what this package costs, beside what people would use instead.

Prints tables; where everything was measured, writes docs/benchmarks.md as well. The numbers of one
run compare with one another; those of two machines, or of two loads, do not.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from processes import PEERS, ROOT, find_python
from tables import HEADLINE_HEADER, format_markdown, format_plain, headline_rows

if TYPE_CHECKING:
    from tables import Table

REPORT = ROOT / "docs" / "benchmarks.md"
NAMES = (
    "exposition",
    "multiprocess",
    "steps",
    "model",
    "logs",
    "redaction",
    "trace_export",
    "startup",
    "ending",
    "command_line",
    "slos",
)
INTRODUCTION = """\
# Benchmarks

`make bench` measures all this in some minutes and writes this page; `python benchmarks/run.py
steps` measures one part and prints it (`--help` lists them).

Read the ratios, not the times: those are one machine's, and one load's:
{machine}.

All ways of a table take turns, {rounds} rounds of them, so that a busy moment hits all alike; a
ratio is the median of the rounds' ratios. Times are CPU time, unless a table says otherwise. That
all ways do the same work is asserted before the clock starts; a difference ends the run.

"By hand" is what a good engineer would write with prometheus_client, opentelemetry-sdk and
structlog. {peers}

## Targets
"""
WITH_PEERS = """\
Other tools are measured where they can be installed, in an environment of their own
(`.bench-venv`), and then our side runs there too."""
WITHOUT_PEERS = "Other tools were not installed for this run: `make bench` does that."


def machine() -> str:
    """What it was measured on, in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} x {model},"
        f" load {load:.1f} at the start"
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def page(tables: list[Table], machine_line: str, rounds: int) -> str:
    """docs/benchmarks.md."""
    peers = WITHOUT_PEERS if find_python() == sys.executable else WITH_PEERS
    parts = [
        INTRODUCTION.format(machine=machine_line, rounds=rounds, peers=peers),
        format_markdown(HEADLINE_HEADER, headline_rows(tables)),
    ]
    said: set[str] = set()
    for table in tables:
        parts.append(f"\n## {table.title}\n")
        if table.about not in said:
            parts.append(table.about + "\n")
        said.add(table.about)
        parts.append(format_markdown(table.header, table.rows()))
    return "\n".join(parts) + "\n"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar=f"[{'|'.join(NAMES)}]...")
@click.option("--rounds", default=5, show_default=True, help="Rounds to take the median of.")
@click.option("--write/--no-write", default=None, help="Write docs/benchmarks.md [default: if all]")
def main(names: tuple[str, ...], rounds: int, *, write: bool | None) -> None:
    """Measure NAMES, by default everything, and print the tables."""
    described = machine()
    print(described)
    if find_python() == sys.executable:
        print(f"{PEERS.name} is missing: other tools are left out; `make bench` installs them")
    tables: list[Table] = []
    for name in names or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for table in importlib.import_module(name).tables(rounds):
            tables.append(table)
            print("\n" + format_plain(table.title, table.header, table.rows()), flush=True)
    print("\n" + format_plain("Targets", HEADLINE_HEADER, headline_rows(tables)))
    if not names if write is None else write:
        REPORT.write_text(page(tables, described, rounds), encoding="utf-8")
        print(f"\nwrote {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
