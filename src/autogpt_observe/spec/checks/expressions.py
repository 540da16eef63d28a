"""Checks of a PromQL expression against the declared metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import Name
from autogpt_observe.promql import PromQLError, metric_names, parse_error
from autogpt_observe.promql.parser import TooDeepError
from autogpt_observe.promql.review import Purpose, Reading, read, review

if TYPE_CHECKING:
    from autogpt_observe.names import PromQL
    from autogpt_observe.spec.checks.context import Context, Path


def check_expression(context: Context, expr: PromQL, path: Path) -> None:
    """Check one expression: its syntax, the series it names, and what it does with them."""
    try:
        names = metric_names(expr)
        error = parse_error(expr)
        reading = read_expression(context, expr, path) if error is None else None
    except PromQLError as unreadable:
        names, error, reading = (), unreadable, None
    if error is not None:
        message = f"not valid PromQL: {error}"
        context.error("promql/syntax", message, context.inside(path, error.offset, error.length))
        return
    unknown = False
    for token in names:
        refused = context.refused_series(token.text)
        if refused is not None:
            at = context.inside(path, token.start, len(token.text))
            context.error("promql/unknown-metric", refused[0], at, fix=refused[1])
            unknown = True
    for found in review(reading) if reading is not None else ():
        at = context.inside(path, found.start, max(1, found.end - found.start))
        if found.warning and unknown:
            continue  # mended, the expression may be another
        if found.warning:
            context.warn(found.id, found.message, path, fix=found.fix, at=at)
        else:
            context.error(found.id, found.message, at, fix=found.fix)


def read_expression(context: Context, expr: PromQL, path: Path) -> Reading | None:
    """The expression at ``path`` and what it gives; None for one too deep to look into.

    Raises PromQLError for what is no PromQL.
    """
    try:
        return read(
            expr,
            context.catalogue,
            purpose=_purpose(context, path),
            version=context.spec.targets.prometheus.parts,
            evaluation_ms=context.spec.prometheus.evaluation_interval.ms,
        )
    except TooDeepError:
        return None


def _purpose(context: Context, path: Path) -> Purpose:
    match path:
        case ("alerts", str(name), *_):
            watchdog = context.spec.alerts[Name(name)].watchdog
            return Purpose.WATCHDOG if watchdog else Purpose.ALERT
        case ("dashboards", *_):
            return Purpose.PANEL
        case _:
            return Purpose.RECORDING
