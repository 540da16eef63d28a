"""Grafana dashboards, and the files that provision them together with their data source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.emit import format_json
from autogpt_observe.render.grafana.dashboard import dashboard_json
from autogpt_observe.render.grafana.provisioning import provisioning_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.spec.model import Dashboard, Spec

FOLDER = "dashboards"


def render(spec: Spec) -> Mapping[str, str]:
    """``dashboards/<dashboard>.json`` and ``dashboards/provisioning/``; none without dashboards.

    Raises ObserveError, which names dashboard and panel, for a panel that can't be drawn.
    """
    if not spec.dashboards:
        return {}
    drawn = {
        f"{FOLDER}/{name}.json": _draw(name, dashboard, spec)
        for name, dashboard in spec.dashboards.items()
    }
    return drawn | {
        f"{FOLDER}/provisioning/{name}": text for name, text in provisioning_files(spec).items()
    }


def _draw(name: Name, dashboard: Dashboard, spec: Spec) -> str:
    try:
        return format_json(dashboard_json(name, dashboard, spec))
    except ObserveError as error:
        raise ObserveError(f"dashboards.{name}: {error}") from None
