"""A dashboard as Grafana's JSON model (schema version 41 or 42, "v1").

The model: https://github.com/grafana/grafana/tree/main/kinds/dashboard
"""

from __future__ import annotations

import hashlib
from string import ascii_uppercase
from typing import TYPE_CHECKING

from autogpt_observe.names import ALERT_NAME, SERVICE, SEVERITY
from autogpt_observe.promql import selector
from autogpt_observe.render.emit import Document
from autogpt_observe.render.grafana.layout import COLUMNS, ROW_HEIGHT, place_panels
from autogpt_observe.render.grafana.queries import plot
from autogpt_observe.spec.model import PanelKind
from autogpt_observe.units import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.names import Name
    from autogpt_observe.render.grafana.layout import Place
    from autogpt_observe.render.grafana.queries import Plot
    from autogpt_observe.spec.model import Dashboard, Panel, Row, Spec
    from autogpt_observe.units import Duration

DATASOURCE_NAME = "Prometheus (autogpt-observe)"
DATASOURCE_UID = "autogpt-observe-prometheus"
"""The provisioned data source, which a dashboard starts with where it exists."""

GENERATED = "generated"
"""Tag of every dashboard made here."""

Json = dict[str, Document]

_DATASOURCE_VARIABLE = "datasource"
_DATASOURCE: Json = {"type": "prometheus", "uid": f"${{{_DATASOURCE_VARIABLE}}}"}
_LONGEST_UID = 40
_DIGEST = 8
_SCHEMA_42_SINCE = Version((12, 2, 0))
_REFRESH = "30s"
_NO_VALUE = "No data"


def dashboard_json(name: Name, dashboard: Dashboard, spec: Spec) -> Json:
    """The JSON model of one dashboard; equal specs give equal models."""
    links = [*_runbook_links(spec), *_sibling_links(spec)]
    return {
        "uid": dashboard_uid(spec.service.name, name),
        "title": dashboard.title,
        "tags": list(dict.fromkeys((spec.service.name, GENERATED, *dashboard.tags))),
        "schemaVersion": 42 if spec.targets.grafana >= _SCHEMA_42_SINCE else 41,
        "editable": True,
        "graphTooltip": 1,
        "refresh": _REFRESH,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": _annotations(spec)},
        "links": links,
        "templating": {"list": [_datasource_variable()]},
        "panels": list(_panels(dashboard.rows, spec)),
    }


def dashboard_uid(service: str, name: str) -> str:
    """Grafana's key of a dashboard: readable, at most 40 characters, the same in every run."""
    joined = f"{service}-{name}"
    if len(joined) <= _LONGEST_UID:
        return joined
    digest = hashlib.sha256(joined.encode()).hexdigest()[:_DIGEST]
    return f"{joined[: _LONGEST_UID - _DIGEST - 1]}-{digest}"


def grafana_interval(length: Duration) -> str:
    """``length`` with one unit, which is all that Grafana's intervals can hold."""
    return f"{length.ms // 1000}s" if length.ms % 1000 == 0 else f"{length.ms}ms"


def _datasource_variable() -> Json:
    return {
        "name": _DATASOURCE_VARIABLE,
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": DATASOURCE_NAME, "value": DATASOURCE_UID},
        "refresh": 1,
    }


def _annotations(spec: Spec) -> list[Json]:
    own: Json = {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
    if not spec.alerts:
        return [own]
    firing = selector("ALERTS", {"alertstate": ["firing"], SERVICE: [spec.service.name]})
    interval = grafana_interval(spec.prometheus.evaluation_interval)
    alerts: Json = {
        "datasource": _DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "name": "Firing alerts",
        "target": {"expr": firing, "interval": interval, "refId": "Anno"},
        "titleFormat": f"{{{{{ALERT_NAME}}}}}",
        "tagKeys": SEVERITY,
    }
    return [own, alerts]


def _runbook_links(spec: Spec) -> Iterator[Json]:
    if spec.service.runbook_base_url is not None:
        yield {"title": "Runbooks", "type": "link", "icon": "doc"} | _link(
            url=spec.service.runbook_base_url, tags=[]
        )


def _sibling_links(spec: Spec) -> Iterator[Json]:
    if len(spec.dashboards) > 1:
        yield {"title": f"Dashboards of {spec.service.name}", "type": "dashboards", "icon": ""} | (
            _link(url="", tags=[spec.service.name, GENERATED])
        )


def _link(*, url: str, tags: list[str]) -> Json:
    return {
        "url": url,
        "tags": tags,
        "tooltip": "",
        "asDropdown": False,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
    }


def _panels(rows: tuple[Row, ...], spec: Spec) -> Iterator[Json]:
    interval = grafana_interval(spec.prometheus.scrape_interval)
    number, top = 0, 0
    for row in rows:
        number += 1
        yield _row_json(row, number=number, top=top)
        top += ROW_HEIGHT
        bottom = top
        for panel, place in place_panels(row.panels, top=top):
            number += 1
            yield _panel_json(panel, plot(panel, spec.metrics), place, number, interval)
            bottom = place.y + place.h
        top = bottom


def _row_json(row: Row, *, number: int, top: int) -> Json:
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": ROW_HEIGHT},
        "panels": [],
    }


def _panel_json(panel: Panel, drawn: Plot, place: Place, number: int, interval: str) -> Json:
    targets = [
        _target(query.expr, query.legend, ref, instant=drawn.over_range)
        for ref, query in zip(ascii_uppercase, drawn.queries, strict=False)
    ]
    defaults: Json = {"unit": drawn.unit, "noValue": _NO_VALUE}
    if drawn.starts_at_zero:
        defaults["min"] = 0
    if panel.kind is PanelKind.TIMESERIES:
        defaults["custom"] = _LINES
    return {
        "id": number,
        "type": panel.kind.value,
        "title": panel.title,
        "description": drawn.description,
        "datasource": _DATASOURCE,
        "gridPos": place._asdict(),
        "interval": interval,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": targets,
    }


def _target(expr: str, legend: str, ref: str, *, instant: bool) -> Json:
    return {
        "refId": ref,
        "datasource": _DATASOURCE,
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
    }


_LINES: Json = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "auto"}
_OPTIONS: dict[PanelKind, Json] = {
    PanelKind.TIMESERIES: {
        "legend": {
            "showLegend": True,
            "displayMode": "table",
            "placement": "bottom",
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    PanelKind.STAT: {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "none",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
    },
}
