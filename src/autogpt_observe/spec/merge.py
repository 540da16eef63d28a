"""Laying one tree over another: packs below the spec, environments above it.

Maps merge by key; lists, scalars and an alert's ``when`` are replaced whole; a layer that changes
an alert's condition or its ``for`` drops the unit tests from below, which were about the old ones,
and one that changes its condition the meaning that the runbook gave the old one.
``enabled: false`` stays in the tree (the reader drops the part), so that a later layer can switch
it on again. Every node keeps its place, so a finding or `show --resolved` points to the layer a
value came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_origin

from autogpt_observe.diagnostics import did_you_mean, suggest
from autogpt_observe.spec.build import field_types, holds_parts, inner_type, is_required
from autogpt_observe.spec.model import Alert, Overlay, Spec
from autogpt_observe.spec.tree import (
    ENABLED,
    Entry,
    Mapping,
    Node,
    Scalar,
    Sequence,
    is_switched_off,
)

if TYPE_CHECKING:
    from autogpt_observe.diagnostics import Report

TESTS = "tests"
TESTED = frozenset({"when", "for", "keep_firing_for"})
"""What an alert's unit tests are about: a layer that changes one of these brings its own tests."""
ENVIRONMENTS = "environments"
METRIC_SHAPE = ("type", "from", "unit", "attributes", "labels", "buckets")
"""What an environment can't change of a metric: the code that emits it is the same everywhere."""
_A_SLIP = 0.75
NOT_BY_ENVIRONMENT = ("version", "include", ENVIRONMENTS)


def merge(below: Mapping, above: Mapping, report: Report | None, *, type_: Any = Spec) -> Mapping:
    """A new tree that holds ``above`` laid over ``below``; neither is changed.

    Args:
        below: the lower layer.
        above: the upper one; the result takes its place in the text.
        report: takes each ``enabled: false`` that has nothing to remove; None where it has nothing
            to remove yet.
        type_: what the tree is read as: this tells an alert's ``when`` from a label of that name.
    """
    merged = dict(below.entries)
    if type_ is Alert and not TESTED.isdisjoint(above.entries):
        merged.pop(TESTS, None)
    if type_ is Alert and "when" in above.entries:
        _drop_meaning(merged)
    for name, entry in above.entries.items():
        inner = inner_type(type_, name)
        lower = merged.get(name)
        if lower is None and report is not None and holds_parts(type_):
            _report_removal_of_nothing(entry, tuple(below.entries), report)
            _report_change_of_nothing(entry, tuple(below.entries), inner, report)
        value: Node = entry.value
        if isinstance(value, Mapping) and get_origin(inner) is not Annotated:
            under = lower.value if lower is not None else None
            under = under if isinstance(under, Mapping) else Mapping({}, value.at)
            value = merge(under, value, None if inner is Overlay else report, type_=inner)
        merged[name] = Entry(entry.key, value)
    return Mapping(merged, above.at)


def _drop_meaning(alert: dict[str, Entry]) -> None:
    """Take away what the runbook says of the condition that is replaced."""
    runbook = alert.get("runbook")
    if runbook is not None and isinstance(runbook.value, Mapping):
        left = {name: e for name, e in runbook.value.entries.items() if name != "meaning"}
        alert["runbook"] = Entry(runbook.key, Mapping(left, runbook.value.at))


def merge_environment(base: Mapping, name: str, overlay: Mapping, report: Report) -> Mapping:
    """The base tree as it is in the environment ``name``; reports what can't differ there."""
    for forbidden in NOT_BY_ENVIRONMENT:
        if forbidden in overlay.entries:
            at = overlay.entries[forbidden].key.at
            message = f"the environment `{name}` can't change `{forbidden}`"
            report.error("env/fixed-section", message, at, fix="set it outside of `environments`")
    metrics, base_metrics = overlay.get("metrics"), base.get("metrics")
    if isinstance(metrics, Mapping) and isinstance(base_metrics, Mapping):
        for metric in metrics.entries.values():
            if metric.key.text in base_metrics.entries:
                _report_shape_change(name, metric, report)
    merged = merge(base, overlay, report)
    return _named_environment(Mapping(merged.entries, base.at), name, overlay)


