"""``autogpt-observe schema``."""

from __future__ import annotations

import json

import click

from autogpt_observe.cli.console import Console
from autogpt_observe.spec.schema import render_schema


@click.command(name="schema")
def command() -> None:
    """Print the spec's JSON Schema.

    Editors complete and check a spec with it; with the YAML language server, put the line
    `# yaml-language-server: $schema=observe.schema.json` at the top of the spec.

    \b
    Example:
      autogpt-observe schema > observe.schema.json
    """  # noqa: D301 - \b keeps click from refilling the examples
    Console().out(json.dumps(render_schema(), indent=2))
