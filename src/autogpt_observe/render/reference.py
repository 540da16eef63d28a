"""The reference: every metric and recorded series, what moves it and who reads it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.names import MetricSource
from autogpt_observe.render.alerts import GENERATED
from autogpt_observe.render.markdown import (
    anchors,
    bullets,
    code,
    codes,
    document,
    escape,
    fenced,
    link,
    prose,
    table,
)
from autogpt_observe.render.readers import (
    panels_of,
    read_by_condition,
    read_by_expression,
    read_by_objective,
    read_by_panel,
)
from autogpt_observe.spec.cardinality import most_series, most_values
from autogpt_observe.spec.expansion import with_implied_alerts
from autogpt_observe.spec.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from enum import StrEnum

    from autogpt_observe.spec.model import Attribute, Metric, RecordingRule, Spec

METRICS_PAGE = "docs/reference/metrics.md"
FROM_RUNBOOKS = "../reference/metrics.md"
_RUNBOOKS = "../runbooks"
_DASHBOARDS = "../../dashboards"
_METRICS_TITLE = "All metrics"
_ATTRIBUTES_TITLE = "The attributes"
_RECORDED_TITLE = "Recorded series"
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class _Readers:
    """Who reads one series: links to alerts and dashboards, names of rules and objectives."""

    alerts: dict[str, None]
    rules: dict[str, None]
    objectives: dict[str, None]
    dashboards: dict[str, None]


def render(spec: Spec) -> Mapping[str, str]:
    """``docs/reference/metrics.md``; none for a spec with neither metrics nor recording rules."""
    if not spec.metrics and not spec.recording_rules:
        return {}
    readers = _find_readers(with_implied_alerts(spec))
    text = document(
        f"# Metrics of {spec.service.name}",
        f"What {code(spec.service.name)} emits and what its alerts and dashboards read.",
        *_metric_blocks(spec, readers),
        *_attribute_blocks(spec),
        *_recorded_blocks(spec, readers),
        note=GENERATED,
    )
    return {METRICS_PAGE: text}


def metric_anchors(spec: Spec) -> dict[str, str]:
    """For each metric and recorded series, the fragment of its heading in the reference."""
    # titles of sections have a space in them, names have none: they take no fragment away
    names = [*map(str, spec.metrics), *map(str, spec.recording_rules)]
    return dict(zip(names, anchors(names), strict=True))


def _find_readers(spec: Spec) -> Mapping[str, _Readers]:
    found: dict[str, _Readers] = defaultdict(lambda: _Readers({}, {}, {}, {}))
    for name, alert in spec.alerts.items():
        for series in read_by_condition(alert.when, spec):
            found[series].alerts[link(code(name), f"{_RUNBOOKS}/{name}.md")] = None
    for record, rule in spec.recording_rules.items():
        for series in read_by_expression(rule.expr, spec):
            found[series].rules[str(record)] = None
    for slo, objective in spec.slos.items():
        for series in read_by_objective(objective):
            found[series].objectives[code(slo)] = None
    for board, dashboard in spec.dashboards.items():
        for _, panel in panels_of(dashboard):
            for series in read_by_panel(panel, spec):
                shown = link(escape(dashboard.title), f"{_DASHBOARDS}/{board}.json")
                found[series].dashboards[shown] = None
    return found


# --- metrics ---------------------------------------------------------------------------------


def _metric_blocks(spec: Spec, readers: Mapping[str, _Readers]) -> Iterator[str]:
    if not spec.metrics:
        return
    found = metric_anchors(spec)
    rows = (_metric_row(name, found[name], metric, spec) for name, metric in spec.metrics.items())
    header = ("metric", "type", "unit", "moved by", "labels", "series")
    yield f"## {_METRICS_TITLE}\n\n{table(header, rows)}\n\n{_series_note(spec)}"
    for name, metric in spec.metrics.items():
        yield f"### {code(name)}"
        yield prose(metric.help)
        yield bullets(_metric_facts(name, metric, spec, readers, found))


def _metric_row(name: str, anchor: str, metric: Metric, spec: Spec) -> tuple[str, ...]:
    labels = ", ".join(map(code, (*metric.attributes, *metric.labels)))
    moved = code(metric.from_)
    return (
        link(code(name), f"#{anchor}"),
        metric.type.value,
        metric.unit.value if metric.unit is not None else "",
        moved,
        labels,
        _series_count(metric, spec),
    )


def _series_count(metric: Metric, spec: Spec) -> str:
    if metric.from_ is MetricSource.EXTERNAL:
        return "not ours"
    count = most_series(metric, spec)
    return f"{count:,}" if count is not None else "no limit"


def _series_note(spec: Spec) -> str:
    counts = [
        most_series(metric, spec)
        for metric in spec.metrics.values()
        if metric.from_ is not MetricSource.EXTERNAL
    ]
    limited = sum(count for count in counts if count is not None)
    total = f"at most {limited:,}" if None not in counts else f"{limited:,} and those without limit"
    budget = f"{spec.prometheus.series_budget:,}"
    return (
        f"`series` is the most that one process makes once every value was seen: {total} in all."
        f" The budget of the whole service is {budget}."
    )


def _metric_facts(
    name: str,
    metric: Metric,
    spec: Spec,
    readers: Mapping[str, _Readers],
    found: Mapping[str, str],
) -> Iterator[str]:
    yield f"Type: {_told(metric.type)}"
    if metric.unit is not None:
        yield f"Unit: {_told(metric.unit)}"
    yield f"Moved by: {_told(metric.from_)}"
    for label in metric.attributes:
        attribute = spec.attributes.get(label)
        told = f": {prose(attribute.help)} ({_values(attribute)})" if attribute is not None else ""
        yield f"Label {code(label)}{told}"
    for label in metric.labels:
        yield f"Label {code(label)}"
    bounds = spec.buckets.get(metric.buckets) if metric.buckets is not None else None
    if bounds:
        listed = ", ".join(f"{bound.value:f}" for bound in bounds)
        yield f"Buckets: {code(metric.buckets or '')}, with the upper bounds {listed}"
    if metric.exemplars:
        yield "Exemplars: its samples carry trace ids"
    yield _read_by(readers.get(name), found)


def _told(word: StrEnum) -> str:
    return f"{code(word.value)}. {prose(WORDS[type(word)][word])}"


def _values(attribute: Attribute) -> str:
    if attribute.values:
        return codes(attribute.values, last="or")
    count = most_values(attribute)
    if count is None:
        return "any value"
    return f"at most {count - 1:,} values, the rest become {code('other')}"


def _read_by(readers: _Readers | None, found: Mapping[str, str]) -> str:
    if readers is None:
        return "Nothing in the spec reads it"
    rules = {link(code(rule), f"#{found[rule]}"): None for rule in readers.rules}
    kinds = {
        "alerts": readers.alerts,
        "recording rules": rules,
        "objectives": readers.objectives,
        "dashboards": readers.dashboards,
    }
    return "Read by " + "; ".join(f"{kind} {_some(who)}" for kind, who in kinds.items() if who)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _MOST_NAMED
    return ", ".join(listed[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


# --- attributes and recorded series ----------------------------------------------------------


def _attribute_blocks(spec: Spec) -> Iterator[str]:
    if not spec.attributes:
        return
    users: dict[str, list[str]] = defaultdict(list)
    for name, metric in spec.metrics.items():
        for label in metric.attributes:
            users[label].append(code(name))
    rows = [
        (
            code(label),
            prose(attribute.help),
            _values(attribute),
            code(attribute.span) if attribute.span is not None else "",
            code(attribute.log) if attribute.log is not None else "",
            _some(users[label]),
        )
        for label, attribute in spec.attributes.items()
    ]
    header = ("label", "says", "values", "span attribute", "log field", "on")
    yield f"## {_ATTRIBUTES_TITLE}\n\n{table(header, rows)}"


def _recorded_blocks(spec: Spec, readers: Mapping[str, _Readers]) -> Iterator[str]:
    if not spec.recording_rules:
        return
    found = metric_anchors(spec)
    yield f"## {_RECORDED_TITLE}\n\nPrometheus computes these."
    for name, rule in spec.recording_rules.items():
        yield f"### {code(name)}"
        yield prose(rule.help)
        yield fenced(rule.expr, "promql")
        yield bullets(_rule_facts(name, rule, spec, readers, found))


def _rule_facts(
    name: str,
    rule: RecordingRule,
    spec: Spec,
    readers: Mapping[str, _Readers],
    found: Mapping[str, str],
) -> Iterator[str]:
    read = [
        link(code(series), f"#{found[series]}") if series in found else code(series)
        for series in read_by_expression(rule.expr, spec)
    ]
    if read:
        yield f"Reads {', '.join(read)}"
    for label, text in rule.labels.items():
        yield f"Label {code(label)}: {code(text)}"
    yield _read_by(readers.get(name), found)
