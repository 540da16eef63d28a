"""``autogpt-observe validate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli import EXIT_PROBLEM, EXIT_UNUSABLE
from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import spec_argument, spec_path
from autogpt_observe.diagnostics import Severity
from autogpt_observe.spec.load import read_all_environments

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.diagnostics import Diagnostic


@click.command(name="validate")
@spec_argument
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice([word.value for word in Severity]),
    default=Severity.ERROR.value,
    show_default=True,
    help="Least severity that fails: with `warning`, warnings exit with 1.",
)
def command(spec: Path | None, style: str, fail_on: str) -> int:
    """Report everything that is wrong with SPEC, in each of its environments too.

    \b
    Examples:
      autogpt-observe validate
      autogpt-observe validate crawler/observe.yaml --fail-on warning
      autogpt-observe validate --format json | jq '.[].message'
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    path = spec_path(spec)
    found = read_all_environments(path).diagnostics
    if style == "json":
        console.out(json.dumps([_as_json(one) for one in found], indent=2))
    else:
        console.show_diagnostics(found)
    errors = any(one.severity is Severity.ERROR for one in found)
    if errors:
        return EXIT_UNUSABLE
    if style == "text":
        console.out(f"{path or 'the packaged default spec'} is valid", colour="green")
    return EXIT_PROBLEM if found and fail_on == Severity.WARNING else 0


def _as_json(found: Diagnostic) -> dict[str, str | int | None]:
    at = found.at
    return {
        "id": found.id,
        "severity": found.severity.value,
        "message": found.message,
        "fix": found.fix,
        "file": at.source.name if at else None,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "length": at.length if at else None,
    }
