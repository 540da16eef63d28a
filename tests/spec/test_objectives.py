"""The arithmetic of burn rates, and the alerts that an objective implies."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from spec_reading import EVERY_KEY, SMALL, spec_of

from autogpt_observe.names import Name
from autogpt_observe.slo import (
    PLANS,
    burn_threshold,
    error_budget,
    is_tiled,
    time_to_exhaustion,
)
from autogpt_observe.spec import model
from autogpt_observe.spec.expansion import all_alerts, implied_alerts, with_implied_alerts
from autogpt_observe.units import Duration, format_decimal

WITHOUT_PACK = EVERY_KEY.replace("include: [autogpt]\n", "")


def objective(share: str, window: str = "30d") -> model.Objective:
    text = f"""{SMALL}metrics:
  a_total: {{type: counter, from: code, help: A}}
  b_total: {{type: counter, from: code, help: B}}
slos:
  a-b_C:
    objective: {share}
    window: {window}
    events: {{bad: {{metric: a_total}}, total: {{metric: b_total}}}}
"""
    return next(iter(spec_of(text).slos.values()))


# --- arithmetic ------------------------------------------------------------------------------


def test_the_plan_for_30_days_is_that_of_the_sre_workbook() -> None:
    """https://sre.google/workbook/alerting-on-slos/, table 5-8."""
    found = [
        (str(a.long), str(a.short), format_decimal(a.factor), a.is_page)
        for a in PLANS[Duration.parse("30d")]
    ]
    assert found == [
        ("1h", "5m", "14.4", True),
        ("6h", "30m", "6", True),
        ("1d", "2h", "3", False),
        ("3d", "6h", "1", False),
    ]


@pytest.mark.parametrize("period", PLANS, ids=str)
def test_every_plan_spends_its_share_of_the_budget(period: Duration) -> None:
    for alert in PLANS[period]:
        assert Fraction(alert.factor) * alert.long.ms / period.ms == alert.share  # exact
        assert alert.factor >= 1  # burning no faster than evenly is what a budget is for
        assert alert.long.ms == 12 * alert.short.ms
        assert 0 < alert.hold.ms <= alert.short.ms / 2


@pytest.mark.parametrize("period", PLANS, ids=str)
def test_long_windows_are_whole_tiles(period: Duration) -> None:
    tile = PLANS[period][0].long
    assert period.ms % tile.ms == 0
    tiled = [alert for alert in PLANS[period] if is_tiled(alert.long, tile)]
    assert [alert.is_page for alert in tiled] == [False, False]
    assert not any(is_tiled(alert.short, tile) for alert in PLANS[period])


def test_thresholds_are_exact() -> None:
    assert error_budget(Decimal("0.9999")) == Decimal("0.0001")
    assert str(burn_threshold(Decimal("14.4"), Decimal("0.9999"))) == "0.00144"
    assert str(time_to_exhaustion(Decimal("14.4"), Duration.parse("30d"))) == "2d2h"


# --- implied alerts --------------------------------------------------------------------------


def test_an_objective_implies_four_alerts() -> None:
    alerts = implied_alerts(Name("agent-runs_2"), objective("99.9%"))
    assert {name: (a.severity.value, str(a.for_)) for name, a in alerts.items()} == {
        "AgentRuns2ErrorBudgetBurn1h": ("critical", "2m"),
        "AgentRuns2ErrorBudgetBurn6h": ("critical", "10m"),
        "AgentRuns2ErrorBudgetBurn1d": ("warning", "30m"),
        "AgentRuns2ErrorBudgetBurn3d": ("warning", "1h"),
    }


def test_what_an_implied_alert_carries() -> None:
    spec = spec_of(WITHOUT_PACK)
    alert = all_alerts(spec)[Name("PagesErrorBudgetBurn1h")]
    assert alert.labels == {
        "slo": "pages",
        "long_window": "1h",
        "short_window": "5m",
        "tier": "batch",
    }
    assert alert.annotations == {
        "summary": (
            "pages, for site {{ $labels.site }}, burns its error budget 14.4 times faster than it"
            " may"
        ),
        "description": (
            "{{ $value | humanizePercentage }} of the events of the last 1h were bad; 0.5% may be."
            " At this rate a whole budget for 30d lasts 2d2h at most."
        ),
    }
    assert alert.owner == "crawler-team"
    assert alert.runbook == model.Runbook(
        meaning="Pages can be read", steps=("Open the site in a browser",)
    )


def test_pages_silence_the_tickets_of_the_same_group() -> None:
    alerts = all_alerts(spec_of(WITHOUT_PACK))
    silenced = {
        name: {other: inhibition.same for other, inhibition in alert.inhibits.items()}
        for name, alert in alerts.items()
        if name.startswith("PagesErrorBudgetBurn")
    }
    tickets = {
        "PagesErrorBudgetBurn1d": ("slo", "site"),
        "PagesErrorBudgetBurn3d": ("slo", "site"),
    }
    assert silenced == {
        "PagesErrorBudgetBurn1h": tickets,
        "PagesErrorBudgetBurn6h": tickets,
        "PagesErrorBudgetBurn1d": {},
        "PagesErrorBudgetBurn3d": {},
    }


@pytest.mark.parametrize(
    ("share", "count"), [("99.9%", 4), ("93.06%", 4), ("93.05%", 3), ("84%", 3)]
)
def test_alerts_out_of_reach_are_left_out(share: str, count: int) -> None:
    assert len(implied_alerts(Name("a"), objective(share))) == count


def test_declared_alerts_come_first_and_nothing_is_implied_twice() -> None:
    spec = spec_of(WITHOUT_PACK)
    names = list(all_alerts(spec))
    assert names[: len(spec.alerts)] == list(spec.alerts)
    assert len(names) == len(spec.alerts) + 8
    assert all_alerts(with_implied_alerts(spec)) == all_alerts(spec)


def test_without_objectives_nothing_is_implied() -> None:
    spec = spec_of(SMALL)
    assert all_alerts(spec) is spec.alerts
    assert with_implied_alerts(spec) is spec
