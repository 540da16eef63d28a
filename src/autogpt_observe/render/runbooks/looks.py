"""Where to look next: queries that break an alert's metrics down, panels, logs, related alerts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, assert_never
from urllib.parse import quote

from autogpt_observe import promql
from autogpt_observe.names import (
    BUCKET_BOUND,
    HISTOGRAM_SUFFIXES,
    INSTANCE,
    LabelName,
    MetricName,
    MetricSource,
    MetricType,
    PromQL,
)
from autogpt_observe.render.grafana.dashboard import dashboard_uid
from autogpt_observe.render.markdown import bullets, code, escape, fenced, link
from autogpt_observe.render.runbooks.notified import page_link
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    Selection,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)
from autogpt_observe.spec.model.conditions import Judged
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.names import Name
    from autogpt_observe.render.runbooks.book import Book
    from autogpt_observe.spec.model import Metric, Spec, When

_SHOWN = 10
_TAIL = Decimal("0.95")
_USUAL_WINDOW = Duration.parse("5m")
_SHORTEST_LOOK = Duration.parse("15m")
_BUCKET, _, _ = HISTOGRAM_SUFFIXES
_RANGE = "1h"
_LEVELS = '("ERROR" or "CRITICAL" or "FATAL")'
_LEVEL = re.compile(r":level[:}]|\(\?<level>")
_PLACEHOLDERS = re.compile(r"(?:%\{[^}]*\})+")


class Query(NamedTuple):
    """A query worth running, and the labels that it breaks a metric down by."""

    metric: str
    label: str
    expr: str


def prometheus_link(spec: Spec, shown: str, expr: str) -> str:
    """A link that runs a query in Prometheus' own web page."""
    base = spec.prometheus.url.rstrip("/")
    asked = f"g0.expr={quote(expr, safe='')}&g0.tab=0&g0.range_input={_RANGE}"
    return link(shown, f"{base}/graph?{asked}")


def breakdowns(book: Book, name: Name) -> Iterator[Query]:
    """For each metric of an alert and each label that the alert does not judge by, a query."""
    spec, alert = book.spec, book.spec.alerts[name]
    by = book.by(name)
    window, low = _window(alert.when), _is_low(alert.when)
    for selection in _selections(book, name):
        metric = spec.metrics.get(selection.metric)
        if metric is None:
            continue
        settled = {label for label, values in selection.where.items() if len(values) == 1}
        for label in _labels(metric):
            if label not in by and label not in settled:
                values = _values(selection, metric, (*by, label), window, low=low)
                worst = "bottomk" if low else "topk"
                yield Query(selection.metric, label, f"{worst}({_SHOWN}, {values})")


def _labels(metric: Metric) -> tuple[str, ...]:
    own = tuple(map(str, (*metric.attributes, *metric.labels)))
    return own if metric.from_ is MetricSource.EXTERNAL else (*own, INSTANCE)


def _is_low(when: When) -> bool:
    """Whether small values are the bad ones."""
    return isinstance(when, StaleCondition) or (isinstance(when, Judged) and when.below is not None)


def _values(
    selection: Selection, metric: Metric, by: tuple[str, ...], window: Duration, *, low: bool
) -> promql.Expression:
    match metric.type:
        case MetricType.COUNTER:
            samples = promql.selector(selection.metric, selection.where, window=window)
            return promql.aggregate("sum", promql.increase(samples), by=by)
        case MetricType.GAUGE:
            series = promql.selector(selection.metric, selection.where)
            return promql.aggregate("min" if low else "max", series, by=by)
        case MetricType.HISTOGRAM:
            name = f"{selection.metric}{_BUCKET}"
            samples = promql.selector(name, selection.where, window=window)
            flow = promql.aggregate("sum", promql.rate(samples), by=(*by, BUCKET_BOUND))
            return promql.quantile(_TAIL, flow)
        case _:
            assert_never(metric.type)


