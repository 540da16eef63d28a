"""Prometheus: its configuration, the alerting rules and the recording rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import ENVIRONMENT
from autogpt_observe.render.alerts import (
    ALERTS_FILE,
    FOLDER,
    GENERATED,
    RECORDING_FILE,
    alert_annotations,
    alert_labels,
    plain,
)
from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.spec.model import Discovery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name, RecordName
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Alert, Prometheus, RecordingRule, Spec


def render(spec: Spec) -> Mapping[str, str]:
    """``rules/prometheus.yml`` and a file for each kind of rule the spec has.

    The files stand side by side: the configuration loads ``*.rules.yml`` beside it.
    """
    files = {"prometheus.yml": _config(spec)}
    if spec.alerts:
        rules = [_alert_rule(spec, name, alert) for name, alert in spec.alerts.items()]
        files[ALERTS_FILE] = _group(f"{spec.service.name}-alerts", rules)
    if spec.recording_rules:
        recorded = [_recording_rule(name, rule) for name, rule in spec.recording_rules.items()]
        files[RECORDING_FILE] = _group(f"{spec.service.name}-recording", recorded)
    return {
        f"{FOLDER}/{name}": format_yaml(document, header=GENERATED)
        for name, document in files.items()
    }


def _group(name: str, rules: Sequence[Document]) -> dict[str, Document]:
    return {"groups": [{"name": name, "rules": rules}]}


def _alert_rule(spec: Spec, name: Name, alert: Alert) -> dict[str, Document]:
    rule: dict[str, Document] = {"alert": name, "expr": condition_expr(alert.when)}
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
