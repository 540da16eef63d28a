"""Grafana's provisioning: where it finds the dashboards and its Prometheus.

The formats: https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.grafana.dashboard import (
    DATASOURCE_NAME,
    DATASOURCE_UID,
    grafana_interval,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Spec

_DASHBOARDS_HEADER = (
    "Goes to /etc/grafana/provisioning/dashboards/, the JSON files to the folder named in `path`."
)
_DATASOURCES_HEADER = (
    "Goes to /etc/grafana/provisioning/datasources/. With a Prometheus elsewhere leave this file\n"
    "out: every dashboard lets you choose its data source."
)


def provisioning_files(spec: Spec) -> Mapping[str, str]:
    """The provisioning files by name: a file provider and a data source."""
    return {
        "dashboards.yml": format_yaml(_dashboards(spec), header=_DASHBOARDS_HEADER),
        "datasources.yml": format_yaml(_datasources(spec), header=_DATASOURCES_HEADER),
    }


def _dashboards(spec: Spec) -> Document:
    provider: Document = {
        "name": f"autogpt-observe-{spec.service.name}",
        "type": "file",
        "folder": spec.service.name,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": f"/var/lib/grafana/dashboards/{spec.service.name}"},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _datasources(spec: Spec) -> Document:
    source: Document = {
        "name": DATASOURCE_NAME,
        "uid": DATASOURCE_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": spec.prometheus.url,
        "jsonData": {
            "httpMethod": "POST",
            "timeInterval": grafana_interval(spec.prometheus.scrape_interval),
        },
    }
    return {"apiVersion": 1, "datasources": [source]}
