"""When an alert holds: raw PromQL or a typed condition."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar

from autogpt_observe.names import LabelName, MetricName, Name, PromQL
from autogpt_observe.spec.keys import OneOf, key, part
from autogpt_observe.spec.model.telemetry import MOST
from autogpt_observe.units import Amount, Duration, Ratio


@part
class Selection:
    """Samples of one metric."""

    metric: MetricName = key("Name of a declared metric")
    where: Mapping[LabelName, tuple[str, ...]] = key(
        "For each label, the values that count; all must match", default={}
    )


@part
class Judged(Selection):
    """Samples of one metric, in groups that are judged alone, against a limit.

    Exactly one of `above` and `below` is given. Without `by` there is one verdict over all series
    that match, and the alert carries no labels of theirs: counts are those of all replicas
    together, gauges those of the worst replica. Name in `by` what the alert should tell apart.
    """

    EXACTLY_ONE: ClassVar[tuple[str, ...]] = ("above", "below")

    by: tuple[LabelName, ...] = key("Judge each combination of these labels alone", default=())
    above: Amount | None = key("The condition holds above this limit", default=None)
    below: Amount | None = key("The condition holds below this limit", default=None)


@part
class RatioCondition:
    """Bad events as a share of all events, over a window."""

    bad: Selection = key("The events that count as bad")
    total: Selection = key("All events; the bad ones are among them")
    by: tuple[LabelName, ...] = key("Judge each combination of these labels alone", default=())
    window: Duration = key("How far back events count")
    above: Ratio = key("The share above which the alert holds", example="20%")
    min_events: int = key("Fewest events in the window for a verdict", default=1, bounds=(1, MOST))


@part
class RateCondition(Judged):
    """Events per second: how fast a counter rises over a window, summed over its series.

    `below` holds too where nothing happens, and until a counter that just appeared has seen a
    whole window; not where no series is there at all, which is what `absent` is for.
    """

    window: Duration = key("How far back events count")


@part
class IncreaseCondition(Judged):
    """How many events a counter saw in a window, summed over its series.

    `below` holds where nothing happens, as for `rate`.
    """

    window: Duration = key("How far back events count")


class Aggregate(StrEnum):
    """How the series of a group become one value."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"
    AVG = "avg"


@part
class ThresholdCondition(Judged):
    """The value of a gauge, or its share of another gauge.

    For a share, both gauges become one value for each group, and a whole of zero is none. Unless
    `aggregate` is given these are the worst there are: for `above`, the greatest part and the
    smallest whole. Name in `by` the labels that tie a part to its whole, such as `instance`.
    """

    of: MetricName | None = key(
        "The gauge that is the whole; the limit is then a share of it", default=None
    )
    aggregate: Aggregate | None = key(
        "How the series of a group become one value: max, min, sum or avg; unless given, the"
        " worst of them: max for `above`, min for `below`",
        default=None,
    )


@part
class QuantileCondition(Judged):
    """A percentile of a histogram's observations over a window, all series of a group together.

    Prometheus interpolates within a bucket: no percentile is above the last bound of the buckets,
    and none below its own share of the first.
    """

    percentile: Ratio = key("Which one", example="99%")
    window: Duration = key("How far back observations count")
    min_events: int = key(
        "Fewest observations in the window for a verdict", default=1, bounds=(1, MOST)
    )


@part
class AbsentCondition(Selection):
    """No series of the metric is there: nothing reports it.

    One series that matches is enough not to be absent. The alert carries the labels that `where`
    narrows to one value.
    """

    window: Duration | None = key(
        "Absent all this time; unless given, absent at the evaluation", default=None
    )


@part
class Activity(Selection):
    """A gauge that says that there is something to do."""

    above: Amount = key("Active above this", default=Amount.parse("0"))


@part
class StaleCondition(Selection):
    """The time since the moment that a gauge holds, as a Unix timestamp in seconds.

    Of several series the newest moment counts. A gauge that still holds 0 is older than anything:
    set it when the work begins, or name in `while` a gauge that is up only then.
    """

    by: tuple[LabelName, ...] = key("Judge each combination of these labels alone", default=())
    older_than: Duration = key("The condition holds when the newest moment is longer ago")
    while_: Activity | None = key("Only while this gauge is up, by the same labels", default=None)


@part
class TrendCondition(Judged):
    """Where a gauge will be, if it goes on as it did over the window (linear regression).

    Each series has a future of its own; of those of a group the worst counts, as for `threshold`.
    """

    of: MetricName | None = key(
        "The gauge that is the whole; the limit is then a share of it", default=None
    )
    window: Duration = key("The time whose trend is followed")
    ahead: Duration = key("How far into the future")


@part
class BurnCondition:
    """An objective's error budget burns too fast, over a long and a short window alike."""

    slo: Name = key("Name of a declared objective")
    long: Duration = key("The long window: enough of the budget is at stake")
    short: Duration = key("The short window: it still burns now")
    factor: Ratio = key(
        "How many times faster than evenly over the objective's whole window", example="14.4"
    )


When = Annotated[
    PromQL
    | RatioCondition
    | RateCondition
    | IncreaseCondition
    | ThresholdCondition
    | QuantileCondition
    | AbsentCondition
    | StaleCondition
    | TrendCondition
    | BurnCondition,
    OneOf(
        MappingProxyType(
            {
                "expr": PromQL,
                "ratio": RatioCondition,
                "rate": RateCondition,
                "increase": IncreaseCondition,
                "threshold": ThresholdCondition,
                "quantile": QuantileCondition,
                "absent": AbsentCondition,
                "stale": StaleCondition,
                "trend": TrendCondition,
                "burn": BurnCondition,
            }
        )
    ),
]
"""A condition: raw PromQL under `expr`, or a typed form."""
