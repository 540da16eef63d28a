"""How long an alert takes from the fault to the receiver, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import PromQL
from autogpt_observe.promql import Kind, scan
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Alert, Notifications, Prometheus


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The longest that an alert needs on an idle machine, in seconds.

    Attributes:
        reach: from the first bad event to the receiver.
        fade: from the last bad event to the receiver's notice that it resolved.
    """

    reach: float
    fade: float


def derive_timing(alert: Alert, prometheus: Prometheus, notifications: Notifications) -> Timing:
    """How long ``alert`` takes, if all that its condition needs begins or ends at one moment."""
    window = _window_ms(alert)
    rounds = 2 * (prometheus.scrape_interval.ms + prometheus.evaluation_interval.ms)
    held = alert.keep_firing_for.ms if alert.keep_firing_for is not None else 0
    reach = window + alert.for_.ms + notifications.group_wait.ms + rounds
    fade = window + held + notifications.group_interval.ms + rounds
    return Timing(reach=reach / 1000, fade=fade / 1000)


def _window_ms(alert: Alert) -> int:
    """How far back the condition looks: for raw PromQL at the most all its durations in a row."""
    match alert.when:
        case PromQL() as expr:
            tokens = (token.text for token in scan(expr) if token.kind is Kind.DURATION)
            return sum(Duration.parse(text).ms for text in tokens)
        case (
            RatioCondition(window=window)
            | RateCondition(window=window)
            | IncreaseCondition(window=window)
            | QuantileCondition(window=window)
            | TrendCondition(window=window)
            | BurnCondition(long=window)
            | StaleCondition(older_than=window)
        ):
            return window.ms
        case AbsentCondition(window=window):
            return window.ms if window is not None else 0
        case ThresholdCondition():
            return 0
        case _:
            assert_never(alert.when)
