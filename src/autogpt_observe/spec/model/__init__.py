"""The spec as frozen, typed values. These classes are the one declaration of every key.

The reader (`build`), the JSON Schema (`schema`) and the reference are derived from the fields
here: a YAML key is the field's name without a trailing underscore, its reading is the field's
type, and its meaning is the field's help.
"""

from autogpt_observe.spec.model.alerts import (
    Alert,
    Expectation,
    Firing,
    Inhibition,
    RuleTest,
    Runbook,
    Severity,
)
from autogpt_observe.spec.model.conditions import (
    AbsentCondition,
    Activity,
    Aggregate,
    BurnCondition,
    IncreaseCondition,
    Judged,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    Selection,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
    When,
)
from autogpt_observe.spec.model.dashboards import (
    Dashboard,
    Panel,
    PanelKind,
    Row,
    Show,
)
from autogpt_observe.spec.model.deployment import (
    Autoscaling,
    ComputeResources,
    Deployment,
    Logs,
    Resources,
    SecretReference,
)
from autogpt_observe.spec.model.logging import (
    Logging,
    LogLevel,
    LogOutput,
)
from autogpt_observe.spec.model.notifications import (
    Email,
    Notifications,
    Opsgenie,
    PagerDuty,
    Receiver,
    Route,
    Slack,
    TimeInterval,
    Webhook,
    Weekday,
)
from autogpt_observe.spec.model.objectives import (
    Events,
    Latency,
    Objective,
)
from autogpt_observe.spec.model.redaction import Redaction
from autogpt_observe.spec.model.root import (
    Overlay,
    Spec,
)
from autogpt_observe.spec.model.telemetry import (
    Attribute,
    BucketBound,
    Discovery,
    Metric,
    Processes,
    Prometheus,
    RecordingRule,
    Service,
    Targets,
    Unit,
)
from autogpt_observe.spec.model.traces import (
    Tail,
    Traces,
)

__all__ = [
    "AbsentCondition",
    "Activity",
    "Aggregate",
    "Alert",
    "Attribute",
    "Autoscaling",
    "BucketBound",
    "BurnCondition",
    "ComputeResources",
    "Dashboard",
    "Deployment",
    "Discovery",
    "Email",
    "Events",
    "Expectation",
    "Firing",
    "IncreaseCondition",
    "Inhibition",
    "Judged",
    "Latency",
    "LogLevel",
    "LogOutput",
    "Logging",
    "Logs",
    "Metric",
    "Notifications",
    "Objective",
    "Opsgenie",
    "Overlay",
    "PagerDuty",
    "Panel",
    "PanelKind",
    "Processes",
    "Prometheus",
    "QuantileCondition",
    "RateCondition",
    "RatioCondition",
    "Receiver",
    "RecordingRule",
    "Redaction",
    "Resources",
    "Route",
    "Row",
    "RuleTest",
    "Runbook",
    "SecretReference",
    "Selection",
    "Service",
    "Severity",
    "Show",
    "Slack",
    "Spec",
    "StaleCondition",
    "Tail",
    "Targets",
    "ThresholdCondition",
    "TimeInterval",
    "Traces",
    "TrendCondition",
    "Unit",
    "Webhook",
    "Weekday",
    "When",
]
