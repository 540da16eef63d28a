"""The spec as frozen, typed values. These classes are the one declaration of every key.

The reader (`build`), the JSON Schema (`schema`) and the reference are derived from the fields
here: a YAML key is the field's name without a trailing underscore, its reading is the field's
type, and its meaning is the field's help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from autogpt_observe.names import (
    EnvName,
    HostPort,
    LabelName,
    MetricName,
    MetricSource,
    MetricType,
    Name,
    ObjectName,
    PromQL,
    RecordName,
    Url,
)
from autogpt_observe.spec.keys import OneOf, key
from autogpt_observe.units import Duration, Quantity, Ratio, Version, parse_decimal

_MOST = 1_000_000_000


class Severity(StrEnum):
    """How urgent an alert is: `critical` wakes somebody, `warning` waits for the morning."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Unit(StrEnum):
    """Units of metrics, as the Prometheus conventions name them."""

    SECONDS = "seconds"
    BYTES = "bytes"
    RATIO = "ratio"
    TOKENS = "tokens"
    USD = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Whose telemetry this is."""

    name: Name = key("Name of the service; it names objects and becomes the `service` label")
    owner: Name = key("Team that owns the service; becomes the `owner` label of its alerts")
    environment: Name = key("Where it runs", default=Name("production"))
    runbook_base_url: Url | None = key(
        "Base address of the runbooks; every alert gets `runbook_url` below it", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The versions of the products that the bundle is made for."""

    prometheus: Version = key("Prometheus", default=Version((2, 42, 0)))
    alertmanager: Version = key("Alertmanager", default=Version((0, 25, 0)))
    grafana: Version = key("Grafana", default=Version((12, 0, 0)))
    logstash: Version = key("Logstash", default=Version((9, 1, 0)))
    elasticsearch: Version = key("Elasticsearch", default=Version((9, 1, 0)))
    kubernetes: Version = key("Kubernetes", default=Version((1, 31, 0)))


class Discovery(StrEnum):
    """How Prometheus comes from the addresses in `scrape` to the processes behind them."""

    STATIC = "static"
    DNS = "dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """How Prometheus scrapes the service and evaluates its rules."""

    scrape_interval: Duration = key("Time between scrapes", default=Duration(15_000))
    evaluation_interval: Duration = key("Time between rule evaluations", default=Duration(15_000))
    series_budget: int = key("Most series the service may have", default=20_000, bounds=(1, _MOST))
    scrape: tuple[HostPort, ...] = key("Addresses whose /metrics is scraped", default=())
    discovery: Discovery = key(
        "static: each address is one process; dns: a name stands for all its A records, as that of"
        " a headless Kubernetes Service does",
        default=Discovery.STATIC,
    )
    alertmanagers: tuple[HostPort, ...] = key("Alertmanagers that get the alerts", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A dimension of the telemetry; its key is the metric label."""

    help: str = key("What it says, one line")
    values: tuple[str, ...] = key("Every value it can have, if they are known", default=())
    max_values: int | None = key(
        "Most values it may take before the rest become `other`",
        default=None,
        bounds=(1, 10_000),
    )
    span: str | None = key("Name of the span attribute", default=None)
    log: str | None = key("Name of the log field", default=None)


