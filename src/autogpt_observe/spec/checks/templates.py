"""Checks of the Go templates in labels and annotations of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.gotemplate import (
    KNOWN_IN_ADVANCE,
    Shown,
    TemplateSyntaxError,
    parse_template,
    shown_by,
)
from autogpt_observe.names import ALERT_NAME, OWNER, SERVICE, SEVERITY, Name, PromQL
from autogpt_observe.promql.scanner import PromQLError
from autogpt_observe.promql.values import ABSENT, PRESENT, Values
from autogpt_observe.spec.checks.expressions import read_expression
from autogpt_observe.spec.expansion import SLO_LABEL
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.gotemplate import LabelUse, Template
    from autogpt_observe.names import MetricName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, When

_FUNCTIONS = {
    Unit.SECONDS: "humanizeDuration",
    Unit.BYTES: "humanize1024",
    Unit.RATIO: "humanizePercentage",
}
_OF_THE_RULE = (ALERT_NAME, SEVERITY, OWNER, SERVICE)


def check_templates(context: Context, alert: Alert, path: Path) -> None:
    """Check every text of an alert that Prometheus fills in."""
    given = _result_labels(context, alert, path)
    for section, texts in (("labels", alert.labels), ("annotations", alert.annotations)):
        for name, text in texts.items():
            _check_template(context, text, (*path, section, name), given, alert)


def _check_template(
    context: Context,
    text: str,
    path: Path,
    given: tuple[Mapping[str, Values], Values] | None,
    alert: Alert,
) -> None:
    if "{{" not in text:
        return
    try:
        template = parse_template(text, version=context.spec.targets.prometheus.parts)
    except TemplateSyntaxError as error:
        at = context.inside(path, error.offset, error.length)
        context.error("template/syntax", f"not a valid template: {error}", at, fix=error.fix)
        return
    if not isinstance(alert.when, PromQL):
        _check_known_in_advance(context, template, path, alert)
    if given is None:
        return
    for use in template.labels:
        if given[0].get(use.label, given[1]) == ABSENT:
            at = context.inside(path, use.start, use.end - use.start)
            message = f"the expression's result has no label `{use.label}`, so this is empty"
            context.error("template/dropped-label", message, at, fix=_fix(use, given[0], alert))


def _check_known_in_advance(context: Context, template: Template, path: Path, alert: Alert) -> None:
    """The derived tests of a typed condition say what its texts come to, digit by digit."""
    exact = _unpredictable(context, alert.when)
    for action in template.pieces:
        if isinstance(action, str) or not action.tokens:
            continue
        at = context.inside(path, action.start, action.end - action.start)
        shown = shown_by(action)
        if shown is None:
            message = "the derived tests of a typed condition can't tell what this comes to"
            fix = f"write {KNOWN_IN_ADVANCE}; or the condition as raw PromQL, with tests"
            context.error("template/untestable", message, at, fix=fix)
        elif exact is not None and shown == Shown():
            what, function = exact
            message = f"the last digits of {what} differ between versions of Prometheus"
            fix = f"show it as `{{{{ $value | {function} }}}}`"
            context.error("template/untestable", message, at, fix=fix)


def _unpredictable(context: Context, when: When) -> tuple[str, str] | None:
    """What a condition's value is, and how to show it, if no test can tell all of its digits."""
    match when:
        case TrendCondition():
            return "a trend", "humanizePercentage" if when.of else _shown_as(context, when.metric)
        case QuantileCondition():
            return "a percentile", _shown_as(context, when.metric)
        case BurnCondition():
            return "a share of bad events", "humanizePercentage"
        case _:
            return None


def _shown_as(context: Context, name: MetricName) -> str:
    metric = context.spec.metrics.get(name)
    return _FUNCTIONS.get(metric.unit, "humanize") if metric and metric.unit else "humanize"


def _fix(use: LabelUse, labels: Mapping[str, Values], alert: Alert) -> str:
    if use.label in _OF_THE_RULE or use.label in alert.labels:
        return f"`{use.label}` is added by the rule, which templates don't see; write its value"
    there = sorted(label for label, values in labels.items() if values != ABSENT)
    if not there:
        kept = f"by `by ({use.label})`, or by `=` in `absent`"
        return f"the expression drops all labels; keep it {kept}"
    return did_you_mean(use.label, there)


def _result_labels(
    context: Context, alert: Alert, path: Path
) -> tuple[Mapping[str, Values], Values] | None:
    """The labels of the condition's result, and the values of all others; None if unknown."""
    when = alert.when
    match when:
        case PromQL():
            try:
                reading = read_expression(context, when, path)
            except PromQLError:
                return None
            shape = reading.shape(reading.root) if reading is not None else None
            return (shape.labels, shape.rest) if shape is not None else None
        case AbsentCondition():
            single = [str(label) for label, values in when.where.items() if len(values) == 1]
            return dict.fromkeys(single, PRESENT), ABSENT
        case BurnCondition():
            objective = context.spec.slos.get(Name(when.slo))
            if objective is None:
                return None
            recorded = (*objective.by, SLO_LABEL, SERVICE)
            return dict.fromkeys(map(str, recorded), PRESENT), ABSENT
        case (
            RatioCondition()
            | RateCondition()
            | IncreaseCondition()
            | ThresholdCondition()
            | QuantileCondition()
            | StaleCondition()
            | TrendCondition()
        ):
            return dict.fromkeys(map(str, when.by), PRESENT), ABSENT
        case _:
            assert_never(when)
