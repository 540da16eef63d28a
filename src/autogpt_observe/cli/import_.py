"""``autogpt-observe import``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli import EXIT_PROBLEM
from autogpt_observe.cli.console import Console
from autogpt_observe.diagnostics import Severity
from autogpt_observe.errors import UsageError
from autogpt_observe.importers import import_files
from autogpt_observe.names import Name
from autogpt_observe.spec.tree import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTIONS = {
    "metrics": "metric",
    "recording_rules": "recording rule",
    "alerts": "alert",
    "slos": "objective",
}


@click.command(name="import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the spec here; else to stdout."
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option("--service", metavar="NAME", help="Name of the service; else told by the files.")
@click.option("--owner", metavar="NAME", help="Who owns it; else the owner that most rules name.")
@click.option(
    "--fail-on",
    type=click.Choice([word.value for word in Severity]),
    default=Severity.ERROR.value,
    show_default=True,
    help="With `warning`, anything lost, changed or guessed exits with 1.",
)
def command(  # noqa: PLR0913 - one argument per option
    files: tuple[Path, ...],
    output: Path | None,
    service: str | None,
    owner: str | None,
    fail_on: str,
    *,
    force: bool,
) -> int:
    """Make a spec of Prometheus rules and their unit tests, Sloth and OpenSLO files.

    What each file is, its content tells. The spec is valid and goes to stdout or to a file; what
    could not be carried over, or only in another form, is listed on stderr with its place.

    \b
    Examples:
      autogpt-observe import rules/*.yml -o observe.yaml
      autogpt-observe import alerts.yml alerts_test.yml --owner payments
      autogpt-observe import slos/*.yaml --service checkout --fail-on warning
    """  # noqa: D301 - \b keeps click from refilling the examples
    if output is not None and not force and os.path.lexists(output):
        raise UsageError(f"{output} exists already; name another file, or add `--force`")
    imported = import_files(
        [(str(path), _read(path)) for path in files],
        service=_name(service, "--service"),
        owner=_name(owner, "--owner"),
    )
    console = Console()
    if output is None:
        console.out(imported.text.removesuffix("\n"))
    else:
        _write(output, imported.text)
        console.out(f"wrote {output}")
    console.show_diagnostics(imported.diagnostics)
    console.note(f"carried over: {_counted(imported.counts)}")
    if imported.untested:
        number = len(imported.untested)
        without = f"{number} alert{'s have' if number > 1 else ' has'} no tests that see"
        console.note(f"{without} it fire and stay silent; `allow` in the spec says so")
    if imported.warnings:
        shown = f"{imported.warnings} warning{'s' if imported.warnings > 1 else ''}"
        console.note(f"`autogpt-observe validate` has {shown} about the spec")
    return EXIT_PROBLEM if imported.diagnostics and fail_on == Severity.WARNING else 0


def _name(text: str | None, option: str) -> Name | None:
    try:
        return Name.parse(text) if text is not None else None
    except ValueError:
        raise UsageError(f"{option} `{text}`: write {Name.EXPECTED}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"can't read {path}: {reason}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"can't write {path}: {reason}") from error


def _counted(counts: Mapping[str, int]) -> str:
    parts = [
        f"{counts[section]} {word}{'s' if counts[section] != 1 else ''}"
        for section, word in _SECTIONS.items()
        if counts.get(section)
    ]
    return ", ".join(parts)
