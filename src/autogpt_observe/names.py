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
    SHOWN: ClassVar[bool] = True
    """Whether a finding may quote what was written in place of such a text."""

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


class FilePath(_Text):
    """The absolute path of a file on another machine, such as a mounted secret."""

    __slots__ = ()
    EXPECTED = "an absolute path such as `/etc/alertmanager/secrets/slack`"
    SHOWN = False  # people put the secret itself where its file should stand
    PATTERN = re.compile(r"(?:/[^/\s\x00-\x1f\x7f]+)+", re.ASCII)


class EmailAddress(_Text):
    """An e-mail address without a display name."""

    __slots__ = ()
    EXPECTED = "an e-mail address such as `oncall@example.com`"
    PATTERN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)


class ClockRange(_Text):
    """A time of day, from a minute to another: ``09:00-17:00``; ``24:00`` ends the day."""

    __slots__ = ()
    EXPECTED = "a time of day such as `09:00-17:00`"
    PATTERN = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check ``text``; raises ValueError unless it is a range that ends after it starts."""
        parsed = super().parse(text)
        start, _, end = text.partition("-")
        if end <= start:
            raise ValueError(f"it ends before it starts; write `{start}-24:00` and `00:00-{end}`")
        return parsed


class GroupLabel(_Text):
    """A label that alerts are grouped by, or ``...`` for all of them."""

    __slots__ = ()
    EXPECTED = "a label name, or `...` for all labels"
    PATTERN = re.compile(rf"\.\.\.|{LabelName.PATTERN.pattern}", re.ASCII)


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

    What each signal says stands in `SIGNALS`; a run is one call of a function under ``@agent``.
    """

    CODE = "code"
    EXTERNAL = "external"
    RUN_START = "run.start"
    RUN_END = "run.end"
    RUN_DURATION = "run.duration"
    RUN_ACTIVE = "run.active"
    RUN_AGE = "run.age"
    RUN_PROGRESS_AGE = "run.progress_age"
    RUN_BUDGET_USED = "run.budget_used"
    RUN_LOOP = "run.loop"
    RUN_LOOPING = "run.looping"
    STEP_END = "step.end"
    FAILURE = "failure"
    TOOL_END = "tool.end"
    TOOL_DURATION = "tool.duration"
    LLM_END = "llm.end"
    LLM_DURATION = "llm.duration"
    LLM_ATTEMPT = "llm.attempt"
    LLM_RETRY = "llm.retry"
    LLM_ERROR = "llm.error"
    LLM_TOKENS = "llm.tokens"
    LLM_COST = "llm.cost"
    LLM_UNREPORTED = "llm.unreported"
    LLM_UNPRICED = "llm.unpriced"
    LLM_UNPARSEABLE = "llm.unparseable"
    LLM_CONTEXT = "llm.context"
    LLM_HEADROOM = "llm.headroom"
    HEALTH_CHECK = "health.check"
    SCALING_DEMAND = "scaling.demand"
    SCALING_SIGNAL_AGE = "scaling.signal_age"
    SCALING_BLOCKED = "scaling.blocked"
    PROCESS_CPU = "process.cpu"
    PROCESS_MEMORY = "process.memory"
    PROCESS_MEMORY_LIMIT = "process.memory_limit"
    PROCESS_LOOP_LAG = "process.loop_lag"
    PROCESS_THREADS = "process.threads"
    PROCESS_OPEN_FILES = "process.open_files"
    PROCESS_CHILDREN = "process.children"
    PROCESS_AGE = "process.age"
    PROCESS_UP = "process.up"
    PROCESS_RESTARTS = "process.restarts"