def _selections(book: Book, name: Name) -> tuple[Selection, ...]:
    when = book.spec.alerts[name].when
    match when:
        case PromQL():
            return tuple(Selection(metric=MetricName(series)) for series in book.read[name])
        case RatioCondition():
            return (when.bad,)
        case BurnCondition():
            objective = book.spec.slos.get(when.slo)
            if objective is None:
                return ()
            counted = objective.events.bad if objective.events is not None else objective.latency
            return (counted,) if counted is not None else ()
        case (
            RateCondition()
            | IncreaseCondition()
            | ThresholdCondition()
            | QuantileCondition()
            | StaleCondition()
            | TrendCondition()
        ):
            return (when,)
        case AbsentCondition():
            return ()
        case _:
            assert_never(when)


def _window(when: When) -> Duration:
    match when:
        case PromQL():
            return _first_duration(when)
        case (
            RatioCondition()
            | RateCondition()
            | IncreaseCondition()
            | QuantileCondition()
            | TrendCondition()
        ):
            return when.window
        case AbsentCondition():
            return when.window or _USUAL_WINDOW
        case BurnCondition():
            return when.short
        case ThresholdCondition() | StaleCondition():
            return _USUAL_WINDOW
        case _:
            assert_never(when)


def _first_duration(text: str) -> Duration:
    """The first range of an expression: how far back its author looked."""
    try:
        tokens = promql.scan(text)
    except promql.PromQLError:
        return _USUAL_WINDOW
    found = (token.text for token in tokens if token.kind is promql.Kind.DURATION)
    return next((Duration.parse(duration) for duration in found), _USUAL_WINDOW)


def describe_panels(book: Book, name: Name) -> str:
    """The dashboards that show the alert's metrics, with the panels that do; empty without."""
    panels: dict[Name, dict[str, None]] = {}
    for series in book.read[name]:
        for dashboard, row, panel in book.shown.get(series, ()):
            titles = f"{escape(row.title)}: {escape(panel.title)}"
            panels.setdefault(dashboard, {})[titles] = None
    named = book.spec.alerts[name].runbook.dashboards
    lines = []
    for dashboard in book.spec.dashboards:
        if dashboard in panels or dashboard in named:
            shown = "; ".join(panels.get(dashboard, ()))
            lines.append(_dashboard_link(dashboard, book.spec) + (f": {shown}" if shown else ""))
    return bullets(lines)


def _dashboard_link(name: Name, spec: Spec) -> str:
    title = escape(spec.dashboards[name].title)
    base = spec.service.grafana_url
    if base is None:
        return link(title, f"../../dashboards/{name}.json")
    return link(title, f"{base.rstrip('/')}/d/{dashboard_uid(spec.service.name, name)}")


def describe_logs(book: Book, name: Name) -> str:
    """A query for the log lines around the alert; empty where there are neither logs nor query."""
    alert = book.spec.alerts[name]
    own, logs = alert.runbook.logs, book.spec.logs
    if logs is None:
        return fenced(own) if own is not None else ""
    since = Duration(max(_window(alert.when).ms + alert.for_.ms, _SHORTEST_LOOK.ms))
    index = _PLACEHOLDERS.sub("*", logs.index)
    intro = f"In Kibana, with the data view {code(index)}, over the {since} before it fired:"
    derived = f"level : {_LEVELS}" if _LEVEL.search(logs.pattern) else 'message : "error"'
    narrowed = " ".join(_narrowed(book, name))
    return "\n\n".join(filter(None, (intro, fenced(own or derived), narrowed)))


def _narrowed(book: Book, name: Name) -> Iterator[str]:
    for label in book.by(name):
        attribute = book.spec.attributes.get(LabelName(label))
        if attribute is not None and attribute.log is not None:
            asked = code(f'{attribute.log} : "..."')
            yield f"Add {asked} with the value of the alert's label {code(label)}."


def describe_related(book: Book, name: Name) -> str:
    """The other alerts on the same metrics."""
    related = book.related[book.read[name]]
    others = [other for other in related[: _SHOWN + 1] if other != name][:_SHOWN]
    lines = [f"{page_link(o)} ({book.spec.alerts[o].severity})" for o in others]
    more = len(related) - 1 - len(others)
    return bullets([*lines, f"and {more} more"] if more > 0 else lines)
