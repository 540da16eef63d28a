"""Where the service runs: its log pipeline, its deployment, its number of replicas."""

from __future__ import annotations

from collections.abc import Mapping

from autogpt_observe.names import EnvName, ObjectName, Url
from autogpt_observe.spec.keys import key, part
from autogpt_observe.units import Quantity, Ratio


@part
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


@part
class ComputeResources:
    """An amount of CPU and memory."""

    cpu: Quantity = key("CPU, in cores or millicores")
    memory: Quantity = key("Memory, in bytes")


@part
class Resources:
    """What a replica is given."""

    requests: ComputeResources = key("What the scheduler sets aside for it")
    limits: ComputeResources = key("What it may use at the most")


@part
class SecretReference:
    """A value that stays in a Kubernetes Secret."""

    secret: ObjectName = key("Name of the Secret")
    key: str = key("Key inside the Secret")


@part
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


@part
class Autoscaling:
    """How many replicas, by load."""

    min: int = key("Fewest replicas", bounds=(1, 10_000))
    max: int = key("Most replicas", bounds=(1, 10_000))
    cpu: Ratio | None = key("Average CPU use to hold, as a share of the request", default=None)
    memory: Ratio | None = key(
        "Average memory use to hold, as a share of the request", default=None
    )
