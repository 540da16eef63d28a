"""Names of the fields of a log line, and the levels.

The types that the names stand for are those of the Elastic Common Schema (ECS):
https://www.elastic.co/docs/reference/ecs/ecs-field-reference. What a host says about an event goes
below two names of its own, so that it never meets a field of another type: texts below `labels`,
which ECS has for it and maps as keywords, and numbers below `numeric_labels`, as Elastic's APM
does. A dot in a name means an object to Elasticsearch; such names are written with `_`.
"""

from __future__ import annotations

from types import MappingProxyType

ECS_VERSION = "8.11.0"
"""The oldest version that has every ECS field named here with its type of today."""

TIMESTAMP = "@timestamp"
LEVEL = "log.level"
MESSAGE = "message"
ECS = "ecs.version"
SERVICE_NAME = "service.name"
SERVICE_ENVIRONMENT = "service.environment"
EVENT_ID = "event.id"
EVENT_DATASET = "event.dataset"
EVENT_ACTION = "event.action"
EVENT_DURATION = "event.duration"
EVENT_OUTCOME = "event.outcome"
TRACE_ID = "trace.id"
SPAN_ID = "span.id"
ERROR_TYPE = "error.type"
ERROR_MESSAGE = "error.message"
STACK_TRACE = "error.stack_trace"
LOGGER = "log.logger"
ORIGIN_FILE = "log.origin.file.name"
ORIGIN_LINE = "log.origin.file.line"
ORIGIN_FUNCTION = "log.origin.function"
PROCESS_ID = "process.pid"
THREAD_NAME = "process.thread.name"
FLAGS = "log.flags"
LABELS = "labels"
NUMBERS = "numeric_labels"

TRUNCATED = "truncated"
"""The flag of a line of which something was cut; Filebeat writes the same one."""

RESERVED = frozenset(
    {
        TIMESTAMP,
        LEVEL,
        MESSAGE,
        ECS,
        SERVICE_NAME,
        SERVICE_ENVIRONMENT,
        EVENT_ID,
        EVENT_DATASET,
        EVENT_ACTION,
        EVENT_DURATION,
        EVENT_OUTCOME,
        TRACE_ID,
        SPAN_ID,
        ERROR_MESSAGE,
        STACK_TRACE,
        LOGGER,
        ORIGIN_FILE,
        ORIGIN_LINE,
        ORIGIN_FUNCTION,
        PROCESS_ID,
        THREAD_NAME,
        FLAGS,
        LABELS,
        NUMBERS,
    }
)
"""Fields that no attribute of the spec can take. `error.type` it may: it is the same thing."""

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
"""The levels, with the numbers of Python's logging."""

LEVEL_NAMES = MappingProxyType(
    {DEBUG: "debug", INFO: "info", WARNING: "warning", ERROR: "error", CRITICAL: "critical"}
)
LEVELS = MappingProxyType({name: level for level, name in LEVEL_NAMES.items()})


def nearest_level(number: int) -> int:
    """The level that a number of Python's logging counts as: the next one below."""
    if number < INFO:
        return DEBUG
    return CRITICAL if number > CRITICAL else number // 10 * 10
