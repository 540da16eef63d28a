"""How many series a metric can make."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from autogpt_observe.names import MetricSource, MetricType

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Attribute, Metric, Spec

_BEYOND_BUCKETS = 3  # the bucket `+Inf`, the sum and the count


def most_values(attribute: Attribute) -> int | None:
    """How many values an attribute can have, `other` included; None without a limit."""
    if attribute.values:
        return len(attribute.values)
    return attribute.max_values + 1 if attribute.max_values is not None else None


def most_series(metric: Metric, spec: Spec) -> int | None:
    """How many series one process can make of a metric; None without a limit, or if not ours."""
    if metric.from_ is MetricSource.EXTERNAL:
        return None
    each = 1
    if metric.type is MetricType.HISTOGRAM:
        bounds = spec.buckets.get(metric.buckets) if metric.buckets is not None else None
        each = len(bounds or ()) + _BEYOND_BUCKETS
    known = [spec.attributes[name] for name in metric.attributes if name in spec.attributes]
    counts = [most_values(attribute) for attribute in known]
    limited = [count for count in counts if count is not None]
    return each * prod(limited) if len(limited) == len(counts) else None
