"""Grafana dashboards."""

from __future__ import annotations

from enum import StrEnum

from autogpt_observe.names import LabelName, MetricName, PromQL
from autogpt_observe.spec.keys import key, part
from autogpt_observe.spec.model.telemetry import Unit


class Show(StrEnum):
    """What a panel shows of its metric."""

    VALUE = "value"
    RATE = "rate"
    INCREASE = "increase"
    QUANTILES = "quantiles"
    SHARE = "share"


class PanelKind(StrEnum):
    """How a panel is drawn."""

    TIMESERIES = "timeseries"
    STAT = "stat"


@part
class Panel:
    """A panel: a declared metric and an intent, or raw PromQL."""

    title: str = key("Title of the panel")
    metric: MetricName | None = key("The metric it shows", default=None)
    show: Show | None = key(
        "value, rate, increase, quantiles, or share (of `of`); follows the type unless given",
        default=None,
    )
    of: MetricName | None = key("With `show: share`: the metric that is the whole", default=None)
    by: tuple[LabelName, ...] = key("One line for each combination of these labels", default=())
    expr: PromQL | None = key("Raw PromQL, in place of `metric`", default=None)
    unit: Unit | None = key("Unit; the metric's own unless given", default=None)
    kind: PanelKind = key("timeseries or stat", default=PanelKind.TIMESERIES)


@part
class Row:
    """A titled row of panels."""

    title: str = key("Title of the row")
    panels: tuple[Panel, ...] = key("Its panels, left to right")


@part
class Dashboard:
    """A Grafana dashboard."""

    title: str = key("Title")
    rows: tuple[Row, ...] = key("Its rows, top down")
    tags: tuple[str, ...] = key("Tags to find it by", default=())
