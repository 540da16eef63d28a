"""Checks of a PromQL expression against the declared metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql import PromQLError, metric_names, parse_error

if TYPE_CHECKING:
    from autogpt_observe.names import PromQL
    from autogpt_observe.spec.checks.context import Context, Path


def check_expression(context: Context, expr: PromQL, path: Path) -> None:
    """Check syntax, types and the names of the series of one expression."""
    try:
        names = metric_names(expr)
        error = parse_error(expr)
    except PromQLError as unreadable:
        names, error = (), unreadable
    if error is not None:
        message = f"not valid PromQL: {error}"
        context.error("promql/syntax", message, context.inside(path, error.offset, error.length))
        return
    for token in names:
        refused = context.refused_series(token.text)
        if refused is not None:
            at = context.inside(path, token.start, len(token.text))
            context.error("promql/unknown-metric", refused[0], at, fix=refused[1])
