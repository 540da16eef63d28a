"""The registry of output targets. A new target is a module beside this one and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.artifacts import Artifact
from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from autogpt_observe.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Target:
    """A product that files are rendered for.

    Attributes:
        name: what the command line and the manifest call it.
        help: what it writes, one line.
        module: where its ``render(spec) -> {path: text}`` is; imported when it is first used.
    """

    name: str
    help: str
    module: str

    def render(self, spec: Spec) -> Mapping[str, str]:
        """The target's files by path, relative to the bundle's folder."""
        files: Mapping[str, str] = import_module(self.module).render(spec)
        return files


_HERE = "autogpt_observe.render"
TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target("prometheus", "Configuration and rules of Prometheus", f"{_HERE}.prometheus"),
            Target("promtool", "Unit tests of the alerts, for promtool", f"{_HERE}.promtool"),
            Target("alertmanager", "Routing and receivers", f"{_HERE}.alertmanager"),
            Target("grafana", "Dashboards and their provisioning", f"{_HERE}.grafana"),
            Target("logstash", "The log pipeline", f"{_HERE}.logstash"),
            Target("runbooks", "A page for each alert", f"{_HERE}.runbooks"),
            Target("reference", "Every metric, and who reads it", f"{_HERE}.reference"),
            Target("kubernetes", "Manifests and autoscaling", f"{_HERE}.kubernetes"),
        )
    }
)


def render_bundle(spec: Spec, *, only: Collection[str] | None = None) -> dict[str, Artifact]:
    """Everything the spec implies, by path, sorted; ``only`` names the targets that are wanted.

    Raises UsageError for a target that doesn't exist, ObserveError for what a target can't render.
    """
    for name in only if only is not None else ():
        if name not in TARGETS:
            raise UsageError(f"no target `{name}`; {did_you_mean(name, tuple(TARGETS))}")
    bundle: dict[str, Artifact] = {}
    for target in TARGETS.values():
        if only is not None and target.name not in only:
            continue
        for path, text in target.render(spec).items():
            if path in bundle:
                both = f"{bundle[path].target} and {target.name}"
                raise RuntimeError(f"{both} write the same file, {path}")
            bundle[path] = Artifact(target.name, text)
    return dict(sorted(bundle.items()))
