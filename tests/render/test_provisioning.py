"""What Grafana is told of its Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from alert_specs import SEED, read

from autogpt_observe.render.targets import render_bundle

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = "dashboards/provisioning/datasources.yml"


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("", "http://prometheus:9090"),
        ("url: 'https://metrics.example/prometheus', ", "https://metrics.example/prometheus"),
    ],
)
def test_grafana_reads_the_prometheus_of_the_spec(
    tmp_path: Path, setting: str, address: str
) -> None:
    text = SEED.replace("prometheus: {", f"prometheus: {{{setting}")
    bundle = render_bundle(read(text, tmp_path), only=["grafana", "runbooks"])
    (source,) = yaml.safe_load(bundle[SOURCES].text)["datasources"]
    assert source["url"] == address
    assert f"({address}/graph?g0.expr=" in bundle["docs/runbooks/HighErrorRate.md"].text
