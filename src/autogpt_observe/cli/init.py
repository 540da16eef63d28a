"""``autogpt-observe init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autogpt_observe.cli.console import Console
from autogpt_observe.errors import UsageError
from autogpt_observe.spec.load import SPEC_FILE, packaged_text


@click.command(name="init")
@click.argument("file", required=False, default=SPEC_FILE, type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Write a commented spec to FILE (observe.yaml unless given); never over an existing file.

    \b
    Examples:
      autogpt-observe init
      autogpt-observe init crawler/observe.yaml
    """  # noqa: D301 - \b keeps click from refilling the examples
    text = packaged_text("starter.yaml")
    if os.path.lexists(file):
        message = f"{file} exists already; name another file: autogpt-observe init FILE"
        raise UsageError(message)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"can't write {file}: {reason}") from error
    console = Console()
    console.out(f"wrote {file}")
    spec = "" if file == Path(SPEC_FILE) else f" {file}"
    console.note(f"next: autogpt-observe validate{spec}")
