"""What the command line costs, beside a bare Python and beside one that loads the dependencies."""

from __future__ import annotations

import sys

from processes import Program
from rounds import measure
from tables import Headline, Table, format_time

OBSERVE = (sys.executable, "-m", "autogpt_observe")
GENERATE = (*OBSERVE, "generate")
DEPENDENCIES = (
    "click, jsonschema, opentelemetry.sdk.trace, orjson, prometheus_client, promql_parser, psutil,"
    " requests, structlog, waitress, yaml"
)
FLOOR, PEER = "floor: `python -c pass`", "import the dependencies"
VERSION, VALIDATE = "`autogpt-observe --version`", "`autogpt-observe validate`"
EMPTY = "`autogpt-observe generate`, empty folder"
PROGRAMS = (
    Program(FLOOR, (sys.executable, "-c", "pass")),
    Program(PEER, (sys.executable, "-c", f"import {DEPENDENCIES}")),
    Program(VERSION, (*OBSERVE, "--version")),
    Program(VALIDATE, (*OBSERVE, "validate")),
    Program(EMPTY, GENERATE),
    Program("`autogpt-observe generate --check`, no drift", (*GENERATE, "--check"), GENERATE),
)
ABOUT = """\
User and system time of whole processes, start and end included; byte code is compiled before. The
commands work on the packaged default spec. The peer is a Python that imports the dependencies and
does nothing: the least a tool would cost that loads them all at its start."""


def tables(rounds: int) -> list[Table]:
    figures = measure(PROGRAMS, rounds)
    peer = f"imports of the dependencies {format_time(figures[PEER].median)}"
    targets = {VERSION: "<= 100 ms", VALIDATE: "<= 500 ms", EMPTY: "<= 500 ms"}
    headlines = tuple(
        Headline(f"CLI: {name}", target, format_time(figures[name].median), peer)
        for name, target in targets.items()
    )
    return [Table("Command line", ABOUT, figures, PEER, headlines=headlines)]
