"""Typed alerts with numbers drawn at random, for the tests of what is derived from them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from small_specs import metric, small_spec

from autogpt_observe.names import LabelName, MetricName, Name
from autogpt_observe.spec.model import (
    AbsentCondition,
    Aggregate,
    Alert,
    Attribute,
    BucketBound,
    IncreaseCondition,
    Prometheus,
    QuantileCondition,
    RateCondition,
    Severity,
    Spec,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)
from autogpt_observe.spec.model.conditions import Activity
from autogpt_observe.units import Amount, AmountKind, Duration, Ratio

if TYPE_CHECKING:
    from autogpt_observe.spec.model import When

STATES = ("ready", "busy", "broken")
BOUNDS = tuple(BucketBound.parse(text) for text in ("0.1", "0.5", "1", "5", "10", "30", "2m"))
LABELS = (LabelName("agent"), LabelName("state"))
METRICS = {
    MetricName("pages_total"): metric("counter", attributes=LABELS),
    MetricName("queue"): metric("gauge", attributes=LABELS),
    MetricName("room"): metric("gauge", attributes=LABELS),
    MetricName("active"): metric("gauge", attributes=LABELS),
    MetricName("moment_seconds"): metric("gauge", unit="seconds", attributes=LABELS),
    MetricName("page_seconds"): replace(
        metric("histogram", unit="seconds", attributes=LABELS), buckets=Name("all")
    ),
}


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """A spec with one typed alert, called A."""
    evaluation = draw(st.sampled_from([1000, 5000, 7000, 15_000, 30_000, 60_000, 420_000]))
    keep = st.integers(0, 8).map(lambda n: Duration(n * evaluation))
    alert = Alert(
        when=draw(conditions(evaluation)),
        for_=Duration(draw(st.integers(0, 30)) * draw(st.sampled_from([1000, evaluation]))),
        keep_firing_for=draw(st.none() | keep),
        severity=Severity.WARNING,
        annotations={LabelName("summary"): "{{ $labels.agent }}: {{ $value | humanize }}"},
    )
    return small_spec(
        prometheus=Prometheus(evaluation_interval=Duration(evaluation)),
        attributes={
            LabelName("agent"): Attribute(help="Agent name"),
            LabelName("state"): Attribute(help="State", values=STATES),
        },
        buckets={Name("all"): BOUNDS},
        metrics=METRICS,
        alerts={Name("A"): alert},
    )


@st.composite
def conditions(draw: st.DrawFn, evaluation: int) -> When:
    """A typed condition that its checks let pass."""
    window = Duration(draw(st.integers(2, 90)) * draw(st.sampled_from([1000, evaluation])))
    selected: dict[str, Any] = {"where": draw(wheres()), "by": draw(groups())}
    kind = draw(
        st.sampled_from(["rate", "increase", "level", "quantile", "absent", "age", "trend"])
    )
    match kind:
        case "rate" | "increase":
            cls = RateCondition if kind == "rate" else IncreaseCondition
            limit = draw(limits(0, positive_below=True))
            return cls(metric=MetricName("pages_total"), window=window, **limit, **selected)
        case "level":
            limit = draw(limits(-1000, positive_below=False))
            op = draw(st.none() | st.sampled_from(Aggregate))
            of = draw(st.none() | st.just(MetricName("room")))
            return ThresholdCondition(
                metric=MetricName("queue"), aggregate=op, of=of, **limit, **selected
            )
        case "quantile":
            share = draw(st.sampled_from(["50%", "90%", "95%", "99%", "99.9%"]))
            value = Decimal(draw(st.integers(110, 119_000))) / 1000
            key = draw(st.sampled_from(["above", "below"]))
            limit = {key: Amount(value, AmountKind.NUMBER)}
            return QuantileCondition(
                metric=MetricName("page_seconds"),
                percentile=Ratio.parse(share),
                window=window,
                min_events=draw(st.sampled_from([1, 2, 7, 20, 500])),
                **limit,
                **selected,
            )
        case "absent":
            return AbsentCondition(
                metric=MetricName("queue"),
                where=selected["where"],
                window=draw(st.none() | st.just(window)),
            )
        case "age":
            doing = Activity(metric=MetricName("active"), where=selected["where"])
            return StaleCondition(
                metric=MetricName("moment_seconds"),
                older_than=window,
                while_=draw(st.none() | st.just(doing)),
                **selected,
            )
        case _:
            return TrendCondition(
                metric=MetricName("queue"),
                of=draw(st.none() | st.just(MetricName("room"))),
                window=window,
                ahead=Duration(draw(st.integers(1, 400)) * 60_000),
                **draw(limits(-1000, positive_below=False)),
                **selected,
            )


@st.composite
def limits(draw: st.DrawFn, least: int, *, positive_below: bool) -> dict[str, Any]:
    """`above` or `below`, and a number that can be passed."""
    key = draw(st.sampled_from(["above", "below"]))
    value = Decimal(draw(st.integers(least, 5000))) / draw(st.sampled_from([1, 10, 1000]))
    if key == "below" and positive_below and value <= 0:
        value = Decimal("0.25")
    return {key: Amount(value, AmountKind.NUMBER)}


@st.composite
def wheres(draw: st.DrawFn) -> dict[LabelName, tuple[str, ...]]:
    states = draw(st.lists(st.sampled_from(STATES), max_size=2, unique=True))
    return {LABELS[1]: tuple(states)} if states else {}


@st.composite
def groups(draw: st.DrawFn) -> tuple[LabelName, ...]:
    known = [*LABELS, LabelName("instance")]
    return tuple(draw(st.lists(st.sampled_from(known), max_size=2, unique=True)))
