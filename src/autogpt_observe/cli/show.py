"""``autogpt-observe show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import environment_option, spec_argument, spec_path
from autogpt_observe.diagnostics import SpecError, printable
from autogpt_observe.spec.expansion import all_alerts
from autogpt_observe.spec.load import read_spec
from autogpt_observe.spec.resolved import format_resolved

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.spec.model import Spec


@click.command(name="show")
@spec_argument
@environment_option
@click.option("--resolved", is_flag=True, help="The whole merged spec, each value with its origin.")
def command(spec: Path | None, environment: str | None, *, resolved: bool) -> None:
    """Show what SPEC comes to after packs, includes and the environment.

    \b
    Examples:
      autogpt-observe show
      autogpt-observe show --resolved --env staging
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    loaded = read_spec(spec_path(spec), environment=environment)
    if loaded.spec is None or loaded.tree is None:
        raise SpecError(loaded.diagnostics)
    console.show_diagnostics(loaded.diagnostics)
    console.out(format_resolved(loaded.tree) if resolved else _summary(loaded.spec))


def _summary(spec: Spec) -> str:
    lines = [f"{spec.service.name} ({spec.service.environment}), owned by {spec.service.owner}"]
    parts: dict[str, dict[str, str]] = {
        "metrics": {n: f"{m.type} from {m.from_}" for n, m in spec.metrics.items()},
        "recording rules": {n: r.help for n, r in spec.recording_rules.items()},
        "objectives": {n: f"{o.objective.percent} over {o.window}" for n, o in spec.slos.items()},
        "alerts": {n: f"{a.severity}, for {a.for_}" for n, a in all_alerts(spec).items()},
        "dashboards": {n: d.title for n, d in spec.dashboards.items()},
    }
    for title, names in parts.items():
        if names:
            lines += ["", f"{title}:"]
            width = max(map(len, names))
            lines += [f"  {n:<{width}}  {printable(what)}".rstrip() for n, what in names.items()]
    return "\n".join(lines)
