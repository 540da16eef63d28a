"""Who reads what: the series behind alerts, panels, objectives and recording rules.

An expression that can't be read (it is reported when the spec is checked) reads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import HISTOGRAM_SUFFIXES, MetricName, PromQL
from autogpt_observe.promql import PromQLError, metric_names
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autogpt_observe.spec.model import Dashboard, Objective, Panel, Row, Spec, When


def read_by_condition(when: When, spec: Spec) -> tuple[str, ...]:
    """The metrics and recorded series that a condition names, as they are declared."""
    match when:
        case PromQL():
            return read_by_expression(when, spec)
        case RatioCondition():
            return _unique(when.bad.metric, when.total.metric)
        case RateCondition() | IncreaseCondition() | QuantileCondition() | AbsentCondition():
            return (str(when.metric),)
        case ThresholdCondition() | TrendCondition():
            return _unique(when.metric, when.of)
        case StaleCondition():
            return _unique(when.metric, when.while_.metric if when.while_ is not None else None)
        case BurnCondition():
            objective = spec.slos.get(when.slo)
            return read_by_objective(objective) if objective is not None else ()
        case _:
            assert_never(when)


def read_by_objective(objective: Objective) -> tuple[str, ...]:
    """The metrics that an objective counts."""
    if objective.events is not None:
        return _unique(objective.events.bad.metric, objective.events.total.metric)
    return (str(objective.latency.metric),) if objective.latency is not None else ()


def read_by_panel(panel: Panel, spec: Spec) -> tuple[str, ...]:
    """The metrics and recorded series that a panel shows."""
    written = read_by_expression(panel.expr, spec) if panel.expr is not None else ()
    return _unique(panel.metric, panel.of, *written)


def read_by_expression(text: str, spec: Spec) -> tuple[str, ...]:
    """The metrics and recorded series in PromQL; a histogram's series count as the histogram."""
    try:
        tokens = metric_names(text)
    except PromQLError:
        return ()
    return _unique(*(_declared(token.text, spec) for token in tokens))


def sources_of(names: Iterable[str], spec: Spec) -> tuple[str, ...]:
    """``names``, and what the recording rules among them read, and so on down to metrics."""
    found: dict[str, None] = {}
    waiting = list(names)
    recorded = {str(name): rule for name, rule in spec.recording_rules.items()}
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = None
        if name in recorded:
            waiting += read_by_expression(recorded[name].expr, spec)
    return tuple(found)


def panels_of(dashboard: Dashboard) -> Iterator[tuple[Row, Panel]]:
    """The panels of a dashboard, each with its row."""
    for row in dashboard.rows:
        for panel in row.panels:
            yield row, panel


def _declared(series: str, spec: Spec) -> str:
    """The metric that a series belongs to."""
    if series in spec.metrics or series in spec.recording_rules:
        return series
    for suffix in HISTOGRAM_SUFFIXES:
        stem = series.removesuffix(suffix)
        if stem != series and MetricName(stem) in spec.metrics:
            return stem
    return series


def _unique(*names: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(name) for name in names if name is not None))
