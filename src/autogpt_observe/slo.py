"""Burn-rate arithmetic: budgets, windows and factors of service level objectives.

The method is the multiwindow, multi-burn-rate alert of the Google SRE workbook, chapter 5, with its
numbers for 30 days (table 5-8): https://sre.google/workbook/alerting-on-slos/. A factor follows
from the share of the budget that may be spent: share x period / long window. All of it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TILES = 24
"""A window of at least so many tiles is added up from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnAlert:
    """One alert of an objective.

    Attributes:
        share: of the period's budget, spent within the long window when the alert holds.
        factor: how many times faster than evenly the budget burns then.
        long: the window in which enough of the budget is at stake.
        short: a twelfth of it, in which it must still burn.
        hold: how long both must hold; short beside the windows, for they are the delay already.
        is_page: whether somebody is woken; a ticket else.
    """

    share: Fraction
    factor: Decimal
    long: Duration
    short: Duration
    hold: Duration
    is_page: bool


def burn_factor(share: Fraction, period: Duration, long: Duration) -> Decimal:
    """How many times faster than evenly a budget burns, if ``share`` of it goes in ``long``."""
    factor = share * period.ms / long.ms
    return Decimal(factor.numerator) / factor.denominator


def _plan(
    period_text: str, *rows: tuple[int, str, str, str]
) -> tuple[Duration, tuple[BurnAlert, ...]]:
    period = Duration.parse(period_text)
    alerts = []
    for percent, *lengths in rows:
        share = Fraction(percent, 100)
        long, short, hold = map(Duration.parse, lengths)
        alerts.append(
            BurnAlert(
                share=share,
                factor=burn_factor(share, period, long),
                long=long,
                short=short,
                hold=hold,
                is_page=percent < 10,  # noqa: PLR2004 - the table's tickets spend a tenth
            )
        )
    return period, tuple(alerts)


PLANS: Mapping[Duration, tuple[BurnAlert, ...]] = MappingProxyType(
    dict(
        (
            _plan(
                "7d",  # a quarter of 28 days
                (2, "15m", "1m15s", "30s"),
                (5, "1h30m", "7m30s", "2m30s"),
                (10, "6h", "30m", "7m30s"),
                (10, "15h", "1h15m", "15m"),
            ),
            _plan(
                "28d",  # the last window shorter, so that no factor is below 1
                (2, "1h", "5m", "2m"),
                (5, "6h", "30m", "10m"),
                (10, "1d", "2h", "30m"),
                (10, "2d12h", "5h", "1h"),
            ),
            _plan(
                "30d",
                (2, "1h", "5m", "2m"),
                (5, "6h", "30m", "10m"),
                (10, "1d", "2h", "30m"),
                (10, "3d", "6h", "1h"),
            ),
            _plan(
                "90d",  # thrice 30 days
                (2, "3h", "15m", "6m"),
                (5, "18h", "1h30m", "30m"),
                (10, "3d", "6h", "1h30m"),
                (10, "9d", "18h", "3h"),
            ),
        )
    )
)
"""The periods that an objective can have, and the alerts for each."""


def error_budget(objective: Decimal) -> Decimal:
    """The share of events that may be bad."""
    return 1 - objective


def burn_threshold(factor: Decimal, objective: Decimal) -> Decimal:
    """The share of bad events at which the budget burns ``factor`` times faster than evenly."""
    return factor * error_budget(objective)


def time_to_exhaustion(factor: Decimal, period: Duration) -> Duration:
    """How long a whole budget lasts at most when it burns ``factor`` times faster than evenly."""
    return Duration(int(period.ms / factor))


def tile_of(longs: Iterable[Duration]) -> Duration:
    """The tile: the window whose events are recorded, for long windows to be added up from.

    It is the shortest of the long windows, a 24th or less of what is added up from it.
    """
    return min(longs)


def is_tiled(window: Duration, tile: Duration) -> bool:
    """Whether a window is added up from tiles, not read from the raw samples."""
    return window.ms >= _TILES * tile.ms and window.ms % tile.ms == 0
