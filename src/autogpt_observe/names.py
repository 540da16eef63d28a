"""Every name that more than one place must agree on: labels, signals of the runtime, settings.

Text types here validate on ``parse`` and then behave as plain strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

ALERT_NAME = "alertname"
SEVERITY = "severity"
SERVICE = "service"
OWNER = "owner"
ENVIRONMENT = "environment"
RUNBOOK_URL = "runbook_url"
BUCKET_BOUND = "le"
JOB = "job"
INSTANCE = "instance"

HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")
SYNTHETIC_METRICS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "ALERTS",
    "ALERTS_FOR_STATE",
)
"""Series that Prometheus itself makes for every target or alert:
https://prometheus.io/docs/concepts/jobs_instances/"""
TARGET_LABELS = (JOB, INSTANCE)
"""Labels that Prometheus puts on every series it scrapes."""

SETTING_PREFIX = "AUTOGPT_OBSERVE_"
"""Prefix of every environment variable this package reads."""


class _Text(str):
    """A string checked once, when it is parsed."""

    __slots__ = ()
    EXPECTED: ClassVar[str]
    PATTERN: ClassVar[re.Pattern[str]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check ``text``; raises ValueError when it doesn't fit the type's pattern."""
        if cls.PATTERN.fullmatch(text) is None:
            raise ValueError
        return cls(text)


class Name(_Text):
    """A name that becomes part of file and object names; 63 characters is the DNS label limit."""

    __slots__ = ()
    EXPECTED = "a name of at most 63 letters, digits, `-` and `_`, starting with a letter"
    PATTERN = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,62}", re.ASCII)


class ObjectName(_Text):
    """The name of a Kubernetes object: an RFC 1123 label."""

    __slots__ = ()
    EXPECTED = "a Kubernetes name: at most 63 lower-case letters, digits and `-`"
    PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class MetricName(_Text):
    """A classic Prometheus metric name; colons belong to recording rules."""

    __slots__ = ()
    EXPECTED = "a metric name of letters, digits and `_`, not starting with a digit"
    PATTERN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,199}", re.ASCII)


class RecordName(_Text):
    """The name of a recorded series: ``level:metric:operations``."""

    __slots__ = ()
    EXPECTED = "a recorded series' name of letters, digits, `_` and `:`"
    PATTERN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}", re.ASCII)


class LabelName(_Text):
    """A Prometheus label name; names starting with ``__`` are Prometheus' own."""

    __slots__ = ()
    EXPECTED = "a label name of letters, digits and `_`, starting with neither a digit nor `__`"
    PATTERN = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,99}", re.ASCII)


class EnvName(_Text):
    """The name of an environment variable."""

    __slots__ = ()
    EXPECTED = "an environment variable's name such as `OPENAI_API_KEY`"
    PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


class HostPort(_Text):
    """An address to connect to, ``host:port``; IPv6 hosts stand in brackets."""

    __slots__ = ()
    EXPECTED = "an address `host:port`, such as `localhost:9090`"
    PATTERN = re.compile(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
        r":(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])",
        re.ASCII,
    )


class PromQL(_Text):
    """The text of a PromQL expression, as the author wrote it."""

    __slots__ = ()
    EXPECTED = "a PromQL expression"
    PATTERN = re.compile(r".*\S.*", re.DOTALL)


class Url(_Text):
    """An http or https address without credentials in it."""

    __slots__ = ()
    EXPECTED = "an http or https URL"
    PATTERN = re.compile(
        r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\\x00-\x1f\x7f]+)(?::\d{1,5})?"
        r"(?:[/?#][^\s\x00-\x1f\x7f]*)?",
        re.ASCII,
    )
    _WITH_USER = re.compile(r"https?://[^\s/?#]*@|https?://[^\s/?#:]+:\S*@", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check ``text``; raises ValueError when it is no URL or carries a user or password."""
        if cls.PATTERN.fullmatch(text) is None and cls._WITH_USER.match(text) is not None:
            raise ValueError("credentials don't belong in the spec; refer to a secret instead")
        return super().parse(text)


class MetricSource(StrEnum):
    """What makes a metric move: a signal of the runtime, the service's own code, or a third party.

    ``run`` is one call of a function under ``@agent``; ``failure`` is counted once per failure,
    where it first surfaces; ``llm.attempt`` is one HTTP attempt to a model provider, or one
    logical call where attempts can't be seen.
    """

    CODE = "code"
    EXTERNAL = "external"
    RUN_START = "run.start"
    RUN_END = "run.end"
    RUN_DURATION = "run.duration"
    RUN_ACTIVE = "run.active"
    FAILURE = "failure"
    LLM_ATTEMPT = "llm.attempt"
    PROCESS_CPU = "process.cpu"
    PROCESS_MEMORY = "process.memory"
    PROCESS_MEMORY_LIMIT = "process.memory_limit"


class MetricType(StrEnum):
    """The Prometheus types a spec can declare."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


AGENT = "agent"
OUTCOME = "outcome"
ERROR_TYPE = "error_type"


@dataclass(frozen=True, slots=True)
class Signal:
    """What the runtime can say about one kind of event.

    Attributes:
        help: when it moves, one sentence; stands in the reference.
        type: the metric type it can feed.
        unit: the unit of its values, or None for plain counts.
        attributes: the attributes it carries; a metric may take any subset.
    """

    help: str
    type: MetricType
    unit: str | None = None
    attributes: tuple[str, ...] = ()


_C, _G, _H = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

SIGNALS: Mapping[MetricSource, Signal] = MappingProxyType(
    {
        MetricSource.RUN_START: Signal("An agent's run starts", _C, None, (AGENT,)),
        MetricSource.RUN_END: Signal("An agent's run ends", _C, None, (AGENT, OUTCOME)),
        MetricSource.RUN_DURATION: Signal(
            "An agent's run ends; the value is how long it took", _H, "seconds", (AGENT, OUTCOME)
        ),
        MetricSource.RUN_ACTIVE: Signal("Runs in progress now", _G, None, (AGENT,)),
        MetricSource.FAILURE: Signal(
            "A run, step, tool or model call fails, once per failure: an exception that passes"
            " through several of them, or is raised `from` a counted one, is one failure",
            _C,
            None,
            (AGENT, ERROR_TYPE),
        ),
        MetricSource.LLM_ATTEMPT: Signal(
            "An HTTP attempt to a model provider starts; where only logical calls are seen, those",
            _C,
            None,
            (AGENT,),
        ),
        MetricSource.PROCESS_CPU: Signal(
            "CPU time used since the last scrape, as a share of the CPUs this process may use",
            _G,
            "ratio",
        ),
        MetricSource.PROCESS_MEMORY: Signal("Resident memory of this process", _G, "bytes"),
        MetricSource.PROCESS_MEMORY_LIMIT: Signal(
            "The memory this process may use: its cgroup's limit, else the machine's memory",
            _G,
            "bytes",
        ),
    }
)
"""The signals of the runtime; every metric that is not `code` or `external` names one."""
