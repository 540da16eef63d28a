"""What each word means that a key of the spec takes: for editors, and for the reference."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.names import SIGNALS, MetricSource, MetricType
from autogpt_observe.spec.model import (
    Aggregate,
    Discovery,
    LogLevel,
    PanelKind,
    Processes,
    Severity,
    Show,
    Unit,
)
from autogpt_observe.spec.model.telemetry import RunbookSuffix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

WORDS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = MappingProxyType(
    {
        MetricType: {
            MetricType.COUNTER: "Only rises; starts again at 0 with its process",
            MetricType.GAUGE: "Goes up and down",
            MetricType.HISTOGRAM: "Counts observations by size, in buckets",
        },
        MetricSource: {
            MetricSource.CODE: "The service's own code moves it: `obs.metric(...)`",
            MetricSource.EXTERNAL: "A third party exposes it; alerts and dashboards only read it",
            **{source: signal.help for source, signal in SIGNALS.items()},
        },
        Unit: {
            Unit.SECONDS: "Time in seconds",
            Unit.BYTES: "A size in bytes",
            Unit.RATIO: "A share: 1 is all of it",
            Unit.TOKENS: "Tokens of a language model",
            Unit.USD: "Money in US dollars",
        },
        LogLevel: {
            LogLevel.DEBUG: "What helps to follow the work: every step and call that went well",
            LogLevel.INFO: "What happened: runs that ended",
            LogLevel.WARNING: "What may be wrong: steps and calls that failed",
            LogLevel.ERROR: "What went wrong: failures, runs that failed",
            LogLevel.CRITICAL: "What stops the service",
        },
        RunbookSuffix: {
            RunbookSuffix.MARKDOWN: "The file itself, as a code host shows it",
            RunbookSuffix.HTML: "A page that a site generator made of it",
            RunbookSuffix.FOLDER: "A folder that a site generator made for it",
        },
        Processes: {
            Processes.EACH: "The value of each living process, with a label `pid`",
            Processes.SUM: "The sum of the living processes' values",
            Processes.MAX: "The largest of the living processes' values, and at least 0",
            Processes.LATEST: "The value that was set last, by a process that is dead too",
        },
        Discovery: {
            Discovery.STATIC: "Each address is one process",
            Discovery.DNS: "A name stands for all its A records, each a process",
        },
        Severity: {
            Severity.INFO: "Good to know; nobody has to act",
            Severity.WARNING: "Somebody should look in working hours",
            Severity.CRITICAL: "Somebody must act now",
        },
        Aggregate: {
            Aggregate.MAX: "The largest value of the group",
            Aggregate.MIN: "The smallest value of the group",
            Aggregate.SUM: "The sum of the group's values",
            Aggregate.AVG: "The mean of the group's values",
        },
        Show: {
            Show.VALUE: "The value as it is",
            Show.RATE: "Growth per second",
            Show.INCREASE: "Growth over the shown time",
            Show.QUANTILES: "The median, the 95th and the 99th percentile of a histogram",
            Show.SHARE: "Its share of another metric, `of`",
        },
        PanelKind: {
            PanelKind.TIMESERIES: "A line over time for each series",
            PanelKind.STAT: "One number",
        },
    }
)
"""Choices whose words say all there is to say, such as days of the week, are left out."""
