"""What an alert's condition says in PromQL, and the parts of it that dashboards show."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from autogpt_observe import promql
from autogpt_observe.names import PromQL
from autogpt_observe.spec.model import RatioCondition

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Selection, When


def condition_expr(when: When) -> str:
    """The expression of an alert; raw PromQL comes back character for character."""
    match when:
        case PromQL():
            return str(when)
        case RatioCondition():
            too_high = promql.above(share_expr(when), when.above.value)
            enough = promql.at_least(_events(when), Decimal(when.min_events))
            return promql.both(too_high, enough)
        case _:
            assert_never(when)


def share_expr(ratio: RatioCondition) -> promql.Expression:
    """The share of bad events that ``ratio`` judges; nothing where there were no events."""
    return promql.divide(_per_second(ratio, ratio.bad), _per_second(ratio, ratio.total))


def _per_second(ratio: RatioCondition, selection: Selection) -> promql.Expression:
    samples = promql.selector(selection.metric, selection.where, window=ratio.window)
    return promql.aggregate("sum", promql.rate(samples), by=ratio.by)


def _events(ratio: RatioCondition) -> promql.Expression:
    samples = promql.selector(ratio.total.metric, ratio.total.where, window=ratio.window)
    return promql.aggregate("sum", promql.increase(samples), by=ratio.by)