class MetricType(StrEnum):
    """The Prometheus types a spec can declare."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


AGENT = "agent"
OUTCOME = "outcome"
ERROR_TYPE = "error_type"
PATTERN = "pattern"
TOOL = "tool"
RESULT = "result"
PROVIDER = "provider"
MODEL = "model"
ERROR_KIND = "error_kind"
TOKEN_TYPE = "token_type"  # noqa: S105 - the name of a label
LIMIT = "limit"
CHECK = "check"
CRITICALITY = "criticality"
GATE = "gate"
PROCESS = "process"


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
_CALL = (AGENT, PROVIDER, MODEL)
"""What is known of every call of a model; `provider` and `model` are those that were asked for."""

SIGNALS: Mapping[MetricSource, Signal] = MappingProxyType(
    {
        MetricSource.RUN_START: Signal("An agent's run starts", _C, None, (AGENT,)),
        MetricSource.RUN_END: Signal(
            "An agent's run ends: once, by the first reason", _C, None, (AGENT, OUTCOME)
        ),
        MetricSource.RUN_DURATION: Signal(
            "An agent's run ends; the value is how long it took", _H, "seconds", (AGENT, OUTCOME)
        ),
        MetricSource.RUN_ACTIVE: Signal("Runs in progress now", _G, None, (AGENT,)),
        MetricSource.RUN_AGE: Signal(
            "Read at each scrape: the time since the start of the oldest run in progress; no"
            " series while none is",
            _G,
            "seconds",
            (AGENT,),
        ),
        MetricSource.RUN_PROGRESS_AGE: Signal(
            "Read at each scrape: of the runs in progress, the longest time since one last made"
            " progress, or since its start; no series while none is. Progress is a step, tool call"
            " or model call that ended without an error and differs, by name, arguments and"
            " result, from all that its run ended before; failed attempts, waits between retries"
            " and repeated results are none. The time a generator is paused does not count",
            _G,
            "seconds",
            (AGENT,),
        ),
        MetricSource.RUN_BUDGET_USED: Signal(
            "Read at each scrape: of the runs in progress that have a budget, the largest share"
            " used of its money, tokens or steps, whichever is used most; no series without one",
            _G,
            "ratio",
            (AGENT,),
        ),
        MetricSource.RUN_LOOP: Signal(
            "A run is found in a loop: one tool call (`repeat`), or a sequence of 2 to 8 of them"
            " (`cycle`), for the third time in a row with the same names, arguments and results;"
            " once until the run leaves the loop by another call or result",
            _C,
            attributes=(AGENT, PATTERN),
        ),
        MetricSource.RUN_LOOPING: Signal(
            "Runs in progress in a loop now, as `run.loop` says", _G, None, (AGENT,)
        ),
        MetricSource.STEP_END: Signal("A step of a run ends, well or not", _C, None, (AGENT,)),
        MetricSource.FAILURE: Signal(
            "A run, step, tool or model call fails, once per failure: an exception that passes"
            " through several of them, or is raised `from` a counted one, is one failure",
            _C,
            attributes=(AGENT, ERROR_TYPE),
        ),
        MetricSource.TOOL_END: Signal(
            "A tool call ends: `ok`, `error` (it raised, or its protocol says so), `timeout` (it"
            " raised TimeoutError) or `cancelled`",
            _C,
            attributes=(AGENT, TOOL, RESULT),
        ),
        MetricSource.TOOL_DURATION: Signal(
            "A tool call ends; the value is how long", _H, "seconds", (AGENT, TOOL, RESULT)
        ),
        MetricSource.LLM_END: Signal(
            "A logical call of a model ends, a stream when it is read to its end or closed: `ok`,"
            " `error`, `timeout` or `cancelled`, retries included",
            _C,
            attributes=(*_CALL, RESULT),
        ),
        MetricSource.LLM_DURATION: Signal(
            "A logical call of a model ends; the value is how long it took, retries and the"
            " waits between them included",
            _H,
            "seconds",
            (*_CALL, RESULT),
        ),
        MetricSource.LLM_ATTEMPT: Signal(
            "An HTTP attempt to a model provider starts; where only logical calls are seen, those",
            _C,
            attributes=_CALL,
        ),
        MetricSource.LLM_RETRY: Signal(
            "An attempt starts that repeats a failed one of the same logical call; begins at zero"
            " with the first attempt",
            _C,
            attributes=_CALL,
        ),
        MetricSource.LLM_ERROR: Signal(
            "An attempt fails, by the kind of its error, and is not one its caller cancelled;"
            " each kind begins at zero with the first attempt",
            _C,
            attributes=(*_CALL, ERROR_KIND),
        ),
        MetricSource.LLM_TOKENS: Signal(
            "A model call reports its usage; the types are disjoint, so that their sum is what"
            " was used: `input` without what came from or went to a cache, `output` with reasoning",
            _C,
            "tokens",
            (*_CALL, TOKEN_TYPE),
        ),
        MetricSource.LLM_COST: Signal(
            "A model call reports its usage, and its model has a price; the value is what it cost",
            _C,
            "usd",
            _CALL,
        ),
        MetricSource.LLM_UNREPORTED: Signal(
            "A model call ends whose usage was not reported, such as a stream that was not asked"
            " for it or was closed early; begins at zero with the first call",
            _C,
            attributes=_CALL,
        ),
        MetricSource.LLM_UNPRICED: Signal(
            "A model call reports its usage, but its model has no price, so that no cost is"
            " counted; begins at zero with the first call",
            _C,
            attributes=_CALL,
        ),
        MetricSource.LLM_UNPARSEABLE: Signal(
            "A model call's output can't be read as what its caller asked for: broken JSON, a tool"
            " that does not exist, arguments that don't fit; begins at zero with the first call",
            _C,
            attributes=_CALL,
        ),
        MetricSource.LLM_CONTEXT: Signal(
            "A model call ends; the value is the share of the model's context window that its"
            " input took. Only where the window's size and the usage are known",
            _H,
            "ratio",
            _CALL,
        ),
        MetricSource.LLM_HEADROOM: Signal(
            "The share of a provider's rate limit that was left at its latest response; no series"
            " where responses don't tell, or once the time they gave for the reset has passed",
            _G,
            "ratio",
            (PROVIDER, MODEL, LIMIT),
        ),
        MetricSource.HEALTH_CHECK: Signal(
            "1 while the latest result of a health check is good, 0 while it is bad or overdue;"
            " no series before the first result",
            _G,
            attributes=(CHECK, CRITICALITY),
        ),
        MetricSource.SCALING_DEMAND: Signal(
            "The replicas that the load asks for, before limits and gates", _G
        ),
        MetricSource.SCALING_SIGNAL_AGE: Signal(
            "Read at each scrape: the time since the demand for replicas was last worked out from"
            " all that it depends on; no series where nothing is scaled by it",
            _G,
            "seconds",
        ),
        MetricSource.SCALING_BLOCKED: Signal(
            "1 while a gate holds back replicas that are asked for, else 0", _G, None, (GATE,)
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
        MetricSource.PROCESS_LOOP_LAG: Signal(
            "Read at each scrape: the longest time in the last minute by which the event loop was"
            " late for a heartbeat, the one it is late for now included; no series without a loop",
            _G,
            "seconds",
        ),
        MetricSource.PROCESS_THREADS: Signal("Threads of this process", _G),
        MetricSource.PROCESS_OPEN_FILES: Signal(
            "File descriptors this process has open, those of sockets and pipes included", _G
        ),
        MetricSource.PROCESS_CHILDREN: Signal(
            "Processes this process is the parent of, those that ended and were not waited for"
            " included",
            _G,
        ),
        MetricSource.PROCESS_AGE: Signal("The time since this process started", _G, "seconds"),
        MetricSource.PROCESS_UP: Signal(
            "1 while a process observed from outside runs, 0 while it does not; no series where"
            " the runtime observes its own",
            _G,
            attributes=(PROCESS,),
        ),
        MetricSource.PROCESS_RESTARTS: Signal(
            "A process observed from outside is found to be another one than before; begins at"
            " zero. Restarts between two scrapes are one; no series where the runtime observes"
            " its own",
            _C,
            attributes=(PROCESS,),
        ),
    }
)
"""The signals of the runtime; every metric that is not `code` or `external` names one."""
