"""Service level objectives: the recorded series and the burn-rate alerts, a file for each.

The rules of an objective stand in one group, its alerts last, because Prometheus evaluates a group
in order: the alerts see what was recorded a moment before. What is judged over the whole period
is a group of its own and evaluated less often. Where a series means the same as one that Sloth
records, it has the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from autogpt_observe import promql
from autogpt_observe.names import BUCKET_BOUND, HISTOGRAM_SUFFIXES, SERVICE, LabelName, MetricSource
from autogpt_observe.promql import arithmetic
from autogpt_observe.render.buckets import bound_spellings
from autogpt_observe.slo import burn_threshold, error_budget, is_tiled, tile_of
from autogpt_observe.spec.expansion import SLO_LABEL
from autogpt_observe.spec.model import BurnCondition, Selection
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autogpt_observe.names import Name
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Alert, Objective, Spec

OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
BURN_RATE = "slo:current_burn_rate:ratio"
BUDGET_LEFT = "slo:period_error_budget_remaining:ratio"

_BUCKET, _, _COUNT = HISTOGRAM_SUFFIXES
_ZERO, _ONE = Decimal(0), Decimal(1)
_SLOWER = 4
_SLOWEST = Duration.parse("2m")
"""Well below the five minutes after which a sample counts as gone."""


def bad_events(tile: Duration) -> str:
    """The series of bad events per second, over a tile."""
    return f"slo:bad_events:rate{tile}"


def total_events(tile: Duration) -> str:
    """The series of all events per second, over a tile."""
    return f"slo:total_events:rate{tile}"


def error_ratio(window: Duration) -> str:
    """The series of the share of bad events, over a window."""
    return f"slo:sli_error:ratio_rate{window}"


@dataclass(frozen=True)
class ObjectiveRules:
    """What is recorded for one objective.

    Attributes:
        windows: the windows whose error ratio its alerts read, the shortest first.
        tile: the window whose events are recorded, for long windows to be added up from.
    """

    spec: Spec
    name: Name
    objective: Objective
    windows: tuple[Duration, ...]
    tile: Duration

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels of every recorded series, beside those of `by`."""
        return {str(SLO_LABEL): str(self.name), SERVICE: self.spec.service.name}

    def group(self) -> list[Document]:
        """The rules of the objective's own group."""
        budget, total = self.budget, self._total(self.tile)
        rules = [
            self._record(OBJECTIVE, arithmetic.constant(self.objective.objective.value)),
            self._record(BUDGET, arithmetic.constant(budget)),
            self._record(bad_events(self.tile), self._bad(self.tile, total)),
            self._record(total_events(self.tile), total),
        ]
        rules += [self._record(error_ratio(w), self.ratio_expr(w)) for w in self.windows]
        current = self.series(error_ratio(self.windows[0]))
        return [*rules, self._record(BURN_RATE, arithmetic.times_over(current, budget))]

    def period_group(self) -> list[Document]:
        """The rules of the group for the whole period."""
        period = self.objective.window
        ratio = self.series(error_ratio(period))
        left = self._record(BUDGET_LEFT, arithmetic.left_of(_ONE, ratio, per=self.budget))
        if period in self.windows:  # an alert reads it, so that its group records it
            return [left]
        return [self._record(error_ratio(period), self._tiled_ratio(period)), left]

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad."""
        return error_budget(self.objective.objective.value)

    def series(self, record: str) -> promql.Expression:
        """The objective's recorded series of that name."""
        return promql.Expression(f"{record}{self._matchers}")

    @cached_property
    def _matchers(self) -> promql.Expression:
        where = {SERVICE: (self.labels[SERVICE],), SLO_LABEL: (str(self.name),)}
        return promql.selector("", where)

    def ratio_expr(self, window: Duration) -> promql.Expression:
        """The share of bad events over ``window``; nothing where there were no events."""
        if window == self.tile:
            bad, total = bad_events(window), total_events(window)
            return promql.divide(self.series(bad), self.series(total))
        if window == self.objective.window or is_tiled(window, self.tile):
            return self._tiled_ratio(window)
        total = self._total(window)
        if self.objective.latency is not None:
            good = self._summed(self._good, window)
            return arithmetic.complement(promql.divide(good, total))
        return promql.divide(self._bad(window, total), total)

    def enough_events(self, alert: promql.Condition, long: Duration) -> promql.Condition:
        """``alert`` where the long window has `min_events` events."""
        least = Decimal(self.objective.min_events)
        if least == 1:
            return alert  # a share of no events is recorded nowhere
        if is_tiled(long, self.tile):
            tiles = self._tiles(total_events(self.tile), long)
            counted = arithmetic.times(tiles, self.tile.seconds)
            return promql.both(alert, promql.at_least(counted, least))
        samples = promql.selector(self._all.metric, self._all.where, window=long)
        counted = promql.aggregate("sum", promql.increase(samples), by=self.objective.by)
        enough = promql.at_least(counted, least)
        return arithmetic.both_on(alert, enough, by=self.objective.by)

    def _tiled_ratio(self, window: Duration) -> promql.Expression:
        bad = self._tiles(bad_events(self.tile), window)
        return promql.divide(bad, self._tiles(total_events(self.tile), window))

    def _tiles(self, record: str, window: Duration) -> promql.Expression:
        return arithmetic.sum_of_tiles(self.series(record), window, self.tile)

    def _bad(self, window: Duration, total: promql.Expression) -> promql.Expression:
        if self.objective.events is None:
            return arithmetic.minus(total, self._summed(self._good, window), least=_ZERO)
        return arithmetic.or_zero(self._summed(self.objective.events.bad, window), total)

    def _total(self, window: Duration) -> promql.Expression:
        return self._summed(self._all, window)

    def _summed(self, selection: Selection, window: Duration) -> promql.Expression:
        samples = promql.selector(selection.metric, selection.where, window=window)
        return promql.aggregate("sum", promql.rate(samples), by=self.objective.by)

    @property
    def _all(self) -> Selection:
        return self._selections[1]

    @property
    def _good(self) -> Selection:
        """Of a latency objective, the observations within the bound."""
        return self._selections[0]

    @cached_property
    def _selections(self) -> tuple[Selection, Selection]:
        return counted_selections(self.spec, self.objective)

    def _record(self, name: str, expr: promql.Expression) -> Document:
        return {"record": name, "expr": expr, "labels": self.labels}


