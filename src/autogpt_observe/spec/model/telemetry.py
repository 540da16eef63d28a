"""What a service emits: its metrics, their dimensions, and how Prometheus reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from autogpt_observe.names import (
    HostPort,
    LabelName,
    MetricSource,
    MetricType,
    Name,
    PromQL,
    Url,
)
from autogpt_observe.spec.keys import key, part
from autogpt_observe.units import Duration, Version, parse_decimal

MOST = 1_000_000_000
"""The largest whole number that any key takes."""


class Unit(StrEnum):
    """Units of metrics, as the Prometheus conventions name them."""

    SECONDS = "seconds"
    BYTES = "bytes"
    RATIO = "ratio"
    TOKENS = "tokens"
    USD = "usd"


class RunbookSuffix(StrEnum):
    """How the address of a page ends."""

    MARKDOWN = ".md"
    HTML = ".html"
    FOLDER = "/"


@part
class Service:
    """Whose telemetry this is."""

    name: Name = key("Name of the service; it names objects and becomes the `service` label")
    owner: Name = key("Team that owns the service; becomes the `owner` label of its alerts")
    environment: Name = key("Where it runs", default=Name("production"))
    runbook_base_url: Url | None = key(
        "Base address of the runbooks; every alert gets `runbook_url` below it", default=None
    )
    runbook_suffix: RunbookSuffix | None = key(
        "What follows an alert's name in the address of its runbook, such as `.md` where a code"
        " host shows the pages of `docs/runbooks`",
        default=None,
    )
    grafana_url: Url | None = key(
        "Address of Grafana; the runbooks link to the dashboards there", default=None
    )


@part
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


@part
class Prometheus:
    """How Prometheus scrapes the service and evaluates its rules."""

    scrape_interval: Duration = key("Time between scrapes", default=Duration(15_000))
    evaluation_interval: Duration = key("Time between rule evaluations", default=Duration(15_000))
    url: Url = key(
        "Where Grafana reads it, and what its links lead to", default=Url("http://prometheus:9090")
    )
    series_budget: int = key("Most series the service may have", default=20_000, bounds=(1, MOST))
    scrape: tuple[HostPort, ...] = key("Addresses whose /metrics is scraped", default=())
    discovery: Discovery = key(
        "static: each address is one process; dns: a name stands for all its A records, as that of"
        " a headless Kubernetes Service does",
        default=Discovery.STATIC,
    )
    alertmanagers: tuple[HostPort, ...] = key("Alertmanagers that get the alerts", default=())
    target_labels: tuple[LabelName, ...] = key(
        "Labels beyond `job` and `instance` that discovery or relabelling puts on every series",
        default=(),
    )


@part
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


class Processes(StrEnum):
    """How the values of a gauge become what is shown, where several processes set it."""

    EACH = "each"
    SUM = "sum"
    MAX = "max"
    LATEST = "latest"


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


@part
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
    processes: Processes = key(
        "Of a gauge `from: code`, what is shown where several processes set it: `each` living one's"
        " value with a label `pid`, their `sum` or `max`, or the `latest` that any of them has set",
        default=Processes.EACH,
    )


@part
class RecordingRule:
    """A series that Prometheus computes; its key is the series' name, `level:metric:operations`."""

    expr: PromQL = key("The PromQL expression that is recorded")
    help: str = key("What it says, one line", default="")
    labels: Mapping[LabelName, str] = key("Labels added to the series", default={})