@dataclass(frozen=True, slots=True)
class BucketBound:
    """An upper bound of a histogram bucket: a plain number, or a duration taken as seconds."""

    EXPECTED: ClassVar[str] = "a positive number or a duration such as `0.5` or `10s`"

    value: Decimal

    @classmethod
    def parse(cls, text: str) -> BucketBound:
        """Read a number or a duration; raises ValueError for anything else."""
        from_duration = text[-1:].isalpha()
        value = Duration.parse(text).seconds if from_duration else parse_decimal(text)
        if value <= 0:
            raise ValueError("a bucket's bound must be above zero")
        return cls(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric the service exposes, or one of a third party that its alerts read."""

    type: MetricType = key("counter, gauge or histogram")
    from_: MetricSource = key("What makes it move: a signal of the runtime, `code` or `external`")
    help: str = key("What it counts, one line; becomes its # HELP text")
    unit: Unit | None = key("Unit of its values; must agree with the name's suffix", default=None)
    attributes: tuple[LabelName, ...] = key("Its labels, each declared in `attributes`", default=())
    labels: tuple[LabelName, ...] = key("Labels of an `external` metric", default=())
    buckets: Name | None = key("Name of a list in `buckets`, for a histogram", default=None)
    exemplars: bool = key("Attach trace ids to its samples", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A series that Prometheus computes; its key is the series' name, `level:metric:operations`."""

    expr: PromQL = key("The PromQL expression that is recorded")
    help: str = key("What it says, one line", default="")
    labels: Mapping[LabelName, str] = key("Labels added to the series", default={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Samples of one metric."""

    metric: MetricName = key("Name of a declared metric")
    where: Mapping[LabelName, tuple[str, ...]] = key(
        "For each label, the values that count; all must match", default={}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioCondition:
    """Bad events as a share of all events, over a window."""

    bad: Selection = key("The events that count as bad")
    total: Selection = key("All events; the bad ones are among them")
    by: tuple[LabelName, ...] = key("Judge each combination of these labels alone", default=())
    window: Duration = key("How far back events count")
    above: Ratio = key("The share above which the alert holds", example="20%")
    min_events: int = key("Fewest events in the window for a verdict", default=1, bounds=(1, _MOST))


When = Annotated[
    PromQL | RatioCondition,
    OneOf(MappingProxyType({"expr": PromQL, "ratio": RatioCondition})),
]
"""A condition: raw PromQL under `expr`, or a typed form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What one firing alert looks like, beyond what its rule says."""

    value: str | None = key("`$value` as the templates print it", default=None, example='"0.2"')
    labels: Mapping[LabelName, str] = key("Labels that the expression's result has", default={})
    annotations: Mapping[LabelName, str] = key(
        "Rendered texts, where the templates use more than `$value` and `$labels`", default={}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an alert does at one moment: `silent` (pending is silent too), `fires`, or details."""

    SHORTHANDS: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {"silent": {"fires": ()}, "fires": {"fires": (Firing(),)}}
    )

    fires: tuple[Firing, ...] = key("The alerts that fire, one for each label set")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """A unit test of an alert: series as promtool writes them, and what must be seen when."""

    interval: Duration | None = key(
        "Time between the samples; the scrape interval unless given", default=None
    )
    evaluation_interval: Duration | None = key(
        "Time between evaluations in this test; that of the spec unless given", default=None
    )
    series: Mapping[str, str] = key(
        "For each series, its samples in promtool's notation, such as `0+12x20 240+0x20`"
    )
    at: Mapping[Duration, Expectation] = key("For each time from the start, what is seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert: when it holds, for how long before it fires, and what it tells whom."""

    when: When = key("The condition: `expr` with raw PromQL, or a typed one such as `ratio`")
    for_: Duration = key("How long it must hold before it fires", default=Duration(0))
    keep_firing_for: Duration | None = key("How long it fires on after it cleared", default=None)
    severity: Severity = key("info, warning or critical; becomes a label")
    owner: Name | None = key("Who is told, if not the service's owner", default=None)
    labels: Mapping[LabelName, str] = key("More labels", default={})
    annotations: Mapping[LabelName, str] = key("Texts, with Go templates; at least `summary`")
    tests: Mapping[Name, RuleTest] = key("Unit tests; raw PromQL brings its own", default={})
    allow: Mapping[str, str] = key("Checks waived for this alert, each with its reason", default={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook receiver."""

    url: Url = key("Where Alertmanager posts the notification")
    send_resolved: bool = key("Tell when the alert resolves", default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where notifications go."""

    webhook: Webhook | None = key("An HTTP endpoint", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Alerts that go to a receiver of their own."""

    receiver: Name = key("Name of a declared receiver")
    severity: tuple[Severity, ...] = key("Severities it takes; all unless given", default=())
    owner: tuple[Name, ...] = key("Owners it takes; all unless given", default=())
    continue_: bool = key("Go on to the next route as well", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Who is told, how alerts are grouped and how often they repeat."""

    receivers: Mapping[Name, Receiver] = key("The receivers by name")
    default: Name = key("The receiver of alerts that no route takes")
    group_by: tuple[LabelName, ...] = key(
        "Labels whose alerts share one notification",
        default=(LabelName("alertname"), LabelName("service")),
    )
    group_wait: Duration = key("Wait for more alerts of a new group", default=Duration(30_000))
    group_interval: Duration = key(
        "Time between notifications of a group that changed", default=Duration(300_000)
    )
    repeat_interval: Duration = key(
        "Time before an unchanged notification repeats", default=Duration(4 * 3_600_000)
    )
    routes: Mapping[Name, Route] = key("Routes in order; the first that fits wins", default={})


class Show(StrEnum):
    """What a panel shows of its metric."""

    VALUE = "value"
    RATE = "rate"
    INCREASE = "increase"
    QUANTILES = "quantiles"
    SHARE = "share"


class PanelKind(StrEnum):
    """How a panel is drawn."""

    TIMESERIES = "timeseries"
    STAT = "stat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel: a declared metric and an intent, or raw PromQL."""

    title: str = key("Title of the panel")
    metric: MetricName | None = key("The metric it shows", default=None)
    show: Show | None = key(
        "value, rate, increase, quantiles, or share (of `of`); follows the type unless given",
        default=None,
    )
    of: MetricName | None = key("With `show: share`: the metric that is the whole", default=None)
    by: tuple[LabelName, ...] = key("One line for each combination of these labels", default=())
    expr: PromQL | None = key("Raw PromQL, in place of `metric`", default=None)
    unit: Unit | None = key("Unit; the metric's own unless given", default=None)
    kind: PanelKind = key("timeseries or stat", default=PanelKind.TIMESERIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A titled row of panels."""

    title: str = key("Title of the row")
    panels: tuple[Panel, ...] = key("Its panels, left to right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A Grafana dashboard."""

    title: str = key("Title")
    rows: tuple[Row, ...] = key("Its rows, top down")
    tags: tuple[str, ...] = key("Tags to find it by", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """How log lines travel: Beats to Logstash to Elasticsearch."""

    beats_port: int = key(
        "Port on which Logstash listens for Beats", default=5044, bounds=(1, 65_535)
    )
    pattern: str = key("Grok pattern of one line; captures `timestamp` and `level`")
    date_formats: tuple[str, ...] = key("Formats of `timestamp`, as the date filter writes them")
    timezone: str = key("Zone of times that carry none", default="UTC")
    elasticsearch: tuple[Url, ...] = key("Elasticsearch addresses")
    index: str = key("Index the events go to", example="autogpt-logs-%{+YYYY.MM.dd}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeResources:
    """An amount of CPU and memory."""

    cpu: Quantity = key("CPU, in cores or millicores")
    memory: Quantity = key("Memory, in bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a replica is given."""

    requests: ComputeResources = key("What the scheduler sets aside for it")
    limits: ComputeResources = key("What it may use at the most")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """A value that stays in a Kubernetes Secret."""

    secret: ObjectName = key("Name of the Secret")
    key: str = key("Key inside the Secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How the service runs on Kubernetes."""

    image: str = key("Container image")
    namespace: ObjectName | None = key("Namespace; that of the context unless given", default=None)
    replicas: int = key("Replicas before autoscaling has its say", default=1, bounds=(0, 10_000))
    port: int = key(
        "Port of the service itself, behind the public Service", default=8000, bounds=(1, 65_535)
    )
    public_port: int = key("Port of the public LoadBalancer", default=80, bounds=(1, 65_535))
    metrics_port: int = key(
        "Port of /metrics, inside the cluster only", default=9464, bounds=(1, 65_535)
    )
    resources: Resources = key("CPU and memory")
    env: Mapping[EnvName, str] = key("Environment variables", default={})
    secrets: Mapping[EnvName, SecretReference] = key(
        "Environment variables taken from Secrets", default={}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling:
    """How many replicas, by load."""

    min: int = key("Fewest replicas", bounds=(1, 10_000))
    max: int = key("Most replicas", bounds=(1, 10_000))
    cpu: Ratio | None = key("Average CPU use to hold, as a share of the request", default=None)
    memory: Ratio | None = key(
        "Average memory use to hold, as a share of the request", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
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
    notifications: Notifications | None = key("Who is told", default=None)
    dashboards: Mapping[Name, Dashboard] = key("Dashboards by name", default={})
    logs: Logs | None = key("The log pipeline", default=None)
    deployment: Deployment | None = key("The Kubernetes deployment", default=None)
    autoscaling: Autoscaling | None = key("The number of replicas", default=None)
    environments: Mapping[Name, Overlay] = key(
        "For each environment, what differs there: any part of the spec", default={}
    )


@dataclass(frozen=True, slots=True)
class Overlay:
    """An environment's differences; merged into the tree before the spec is built."""
