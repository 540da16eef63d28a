"""The unit test of what is recorded for an objective: traffic, none at all, and traffic again.

Expected values are worked out from counts of events. Where there were no events a share is
recorded nowhere, so that no NaN can stay in what is added up later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from autogpt_observe import promql
from autogpt_observe.promql import arithmetic
from autogpt_observe.render.derive.burn_series import ObjectiveSeries
from autogpt_observe.render.derive.clock import BOTH_CUTS
from autogpt_observe.render.derive.samples import format_samples, up_to
from autogpt_observe.render.slo import BUDGET, BUDGET_LEFT, BURN_RATE, OBJECTIVE, error_ratio
from autogpt_observe.slo import burn_threshold
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.render.derive.burn_judge import Counted
    from autogpt_observe.render.emit import Document
    from autogpt_observe.render.slo import ObjectiveRules
    from autogpt_observe.spec.model import Alert

_IDLE = Duration.parse("30m").ms
_DIGITS = 6
_ROUNDED_TO = Decimal(1).scaleb(-_DIGITS)
_MORE_TRAFFIC, _LESS_ERRORS = 4, 5
_BAD_AT_LEAST = 20


def records_test(rules: ObjectiveRules, alerts: Mapping[Name, Alert]) -> tuple[Duration, Document]:
    """The test, and the evaluation interval that it is written for."""
    return _Records(rules, alerts).test()


@dataclass(frozen=True)
class _Records:
    rules: ObjectiveRules
    alerts: Mapping[Name, Alert]

    def test(self) -> tuple[Duration, Document]:
        busy, idle = self._samples(self.rules.tile.ms), self._samples(_IDLE)
        bad, total = self._events(busy, idle)
        series = ObjectiveSeries(self.rules)
        group = series.groups[0]
        counters = series.counters(group, bad, total)
        look = _Look(self.rules, group, series.counted(counters, self._step))
        busy_ends = busy * self._step
        idle_ends, all_ends = (busy + idle) * self._step, (2 * busy + idle) * self._step
        document: Document = {
            "name": f"{self.rules.name}/recorded",
            "interval": str(Duration(self._step)),
            "input_series": [
                {"series": name, "values": format_samples(counter.values)}
                for name, counter in counters.items()
            ],
            "alert_rule_test": [
                {"eval_time": str(Duration(now)), "alertname": name, "exp_alerts": []}
                for name in self.alerts
                for now in (idle_ends, all_ends)
            ],
            "promql_expr_test": [
                *look.at_windows(busy_ends + self._clock, self.rules.windows[:1]),
                *look.at_windows(idle_ends, self.rules.windows),
                *look.at_windows(idle_ends + self._clock, self.rules.windows[:1]),
                *look.at_windows(all_ends, self.rules.windows),
                *look.at_period(all_ends),
            ],
        }
        return Duration(self._clock), document

    @cached_property
    def _clock(self) -> int:
        """The shortest window, if whole tiles end at its evaluations; else the tile."""
        shortest, tile = self.rules.windows[0].ms, self.rules.tile.ms
        return shortest if tile % shortest == 0 and shortest % 2 == 0 else tile

    @property
    def _step(self) -> int:
        return self._clock // self._per_clock

    @property
    def _per_clock(self) -> int:
        return 2 if self._clock % 2 == 0 else 1

    def _samples(self, length: int) -> int:
        return up_to(length, self.rules.tile.ms) // self._step

    def _events(self, busy: int, idle: int) -> tuple[list[int], list[int]]:
        """Too few bad events for an alert; then none at all; then more events, still fewer bad."""
        objective = self.rules.objective.objective.value
        conditions = (a.when for a in self.alerts.values() if isinstance(a.when, BurnCondition))
        limits = [burn_threshold(when.factor.value, objective) for when in conditions]
        share = Fraction(min(limits)) / 2
        bad = _BAD_AT_LEAST * _LESS_ERRORS
        total = math.ceil(bad / share)
        fewer = bad * _MORE_TRAFFIC // _LESS_ERRORS
        return (
            [0] + [bad] * busy + [0] * idle + [fewer] * busy,
            [0] + [total] * busy + [0] * idle + [total * _MORE_TRAFFIC] * busy,
        )


@dataclass(frozen=True)
class _Look:
    """What is expected of the records of one group."""

    rules: ObjectiveRules
    group: Mapping[str, str]
    counted: Counted

    def at_windows(self, now: int, windows: Sequence[Duration]) -> Iterator[Document]:
        """The shares of bad events over some windows, and how fast the budget burns."""
        for window in windows:
            yield from self._share(error_ratio(window), window, now)
        budget = Fraction(self.rules.budget)
        yield from self._share(BURN_RATE, windows[0], now, lambda share: share / budget)

    def at_period(self, now: int) -> Iterator[Document]:
        """What is promised, and what has become of it over the whole period."""
        objective, budget = self.rules.objective.objective.value, Fraction(self.rules.budget)
        yield self._look(OBJECTIVE, {}, now, Fraction(objective))
        yield self._look(BUDGET, {}, now, budget)
        period = self.rules.objective.window
        yield from self._share(error_ratio(period), period, now)
        yield from self._share(BUDGET_LEFT, period, now, lambda share: 1 - share / budget)

    def _share(
        self,
        record: str,
        window: Duration,
        now: int,
        made: Callable[[Fraction], Fraction] = lambda share: share,
    ) -> Iterator[Document]:
        found = {self.counted.share(window.ms, now, closed=closed) for closed in BOTH_CUTS}
        if len(found) == 1:  # else it is not the same on every Prometheus
            share = found.pop()
            yield self._look(record, self.group, now, None if share is None else made(share))

    def _look(
        self, record: str, group: Mapping[str, str], now: int, value: Fraction | None
    ) -> Document:
        labels = {name: (value,) for name, value in {**group, **self.rules.labels}.items()}
        samples: Sequence[Document] = ()
        if value is not None:
            rounded = Decimal(math.floor(value * 10**_DIGITS + Fraction(1, 2))).scaleb(-_DIGITS)
            samples = [{"labels": promql.selector("", labels), "value": float(rounded)}]
        return {
            "expr": arithmetic.rounded(self.rules.series(record), _ROUNDED_TO),
            "eval_time": str(Duration(now)),
            "exp_samples": samples,
        }
