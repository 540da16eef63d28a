"""A spec on another clock: the same alerts, faster, for a proof that fits a minute.

Scaled are the durations that Prometheus and Alertmanager act on: scraping and evaluation, the
windows and `for` of alerts and recording rules, their tests, and the grouping of notifications.
Counts per second stay counts per second; buckets, ports and retention are no clock at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from autogpt_observe.names import PromQL
from autogpt_observe.promql import scale_durations
from autogpt_observe.spec.expansion import with_implied_alerts
from autogpt_observe.units import Amount, Duration

if TYPE_CHECKING:
    from fractions import Fraction

    from autogpt_observe.spec.model import Spec

T = TypeVar("T")

_SCALED = ("prometheus", "recording_rules", "alerts", "slos", "notifications")


def scale_spec(spec: Spec, factor: Fraction) -> Spec:
    """``spec`` with every clock in it multiplied by ``factor``; the very same spec at factor 1."""
    if factor == 1:
        return spec
    if factor <= 0:
        raise ValueError(f"a time scale must be above 0, got {factor}")
    spec = with_implied_alerts(spec)  # they follow from windows of the unscaled clock
    return dataclasses.replace(
        spec, **{name: _scaled(getattr(spec, name), factor) for name in _SCALED}
    )


def _scaled(value: T, factor: Fraction) -> T:
    # What comes back has the type of what went in; mypy can't follow that through a match.
    scaled: Any = value
    match value:
        case Duration() | Amount():
            scaled = value.scaled(factor)
        case PromQL():
            scaled = PromQL(scale_durations(value, factor))
        case tuple():
            scaled = tuple(_scaled(item, factor) for item in value)
        case Mapping():
            items = ((_scaled(k, factor), _scaled(v, factor)) for k, v in value.items())
            scaled = MappingProxyType(dict(items))
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = (field.name for field in dataclasses.fields(value))
            changed = {name: _scaled(getattr(value, name), factor) for name in names}
            scaled = dataclasses.replace(value, **changed)
    result: T = scaled
    return result