def counted_selections(spec: Spec, objective: Objective) -> tuple[Selection, Selection]:
    """The two counters that are read: bad and all events, or good and all observations."""
    if objective.events is not None:
        return objective.events.bad, objective.events.total
    latency = objective.latency
    if latency is None:  # the reader demands one of them
        raise TypeError("an objective counts neither events nor latency")
    declared = spec.metrics.get(latency.metric)
    foreign = declared is not None and declared.from_ is MetricSource.EXTERNAL
    bounds = bound_spellings(latency.within.value, foreign=foreign)
    within = {**latency.where, LabelName(BUCKET_BOUND): bounds}
    metric = type(latency.metric)
    good = Selection(metric=metric(f"{latency.metric}{_BUCKET}"), where=within)
    return good, Selection(metric=metric(f"{latency.metric}{_COUNT}"), where=latency.where)


def objective_rules(
    spec: Spec, name: Name, objective: Objective, alerts: Iterable[Alert]
) -> ObjectiveRules | None:
    """What is recorded for an objective with these burn alerts; None where it has none."""
    conditions = [alert.when for alert in alerts if isinstance(alert.when, BurnCondition)]
    if not conditions:
        return None
    windows = {window for when in conditions for window in (when.long, when.short)}
    tile = tile_of(when.long for when in conditions)
    return ObjectiveRules(spec, name, objective, tuple(sorted(windows)), tile)


def burn_expr(when: BurnCondition, rules: ObjectiveRules) -> str:
    """The expression of a burn alert: both windows are above the threshold."""
    limit = burn_threshold(when.factor.value, rules.objective.objective.value)
    long, short = (
        promql.above(rules.series(error_ratio(window)), limit) for window in (when.long, when.short)
    )
    return rules.enough_events(promql.both(long, short), when.long)


def group_names(spec: Spec, slo: str) -> tuple[str, str]:
    """The names of an objective's groups: its own, and that of the whole period."""
    name = f"{spec.service.name}-slo-{slo}"
    return name, f"{name}-period"


def period_interval(spec: Spec) -> Duration:
    """How often what is judged over a whole period is evaluated."""
    often = spec.prometheus.evaluation_interval
    return max(often, min(Duration(_SLOWER * often.ms), _SLOWEST))


def rules_file(slo: str) -> str:
    """The name of the file with an objective's rules."""
    return f"slo-{slo}.rules.yml"
