"""A spec on another clock: what a clock drives is scaled, and nothing else."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest
from spec_reading import EVERY_KEY, SMALL, spec_of

from autogpt_observe.names import Name, PromQL
from autogpt_observe.spec.expansion import all_alerts, burn_alerts, with_implied_alerts
from autogpt_observe.spec.load import load_spec
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.spec.scale import scale_spec
from autogpt_observe.units import Duration, Ratio

MINUTE_TO_SECOND = Fraction(1, 60)


def differences(before: Any, after: Any, path: str = "") -> dict[str, tuple[str, str]]:
    """Each leaf that differs, by its path, as text before and after."""
    if isinstance(before, Duration | str) or not (
        dataclasses.is_dataclass(before) or hasattr(before, "items") or isinstance(before, tuple)
    ):
        return {} if before == after else {path: (str(before), str(after))}
    if isinstance(before, tuple):
        assert len(before) == len(after)
        pairs = [(str(n), b, a) for n, (b, a) in enumerate(zip(before, after, strict=True))]
    elif hasattr(before, "items"):
        assert len(before) == len(after)
        keys = zip(before.items(), after.items(), strict=True)
        pairs = [(f"{k}" if k == j else f"{k}->{j}", v, w) for (k, v), (j, w) in keys]
    else:
        names = [field.name for field in dataclasses.fields(before)]
        pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    found: dict[str, tuple[str, str]] = {}
    for name, b, a in pairs:
        inner = f"{path}.{name}" if path else name
        if "->" in name:
            found[inner] = (name.split("->")[0], name.split("->")[1])
        found |= differences(b, a, inner)
    return found


def test_factor_one_is_the_same_spec() -> None:
    spec = load_spec()
    assert scale_spec(spec, Fraction(1)) is spec


@pytest.mark.parametrize("factor", [Fraction(0), Fraction(-1)])
def test_a_factor_is_above_zero(factor: Fraction) -> None:
    with pytest.raises(ValueError, match=f"^a time scale must be above 0, got {factor}$"):
        scale_spec(load_spec(), factor)


def test_all_that_a_clock_drives_and_nothing_else() -> None:
    spec = with_implied_alerts(spec_of(EVERY_KEY.replace("include: [autogpt]\n", "")))
    found = differences(spec, scale_spec(spec, MINUTE_TO_SECOND))
    assert {path: pair for path, pair in found.items() if "ErrorBudgetBurn" not in path} == {
        "prometheus.scrape_interval": ("15s", "250ms"),
        "prometheus.evaluation_interval": ("15s", "250ms"),
        "recording_rules.site:crawler_pages:rate5m.expr": (
            "sum by (site) (rate(crawler_pages_total[5m]))",
            "sum by (site) (rate(crawler_pages_total[5s]))",
        ),
        "alerts.PagesStopped.when": (
            'rate(crawler_pages_total{site="docs"}[5m]) == 0',
            'rate(crawler_pages_total{site="docs"}[5s]) == 0',
        ),
        "alerts.PagesStopped.for_": ("2m", "2s"),
        "alerts.PagesStopped.keep_firing_for": ("5m", "5s"),
        "alerts.PagesMany.when.window": ("5m", "5s"),
        "alerts.PagesFew.when.window": ("5m", "5s"),
        "alerts.FailuresMany.when.window": ("1h", "1m"),
        "alerts.RunsFew.when.window": ("1d", "24m"),
        "alerts.PagesSlow.when.above.value": ("30", "0.5"),
        "alerts.PagesSlow.when.window": ("10m", "10s"),
        "alerts.PagesFast.when.below.value": ("0.6", "0.01"),
        "alerts.PagesFast.when.window": ("10m", "10s"),
        "alerts.QueueGone.when.window": ("5m", "5s"),
        "alerts.PagesStuck.when.older_than": ("15m", "15s"),
        "alerts.QueueFillsUp.when.window": ("1h", "1m"),
        "alerts.QueueFillsUp.when.ahead": ("4h", "4m"),
        "alerts.QueueDrains.when.window": ("1h", "1m"),
        "alerts.QueueDrains.when.ahead": ("4h", "4m"),
        "alerts.PagesStopped.tests.stops.interval": ("1m", "1s"),
        "alerts.PagesStopped.tests.stops.evaluation_interval": ("15s", "250ms"),
        "alerts.PagesStopped.tests.stops.at.3m->3s": ("3m", "3s"),
        "alerts.PagesStopped.tests.stops.at.13m->13s": ("13m", "13s"),
        "alerts.PagesStopped.tests.stops.at.20m->20s": ("20m", "20s"),
        "alerts.PageFailureRatioHigh.when.window": ("10m", "10s"),
        "alerts.PagesBudgetBurns.when.long": ("12h", "12m"),
        "alerts.PagesBudgetBurns.when.short": ("1h", "1m"),
        "slos.pages.window": ("30d", "12h"),
        "slos.page-time.window": ("7d", "2h48m"),
        "notifications.group_wait": ("30s", "500ms"),
        "notifications.group_interval": ("5m", "5s"),
        "notifications.repeat_interval": ("4h", "4m"),
        "notifications.routes.docs.group_wait": ("10s", "167ms"),
        "notifications.routes.docs.group_interval": ("1m", "1s"),
        "notifications.routes.docs.repeat_interval": ("1h", "1m"),
    }


def test_the_alerts_that_objectives_imply_are_scaled_as_well() -> None:
    """They follow from the unscaled window, and are declared in the scaled spec."""
    spec = spec_of(EVERY_KEY.replace("include: [autogpt]\n", ""))
    assert Name("PagesErrorBudgetBurn6h") not in spec.alerts
    scaled = scale_spec(spec, MINUTE_TO_SECOND)
    burn = scaled.alerts[Name("PagesErrorBudgetBurn6h")]
    when = BurnCondition(
        slo=Name("pages"),
        long=Duration.parse("6m"),
        short=Duration.parse("30s"),
        factor=Ratio.parse("6"),
    )
    assert (burn.when, burn.for_) == (when, Duration.parse("10s"))
    assert all_alerts(scaled) == scaled.alerts
    assert with_implied_alerts(scaled) == scaled
    assert [len(alerts) for alerts in burn_alerts(scaled).values()] == [5, 4]


def test_durations_in_raw_promql_and_no_numbers_or_texts() -> None:
    expr = 'avg_over_time(up{job="5m"}[1h:1m] offset 30m) > 300 and time() - up > 5e3 # [5m]'
    spec = spec_of(f"{SMALL}recording_rules:\n  r:\n    expr: |\n      {expr}\n")
    scaled = scale_spec(spec, MINUTE_TO_SECOND)
    (rule,) = scaled.recording_rules.values()
    assert isinstance(rule.expr, PromQL)
    assert rule.expr == expr.replace("[1h:1m] offset 30m", "[1m:1s] offset 30s") + "\n"


def test_no_duration_becomes_nothing() -> None:
    spec = scale_spec(spec_of(f"{SMALL}prometheus: {{scrape_interval: 1s}}\n"), Fraction(1, 10**9))
    assert spec.prometheus.scrape_interval == Duration(1)


def test_the_scaled_spec_is_frozen_too() -> None:
    spec = scale_spec(load_spec(), MINUTE_TO_SECOND)
    with pytest.raises(TypeError):
        spec.alerts["x"] = None  # type: ignore[index]  # what must fail
