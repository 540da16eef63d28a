"""The command line: argv, output and exit codes. Every command is a module, loaded when called."""

from __future__ import annotations

import importlib
import keyword
import os
import signal
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import click

from autogpt_observe import __version__
from autogpt_observe.cli.console import Console
from autogpt_observe.diagnostics import SpecError, did_you_mean, printable
from autogpt_observe.errors import ObserveError

if TYPE_CHECKING:
    from collections.abc import Mapping

EXIT_PROBLEM = 1
"""Drift, or a proof that failed."""
EXIT_UNUSABLE = 2
"""Input or usage that can't work."""
EXIT_INTERRUPTED = 130

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "Write a commented spec to start from.",
        "import": "Make a spec of Prometheus rules, Sloth and OpenSLO files.",
        "generate": "Write the bundle: rules, dashboards, pipelines, manifests.",
        "validate": "Report everything that is wrong with the spec.",
        "test": "Prove the bundle with promtool, amtool and schemas.",
        "show": "Show the spec as it is after packs and environments.",
        "exporter": "Observe agents that can't be changed, from outside.",
        "demo": "See an alert travel from an agent to a receiver, on a local stack.",
        "schema": "Print the spec's JSON Schema, for editors.",
    }
)


def load_command(name: str) -> click.Command:
    """Import one of the COMMANDS; the module of one that is a Python keyword ends in `_`."""
    module = importlib.import_module(
        f"autogpt_observe.cli.{name}{'_' if keyword.iskeyword(name) else ''}"
    )
    command: click.Command = module.command
    return command


class _LazyGroup(click.Group):
    """Knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return load_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], tuple(COMMANDS))
            ctx.fail(f"there is no command `{printable(args[0])}`; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 good, 1 drift or a failed proof, 2 unusable input or usage, "
    "130 interrupted.",
)
@click.version_option(__version__, prog_name="autogpt-observe", message="%(prog)s %(version)s")
def cli() -> None:
    """One spec in; alerts, dashboards, pipelines and manifests out, proven.

    SPEC is observe.yaml in the current folder if there is one, else the packaged default spec.

    \b
    Examples:
      autogpt-observe init
      autogpt-observe generate -o deploy/observability
      autogpt-observe test --require-tools
      autogpt-observe demo
    """  # noqa: D301 - \b keeps click from refilling the examples


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _interrupt)  # so that what was started is stopped on SIGTERM too
    console = Console()
    try:
        code = cli.main(standalone_mode=False, prog_name="autogpt-observe")
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = EXIT_UNUSABLE
    except SpecError as error:
        console.show_diagnostics(error.diagnostics)
        code = EXIT_UNUSABLE
    except ObserveError as error:
        console.error(str(error))
        code = EXIT_UNUSABLE
    except (KeyboardInterrupt, click.Abort):
        # everything that was started is stopped by now; a second Ctrl-C has nothing left to stop
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.error("interrupted")
        code = EXIT_INTERRUPTED
    except OSError as error:
        code = _report_os_error(error, console)
    sys.exit(code if isinstance(code, int) else 0)


def _report_os_error(error: OSError, console: Console) -> int:
    """Tell what the system refused; most often it is the output that can't be written."""
    # what is still in the buffer would fail once more at the exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader of a pipe went away: nobody is left to tell
        return 0
    place = f"{error.filename}: " if error.filename else "can't write the output: "
    console.error(f"{place}{error.strerror or error}")
    return EXIT_UNUSABLE


def _interrupt(signum: int, frame: object) -> NoReturn:
    del signum, frame
    raise KeyboardInterrupt
