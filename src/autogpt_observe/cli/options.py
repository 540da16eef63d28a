"""Arguments that several commands share, and the reading of the spec they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from autogpt_observe.diagnostics import SpecError
from autogpt_observe.spec.load import default_path, read_spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.cli.console import Console
    from autogpt_observe.spec.model import Spec

F = TypeVar("F", bound="Callable[..., object]")


def spec_argument(function: F) -> F:
    """The SPEC argument: a path, or None for the default."""
    return click.argument("spec", required=False, type=click.Path(path_type=Path))(function)


def environment_option(function: F) -> F:
    """The --env option."""
    option = click.option(
        "--env", "environment", metavar="NAME", help="Apply this environment of the spec."
    )
    return option(function)


def spec_path(argument: Path | None) -> Path | None:
    """The spec's path: the argument, observe.yaml here, or None for the packaged default spec."""
    return argument if argument is not None else default_path(Path())


def open_spec(argument: Path | None, environment: str | None, console: Console) -> Spec:
    """Read the spec, or raise SpecError; its warnings are shown."""
    loaded = read_spec(spec_path(argument), environment=environment)
    if loaded.spec is None:
        raise SpecError(loaded.diagnostics)
    console.show_diagnostics(loaded.diagnostics)
    return loaded.spec
