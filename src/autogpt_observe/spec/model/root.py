"""The whole spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from autogpt_observe.names import LabelName, MetricName, Name, RecordName
from autogpt_observe.spec.keys import key, part
from autogpt_observe.spec.model.alerts import Alert
from autogpt_observe.spec.model.dashboards import Dashboard
from autogpt_observe.spec.model.deployment import Autoscaling, Deployment, Logs
from autogpt_observe.spec.model.logging import Logging
from autogpt_observe.spec.model.notifications import Notifications
from autogpt_observe.spec.model.objectives import Objective
from autogpt_observe.spec.model.redaction import Redaction
from autogpt_observe.spec.model.telemetry import (
    Attribute,
    BucketBound,
    Metric,
    Prometheus,
    RecordingRule,
    Service,
    Targets,
)
from autogpt_observe.spec.model.traces import Traces


@part
class Spec:
    """The whole spec, after packs, includes and the environment were merged."""

    version: Literal[1] = key("Version of the spec's format")
    include: tuple[str, ...] = key("Built-in packs by name, or paths of other specs", default=())
    service: Service = key("Whose telemetry this is")
    targets: Targets = key("Versions of the products the bundle is for", default=Targets())
    prometheus: Prometheus = key("Scraping and rule evaluation", default=Prometheus())
    buckets: Mapping[Name, tuple[BucketBound, ...]] = key("Histogram buckets by name", default={})
    attributes: Mapping[LabelName, Attribute] = key("Dimensions by label", default={})
    metrics: Mapping[MetricName, Metric] = key("Metrics by name", default={})
    recording_rules: Mapping[RecordName, RecordingRule] = key("Recorded series", default={})
    alerts: Mapping[Name, Alert] = key("Alerts by name", default={})
    slos: Mapping[Name, Objective] = key("Service level objectives by name", default={})
    notifications: Notifications | None = key("Who is told", default=None)
    dashboards: Mapping[Name, Dashboard] = key("Dashboards by name", default={})
    logging: Logging | None = key("What the runtime logs", default=None)
    logs: Logs | None = key("The log pipeline", default=None)
    traces: Traces | None = key("Which traces are recorded and exported", default=None)
    redaction: Redaction | None = key(
        "Secrets that are replaced before anything leaves the process", default=None
    )
    deployment: Deployment | None = key("The Kubernetes deployment", default=None)
    autoscaling: Autoscaling | None = key("The number of replicas", default=None)
    environments: Mapping[Name, Overlay] = key(
        "For each environment, what differs there: any part of the spec", default={}
    )


@part
class Overlay:
    """An environment's differences; merged into the tree before the spec is built."""
