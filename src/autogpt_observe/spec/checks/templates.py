"""Checks of the Go templates in labels and annotations of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.gotemplate import TemplateSyntaxError, parse_template
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
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.gotemplate import LabelUse
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert

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
    if given is None:
        return
    for use in template.labels:
        if given[0].get(use.label, given[1]) == ABSENT:
            at = context.inside(path, use.start, use.end - use.start)
            message = f"the expression's result has no label `{use.label}`, so this is empty"
            context.error("template/dropped-label", message, at, fix=_fix(use, given[0], alert))


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
