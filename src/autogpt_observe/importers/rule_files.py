"""Prometheus rule files, plain or as the `PrometheusRule` of the Prometheus operator.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and
https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.importers.sources import AlertRule, Interval, RecordingRule, Sources
from autogpt_observe.spec.tree import describe
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.importers.ledger import Part
    from autogpt_observe.spec.tree import Scalar


def read_rule_file(root: Part) -> Sources:
    """The rules of a file with `groups:`."""
    alerts: list[AlertRule] = []
    records: list[RecordingRule] = []
    intervals = []
    for group in root.parts("groups"):
        named = group.text("name")
        name = named.text if named is not None else ""
        group.of = f"the group `{name}`"
        intervals.append(_interval(group, name))
        group.lose("limit", f"the `limit` of {group.of} is not carried over", fix=_NO_GROUPS)
        group.lose(
            "query_offset", f"the `query_offset` of {group.of} is not carried over", fix=_NO_GROUPS
        )
        common = group.texts("labels")
        for rule in group.parts("rules"):
            read = _read_rule(rule, common, name)
            if isinstance(read, AlertRule):
                alerts.append(read)
            elif read is not None:
                records.append(read)
    return Sources(alerts=tuple(alerts), records=tuple(records), intervals=tuple(intervals))


_NO_GROUPS = "a spec has no groups; set it in a rule file of your own if you need it"


def _interval(group: Part, name: str) -> Interval:
    written = group.text("interval")
    return Interval(
        length=read_duration(group, "interval") if written is not None else None,
        group=name,
        at=group.at_key("interval"),
    )


def read_duration(part: Part, key: str) -> Duration | None:
    """The duration under ``key``; one that can't be read is listed."""
    written = part.text(key)
    if written is None:
        return None
    try:
        return Duration.parse(written.text)
    except ValueError:
        message = f"`{key}` of {part.of} is not carried over: `{written.text}` is no duration"
        part.ledger.lost(message, written.at)
        return None


def _named(name: Scalar | None) -> Scalar | None:
    """A name, if there is something in it; an empty one is none to Prometheus."""
    return name if name is not None and name.text else None


def _read_rule(
    rule: Part, common: Mapping[str, Scalar], group: str
) -> AlertRule | RecordingRule | None:
    alert, record = (_named(rule.text(key)) for key in ("alert", "record"))
    name = alert or record
    kind = "alert" if alert is not None else "recording rule"
    rule.of = f"the {kind} `{name.text}`" if name is not None else "a rule"
    if (alert is None) is (record is None):
        rule.drop("it needs one of `alert` and `record`")
        return None
    misfit = rule.misfit("expr")
    if misfit is not None:
        rule.drop(f"its `expr` is {misfit}, not a text", rule.at_key("expr"))
        return None
    expr = rule.text("expr")
    if expr is None or not expr.text.strip():
        rule.drop("it has no `expr`", name.at if name is not None else None)
    elif alert is not None:
        return _read_alert(rule, alert, expr, (common, group))
    elif record is not None:
        labels = {**common, **rule.texts("labels")}
        return RecordingRule(name=record, expr=expr, labels=labels, group=group)
    return None


def _read_alert(
    rule: Part, name: Scalar, expr: Scalar, of_group: tuple[Mapping[str, Scalar], str]
) -> AlertRule | None:
    common, group = of_group
    lengths: dict[str, Duration | None] = {"for": None, "keep_firing_for": None}
    for key in lengths:
        written = rule.text(key)
        if written is None:
            continue
        try:
            lengths[key] = Duration.parse(written.text)
        except ValueError:  # to leave it out would make another alert of it
            rule.drop(f"its `{key}` is no duration but {describe(written)}", written.at)
            return None
    return AlertRule(
        name=name,
        expr=expr,
        for_=lengths["for"] or Duration(0),
        keep_firing_for=lengths["keep_firing_for"],
        labels={**common, **rule.texts("labels")},
        annotations=rule.texts("annotations"),
        group=group,
    )
