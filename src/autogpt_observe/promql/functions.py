"""The functions and aggregations of PromQL: what they return, and since which Prometheus.

Sources: https://github.com/prometheus/prometheus/blob/main/promql/parser/functions.go and the
release notes, https://github.com/prometheus/prometheus/blob/main/CHANGELOG.md
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VersionParts = tuple[int, int, int]


class ValueKind(StrEnum):
    """What evaluating an expression gives."""

    SCALAR = "scalar"
    STRING = "string"
    INSTANT = "instant vector"
    RANGE = "range vector"


@dataclass(frozen=True, slots=True)
class Function:
    """A function or an aggregation.

    Attributes:
        since: the first version that has it; (0, 0, 0) for those older than anybody runs.
        until: the first version that lacks it again.
        experimental: whether the server must be told to offer it.
    """

    returns: ValueKind = ValueKind.INSTANT
    since: VersionParts = (0, 0, 0)
    until: VersionParts | None = None
    experimental: bool = False


def _since(minor: int, *, major: int = 2, experimental: bool = False) -> Function:
    return Function(since=(major, minor, 0), experimental=experimental)


_OLD = Function()
_SCALAR = Function(returns=ValueKind.SCALAR)
_TRIGONOMETRY = "acos acosh asin asinh atan atanh cos cosh deg rad sin sinh tan tanh"
_OF_OLD = """
    abs absent avg_over_time ceil changes clamp_max clamp_min count_over_time day_of_month
    day_of_week days_in_month delta deriv exp floor histogram_quantile hour idelta increase irate
    label_join label_replace ln log10 log2 max_over_time min_over_time minute month predict_linear
    quantile_over_time rate resets round sort sort_desc sqrt stddev_over_time stdvar_over_time
    sum_over_time timestamp vector year
"""

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        **dict.fromkeys(_OF_OLD.split(), _OLD),
        **dict.fromkeys(_TRIGONOMETRY.split(), _since(31)),
        "scalar": _SCALAR,
        "time": _SCALAR,
        "pi": Function(returns=ValueKind.SCALAR, since=(2, 31, 0)),
        "absent_over_time": _since(16),
        "clamp": _since(26),
        "last_over_time": _since(26),
        "sgn": _since(26),
        "present_over_time": _since(29),
        "day_of_year": _since(36),
        "histogram_count": _since(40),
        "histogram_sum": _since(40),
        "histogram_fraction": _since(40),
        "histogram_stddev": _since(47),
        "histogram_stdvar": _since(47),
        "mad_over_time": _since(49, experimental=True),
        "sort_by_label": _since(49, experimental=True),
        "sort_by_label_desc": _since(49, experimental=True),
        "histogram_avg": _since(51),
        "holt_winters": Function(until=(3, 0, 0)),
        "double_exponential_smoothing": _since(0, major=3, experimental=True),
        "info": _since(0, major=3, experimental=True),
        "ts_of_max_over_time": _since(5, major=3, experimental=True),
        "ts_of_min_over_time": _since(5, major=3, experimental=True),
        "ts_of_last_over_time": _since(5, major=3, experimental=True),
        "first_over_time": _since(7, major=3, experimental=True),
        "ts_of_first_over_time": _since(7, major=3, experimental=True),
    }
)
"""By name. What is missing here is refused as unknown, or too new to be told since when."""

_AGGREGATIONS = "avg bottomk count count_values group max min quantile stddev stdvar sum topk"
AGGREGATIONS: Mapping[str, Function] = MappingProxyType(
    {
        **dict.fromkeys(_AGGREGATIONS.split(), _OLD),
        "group": _since(20),
        "limitk": _since(54, experimental=True),
        "limit_ratio": _since(54, experimental=True),
    }
)

ONLY_COUNTERS = frozenset({"rate", "increase", "irate"})
"""Functions that take every fall of a value for a restart."""

ONLY_GAUGES = frozenset(
    {"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"}
)
"""Functions that take a restart for a fall of the value."""

NEED_TWO_SAMPLES = ONLY_COUNTERS | ONLY_GAUGES
"""Functions that say nothing of a range with fewer than two samples."""
