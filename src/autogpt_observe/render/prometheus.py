"""Prometheus: its configuration, the alerting rules and the recording rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import ENVIRONMENT
from autogpt_observe.render.alerts import (
    FOLDER,
    GENERATED,
    RECORDING,
    RECORDING_FILE,
    alert_annotations,
    alert_labels,
    alerts_by_file,
    group_name,
    plain,
)
from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.slo import (
    burn_expr,
    group_names,
    objective_rules,
    period_interval,
    rules_file,
)
from autogpt_observe.spec.expansion import burn_alerts
from autogpt_observe.spec.model import BurnCondition, Discovery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name, RecordName
    from autogpt_observe.render.emit import Document
    from autogpt_observe.render.slo import ObjectiveRules
    from autogpt_observe.spec.model import Alert, Prometheus, RecordingRule, Spec


def render(spec: Spec) -> Mapping[str, str]:
    """``rules/prometheus.yml`` and the rule files beside it, which it loads: ``*.rules.yml``.

    The alerts stand in files of a few, an objective's with what they read: promtool evaluates the
    whole of the files that a test names, so that with all rules in one file the time of the tests
    would grow with their square.
    """
    files = {"prometheus.yml": _config(spec)}
    for stem, alerts in alerts_by_file(spec).items():
        rules = [
            _alert_rule(spec, name, alert, condition_expr(alert.when, spec))
            for name, alert in alerts.items()
        ]
        files[f"{stem}.rules.yml"] = _group(group_name(spec, stem), rules)
    if spec.recording_rules:
        recorded = [_recording_rule(name, rule) for name, rule in spec.recording_rules.items()]
        files[RECORDING_FILE] = _group(group_name(spec, RECORDING), recorded)
    for name, burning in burn_alerts(spec).items():
        recorded_for = objective_rules(spec, name, spec.slos[name], burning.values())
        if recorded_for is not None:
            files[rules_file(name)] = _objective(recorded_for, burning)
    return {
        f"{FOLDER}/{name}": format_yaml(document, header=GENERATED)
        for name, document in files.items()
    }


def _group(name: str, rules: Sequence[Document]) -> dict[str, Document]:
    return {"groups": [{"name": name, "rules": rules}]}


def _objective(rules: ObjectiveRules, alerts: Mapping[Name, Alert]) -> dict[str, Document]:
    spec = rules.spec
    own_name, period_name = group_names(spec, rules.name)
    group = rules.group()
    for alert_name, alert in alerts.items():
        if isinstance(alert.when, BurnCondition):
            group.append(_alert_rule(spec, alert_name, alert, burn_expr(alert.when, rules)))
    period = {
        "name": period_name,
        "interval": str(period_interval(spec)),
        "rules": rules.period_group(),
    }
    return {"groups": [{"name": own_name, "rules": group}, period]}


def _alert_rule(spec: Spec, name: Name, alert: Alert, expr: str) -> dict[str, Document]:
    rule: dict[str, Document] = {"alert": name, "expr": expr}
    if alert.for_.ms:
        rule["for"] = str(alert.for_)
    if alert.keep_firing_for is not None and alert.keep_firing_for.ms:
        rule["keep_firing_for"] = str(alert.keep_firing_for)
    rule["labels"] = alert_labels(spec, alert)
    rule["annotations"] = alert_annotations(spec, name, alert)
    return rule


def _recording_rule(name: RecordName, rule: RecordingRule) -> dict[str, Document]:
    recorded: dict[str, Document] = {"record": name, "expr": rule.expr}
    if rule.labels:
        recorded["labels"] = plain(rule.labels)
    return recorded


def _config(spec: Spec) -> dict[str, Document]:
    settings = spec.prometheus
    config: dict[str, Document] = {
        "global": {
            "scrape_interval": str(settings.scrape_interval),
            "evaluation_interval": str(settings.evaluation_interval),
            # Reaches Alertmanager as a label: production and staging may share one.
            "external_labels": {ENVIRONMENT: spec.service.environment},
        },
        "rule_files": ["*.rules.yml"],
    }
    if settings.alertmanagers:
        receivers = [{"static_configs": [{"targets": settings.alertmanagers}]}]
        config["alerting"] = {"alertmanagers": receivers}
    if settings.scrape:
        job: Document = {"job_name": spec.service.name, **_discovery(settings)}
        config["scrape_configs"] = [job]
    return config


def _discovery(settings: Prometheus) -> dict[str, Document]:
    if settings.discovery is Discovery.STATIC:
        return {"static_configs": [{"targets": settings.scrape}]}
    names = [address.rpartition(":") for address in settings.scrape]
    return {
        "dns_sd_configs": [
            {"names": [name], "type": "A", "port": int(port)} for name, _, port in names
        ]
    }
