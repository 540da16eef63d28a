"""``autogpt-observe generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli import EXIT_PROBLEM
from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import environment_option, open_spec, spec_argument
from autogpt_observe.errors import UsageError
from autogpt_observe.output.apply import Recovery, apply_plan, recover
from autogpt_observe.output.plan import Action, format_plan, plan_bundle
from autogpt_observe.render.targets import TARGETS, render_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.artifacts import Artifact
    from autogpt_observe.output.plan import Plan


@click.command(name="generate")
@spec_argument
@click.option(
    "-o",
    "--output",
    type=str,
    default=".",
    metavar="DIR",
    help="Folder of the bundle; the current one unless given.",
)
@environment_option
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(TARGETS)),
    help="Only this target; may be given several times.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the folder differs.")
@click.option("--diff", is_flag=True, help="Write nothing; tell what would change in meaning.")
def command(  # noqa: PLR0913 - one parameter for each option of the command line
    spec: Path | None,
    output: str,
    environment: str | None,
    only: tuple[str, ...],
    *,
    check: bool,
    diff: bool,
) -> int:
    """Write the bundle of SPEC: rules, dashboards, pipelines, manifests.

    Files that were not generated here are never touched. What the spec no longer asks for is
    removed, an edited file is restored, and an interrupted run leaves the old bundle or the new
    one, whole.

    \b
    Examples:
      autogpt-observe generate
      autogpt-observe generate -o deploy/observability --env staging
      autogpt-observe generate --only prometheus --only promtool
      autogpt-observe generate --check
      autogpt-observe generate --diff
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    if not output or "\0" in output:
        raise UsageError("-o needs the name of a folder")
    folder = Path(output)
    targets = frozenset(only) or None
    loaded = open_spec(spec, environment, console)
    artifacts = render_bundle(loaded, only=targets)
    if not check and not diff and recover(folder) is not Recovery.NOTHING:
        console.note("ended an earlier run that had been interrupted", colour="yellow")
    plan = plan_bundle(folder, artifacts, only=targets)
    if diff and plan.pending:
        console.out(format_plan(plan), colour="yellow")
    elif diff:
        _show_meaning(console, plan, artifacts)
    if check:
        if not diff or plan.is_clean:
            console.out(format_plan(plan), colour="green" if plan.is_clean else "red")
        return 0 if plan.is_clean else EXIT_PROBLEM
    if not diff:
        _write(console, plan)
    return 0


def _write(console: Console, plan: Plan) -> None:
    applied = apply_plan(plan)
    for path in applied.restored:
        console.note(f"restored {path}: it had been edited, damaged or deleted", colour="yellow")
    for path in applied.kept:
        message = f"kept {path}: it is no longer generated, but had been edited; it is yours now"
        console.note(message, colour="yellow")
    total = sum(change.data is not None for change in plan.changes)
    parts = [f"{total} files in {plan.root}", f"{len(applied.written)} written"]
    if applied.deleted:
        parts.append(f"{len(applied.deleted)} removed")
    console.out(", ".join(parts), colour="green")


def _show_meaning(console: Console, plan: Plan, artifacts: Mapping[str, Artifact]) -> None:
    # only --diff needs the parsers behind it
    from autogpt_observe.output.meaning import describe_changes  # noqa: PLC0415

    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for change in plan.changes:
        if change.action in (Action.KEEP, Action.FORGET):
            continue  # nothing of the bundle, before or after
        if change.before is not None:
            text = (plan.root / change.path).read_text(encoding="utf-8", errors="replace")
            before[change.path] = text
        if change.data is not None:
            after[change.path] = artifacts[change.path].text
    lines = describe_changes(before, after)
    for line in lines:
        console.out(line)
    if not lines:
        console.out("nothing changes", colour="green")