def drop_references_to_removed(tree: Mapping) -> Mapping:
    """The tree in which no alert silences, and no runbook shows, what a layer removed.

    So a spec removes an alert or a dashboard of a pack by its name alone, whatever refers to it.
    """
    alerts, dashboards = _removed(tree, "alerts"), _removed(tree, "dashboards")
    if not alerts and not dashboards:
        return tree
    for section in ("alerts", "slos"):
        parts = tree.get(section)
        if isinstance(parts, Mapping):
            for name in parts.entries:
                place = (section, name)
                tree = _filtered(tree, (*place, "inhibits"), alerts)
                tree = _filtered(tree, (*place, "runbook", "dashboards"), dashboards)
    return tree


def _removed(tree: Mapping, section: str) -> frozenset[str]:
    parts = tree.get(section)
    entries = parts.entries.items() if isinstance(parts, Mapping) else ()
    return frozenset(name for name, entry in entries if is_switched_off(entry.value))


def _filtered(node: Mapping, path: tuple[str, ...], removed: frozenset[str]) -> Mapping:
    """``node`` without the keys or the items at ``path`` that are in ``removed``."""
    entry = node.entries.get(path[0])
    if entry is None or not removed:
        return node
    value = entry.value
    match value, path[1:]:
        case Mapping(), ():
            kept = {name: inner for name, inner in value.entries.items() if name not in removed}
            value = Mapping(kept, value.at)
        case Sequence(), ():
            words = (item.text if isinstance(item, Scalar) else None for item in value.items)
            items = [
                item for item, word in zip(value.items, words, strict=True) if word not in removed
            ]
            value = Sequence(items, value.at)
        case Mapping(), rest:
            value = _filtered(value, rest, removed)
        case _:
            return node  # not what belongs there: the reader's to report
    return Mapping({**node.entries, path[0]: Entry(entry.key, value)}, node.at)


def _named_environment(merged: Mapping, name: str, overlay: Mapping) -> Mapping:
    service, own = merged.get("service"), overlay.get("service")
    if not isinstance(service, Mapping) or (
        isinstance(own, Mapping) and "environment" in own.entries
    ):
        return merged
    at = overlay.at
    key = Scalar("environment", plain=True, at=at)
    named = {**service.entries, "environment": Entry(key, Scalar(name, plain=True, at=at))}
    entry = merged.entries["service"]
    renamed = Entry(entry.key, Mapping(named, service.at))
    return Mapping({**merged.entries, "service": renamed}, merged.at)


def _report_shape_change(name: str, metric: Entry, report: Report) -> None:
    if not isinstance(metric.value, Mapping):
        return
    for part in METRIC_SHAPE:
        if part in metric.value.entries:
            at = metric.value.entries[part].key.at
            message = f"the environment `{name}` can't change `{part}` of `{metric.key.text}`"
            fix = "the same code emits it everywhere; change it outside of `environments`"
            report.error("env/metric-shape", message, at, fix=fix)


def _report_change_of_nothing(
    entry: Entry, known: tuple[str, ...], part: type, report: Report
) -> None:
    """A part that is not whole, under nearly the name of one below, was meant to change it."""
    near = suggest(entry.key.text, known, likeness=_A_SLIP)
    if near is None or not isinstance(entry.value, Mapping) or is_switched_off(entry.value):
        return
    required = (name for name, (field, _) in field_types(part).items() if is_required(field))
    if any(name not in entry.value.entries for name in required):
        message = f"`{entry.key.text}` is not whole, and nothing of that name is below to change"
        fix = f"did you mean `{near}`?"
        report.error("merge/changes-nothing", message, entry.key.at, fix=fix)


def _report_removal_of_nothing(entry: Entry, known: tuple[str, ...], report: Report) -> None:
    if not isinstance(entry.value, Mapping) or list(entry.value.entries) != [ENABLED]:
        return
    if is_switched_off(entry.value):
        message = f"`enabled: false` removes nothing: there is no `{entry.key.text}` below"
        report.error(
            "merge/removes-nothing", message, entry.key.at, fix=did_you_mean(entry.key.text, known)
        )
