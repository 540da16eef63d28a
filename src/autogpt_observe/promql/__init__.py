"""PromQL as text: read token by token, checked offline, and built without string concatenation."""

from autogpt_observe.promql.build import (
    Condition,
    Expression,
    above,
    aggregate,
    at_least,
    both,
    divide,
    increase,
    quantile,
    quote_regex,
    quote_string,
    rate,
    selector,
)
from autogpt_observe.promql.durations import scale_durations
from autogpt_observe.promql.references import metric_names
from autogpt_observe.promql.scanner import Kind, PromQLError, Token, scan
from autogpt_observe.promql.syntax import parse_error

__all__ = [
    "Condition",
    "Expression",
    "Kind",
    "PromQLError",
    "Token",
    "above",
    "aggregate",
    "at_least",
    "both",
    "divide",
    "increase",
    "metric_names",
    "parse_error",
    "quantile",
    "quote_regex",
    "quote_string",
    "rate",
    "scale_durations",
    "scan",
    "selector",
]
