"""``autogpt-observe validate``."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli import EXIT_PROBLEM, EXIT_UNUSABLE
from autogpt_observe.cli.console import Console
from autogpt_observe.cli.findings import format_as_github, format_as_json, format_as_sarif
from autogpt_observe.cli.options import spec_argument, spec_path
from autogpt_observe.diagnostics import Severity
from autogpt_observe.spec.load import read_all_environments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from autogpt_observe.diagnostics import Diagnostic

FORMATS: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = MappingProxyType(
    {"json": format_as_json, "sarif": format_as_sarif, "github": format_as_github}
)


@click.command(name="validate")
@spec_argument
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="text for people; the others for programs, on stdout.",
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
      autogpt-observe validate --format github
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    path = spec_path(spec)
    found = read_all_environments(path).diagnostics
    if style in FORMATS:
        console.out(FORMATS[style](found))
    else:
        console.show_diagnostics(found)
    errors = any(one.severity is Severity.ERROR for one in found)
    if errors:
        return EXIT_UNUSABLE
    if style == "text":
        console.out(f"{path or 'the packaged default spec'} is valid", colour="green")
    return EXIT_PROBLEM if found and fail_on == Severity.WARNING else 0
