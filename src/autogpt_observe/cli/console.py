"""What people see: coloured on a terminal, plain in a pipe and under NO_COLOR."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from autogpt_observe.diagnostics import Severity, format_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autogpt_observe.diagnostics import Diagnostic


class Console:
    """Results go to stdout, remarks and findings to stderr."""

    def out(self, text: str = "", *, colour: str | None = None, bold: bool = False) -> None:
        """A line of the result."""
        click.echo(self._styled(text, colour, bold=bold, error=False))

    def note(self, text: str, *, colour: str | None = None) -> None:
        """A remark beside the result."""
        click.echo(self._styled(text, colour, bold=False, error=True), err=True)

    def error(self, text: str) -> None:
        """The one thing that went wrong."""
        click.echo(self._styled("error: ", "red", bold=True, error=True) + text, err=True)

    def show_diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Findings with their excerpts, and a closing count."""
        counts = dict.fromkeys(Severity, 0)
        for found in diagnostics:
            counts[found.severity] += 1
            first, *rest = format_diagnostic(found).split("\n")
            colour = "red" if found.severity is Severity.ERROR else "yellow"
            self.note(first, colour=colour)
            for line in rest:
                self.note(line)
        shown = [f"{n} {word}{'s' if n != 1 else ''}" for word, n in counts.items() if n]
        if shown:
            self.note(", ".join(shown))

    def _styled(self, text: str, colour: str | None, *, bold: bool, error: bool) -> str:
        stream = sys.stderr if error else sys.stdout
        terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        plain = not terminal or os.environ.get("NO_COLOR") or not (colour or bold)
        return text if plain else click.style(text, fg=colour, bold=bold or None)
