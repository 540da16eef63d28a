"""Checks of rules as a whole: their times, and whether another rule says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import MetricName, MetricSource, PromQL
from autogpt_observe.promql.parser import parse
from autogpt_observe.promql.scanner import PromQLError
from autogpt_observe.promql.tree import canonical

if TYPE_CHECKING:
    from collections.abc import Hashable

    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert
    from autogpt_observe.units import Duration

_KEEPS_FIRING = (2, 42, 0)


def check_times(context: Context, alert: Alert, path: Path) -> None:
    """Check `for` and `keep_firing_for`, which are looked at once per evaluation."""
    times: list[tuple[str, Duration | None]] = [
        ("for", alert.for_),
        ("keep_firing_for", alert.keep_firing_for),
    ]
    interval = context.spec.prometheus.evaluation_interval
    for key, length in times:
        if length is not None and 0 < length.ms < interval.ms:
            message = f"`{key}: {length}` lasts until the next evaluation, {interval} later"
            fix = f"write `{interval}`, or leave it out"
            at = context.at((*path, key))
            context.warn("alert/for", message, (*path, key), fix=fix, at=at)
    target = context.spec.targets.prometheus
    if alert.keep_firing_for is not None and target.parts < _KEEPS_FIRING:
        message = f"`keep_firing_for` needs Prometheus 2.42; the spec is for {target}"
        fix = "remove it, or raise `targets.prometheus`"
        context.error("alert/version", message, context.key_at((*path, "keep_firing_for")), fix=fix)


def check_duplicates(context: Context) -> None:
    """Check that no rule says what an earlier one says, and that series have one maker."""
    seen: dict[Hashable, str] = {}
    for name, alert in context.spec.alerts.items():
        said = (_meaning(alert.when), alert.for_, alert.severity, alert.owner, _pairs(alert.labels))
        first = seen.setdefault(said, str(name))
        if first != name:
            message = f"`{name}` has the condition, the `for` and the labels of `{first}`"
            fix = "remove one of the two"
            at = context.key_at(("alerts", name))
            context.warn("alert/duplicate", message, ("alerts", str(name)), fix=fix, at=at)
    computed: dict[Hashable, str] = {}
    declared = context.declared("metrics")
    for record, rule in context.spec.recording_rules.items():
        place = context.key_at(("recording_rules", record))
        metric = context.spec.metrics.get(MetricName(record))
        if record in declared and (metric is None or metric.from_ is not MetricSource.EXTERNAL):
            message = f"the recorded series `{record}` is called like a declared metric"
            fix = "name it `level:metric:operations`"
            context.error("rule/name", message, place, fix=fix)
        first = computed.setdefault((_meaning(rule.expr), _pairs(rule.labels)), str(record))
        if first != record:
            message = f"`{record}` records what `{first}` records"
            path = ("recording_rules", str(record))
            context.warn("rule/duplicate", message, path, fix=f"read `{first}`", at=place)


def _meaning(when: object) -> str:
    if not isinstance(when, PromQL):
        return repr(when)  # its maps don't hash
    try:
        return canonical(parse(when))
    except PromQLError:
        return str(when)


def _pairs(labels: object) -> Hashable:
    return tuple(sorted(labels.items())) if hasattr(labels, "items") else ()
