"""``autogpt-observe test``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli import EXIT_PROBLEM
from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import environment_option, open_spec, spec_argument
from autogpt_observe.output.validators import Status, validate_bundle
from autogpt_observe.render.targets import render_bundle

if TYPE_CHECKING:
    from pathlib import Path

_COLOURS = {Status.PASSED: "green", Status.FAILED: "red", Status.SKIPPED: "yellow"}


@click.command(name="test")
@spec_argument
@environment_option
@click.option("--require-tools", is_flag=True, help="A missing tool fails instead of skipping.")
def command(spec: Path | None, environment: str | None, *, require_tools: bool) -> int:
    """Validate SPEC, render its bundle and prove it with every validator that is installed.

    \b
    Examples:
      autogpt-observe test
      autogpt-observe test crawler/observe.yaml --env staging --require-tools
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    artifacts = render_bundle(open_spec(spec, environment, console))
    files = {path: artifact.text for path, artifact in artifacts.items()}
    counts = dict.fromkeys(Status, 0)
    short = False
    for outcome in validate_bundle(files, environ=os.environ):
        counts[outcome.status] += 1
        short = short or (require_tools and outcome.lacks_tool)
        console.out(f"{outcome.status:<8}{outcome.name}", colour=_COLOURS[outcome.status])
        for line in outcome.detail.splitlines():
            console.out(f"        {line}")
    console.out(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    return EXIT_PROBLEM if counts[Status.FAILED] or short else 0
