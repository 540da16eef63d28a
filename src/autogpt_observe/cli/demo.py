"""``autogpt-observe demo``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import environment_option, open_spec, spec_argument, spec_path
from autogpt_observe.proof.demo import Demo, run_demo

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="demo")
@spec_argument
@environment_option
@click.option(
    "--fault/--no-fault",
    default=True,
    help="Without the fault no alert comes, and the demo fails: that is its own proof.",
)
@click.option("--keep", is_flag=True, help="Leave everything running at the end, until Ctrl-C.")
def command(spec: Path | None, environment: str | None, *, fault: bool, keep: bool) -> int:
    """See an alert travel from exceptions in an agent to a receiver, and resolve.

    Starts Prometheus, Alertmanager and a demo agent on free loopback ports, with minutes turned
    into seconds, and stops all of them at the end and on Ctrl-C.

    \b
    Examples:
      autogpt-observe demo
      autogpt-observe demo --no-fault; echo $?
      autogpt-observe demo --keep
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    demo = Demo(
        spec=open_spec(spec, environment, console),
        spec_path=spec_path(spec),
        environment=environment,
        fault=fault,
        keep=keep,
    )
    return run_demo(demo, environ=os.environ, out=console.out)
