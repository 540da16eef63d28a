"""Unit tests of promtool become tests of the alerts they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.importers.naming import fit_name, unused_name
from autogpt_observe.importers.texts import SUMMARIES, is_template
from autogpt_observe.names import ALERT_NAME, OWNER, SERVICE, SEVERITY, LabelName
from autogpt_observe.spec.model import Expectation, Firing, RuleTest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.importers.sources import AlertRule, ExpectedAlert, UnitTest
    from autogpt_observe.names import Name

SUMMARY = LabelName("summary")
_SET_BY_US = (ALERT_NAME, SEVERITY, OWNER, SERVICE)


def tests_of(
    alerts: Sequence[tuple[Name, AlertRule]], tests: Sequence[UnitTest], ledger: Ledger
) -> dict[str, dict[Name, RuleTest]]:
    """The tests of each alert, by its new name; what fits no alert is listed."""
    by_old_name: dict[str, list[tuple[Name, AlertRule]]] = {}
    for name, rule in alerts:
        by_old_name.setdefault(rule.name.text, []).append((name, rule))
    found: dict[str, dict[Name, RuleTest]] = {}
    for test in tests:
        candidates = by_old_name.get(test.alert.text, [])
        if not candidates:
            message = f"the test `{test.name}` of `{test.alert.text}` is not carried over"
            ledger.lost(message, test.alert.at, fix="give the file with that alert as well")
        for name, rule in candidates:
            built = _build_test(test, rule, ledger, alone=len(candidates) == 1)
            if built is not None:
                named = found.setdefault(name, {})
                fitted = fit_name(test.name, otherwise="test")
                named[unused_name(fitted, "", {known.lower() for known in named})] = built
    return found


def _build_test(test: UnitTest, rule: AlertRule, ledger: Ledger, *, alone: bool) -> RuleTest | None:
    of = f"the test `{test.name}` of `{rule.name.text}`"
    templated = [name for name, value in rule.labels.items() if is_template(value.text)]
    fires = any(test.expected.values())
    if templated and fires:
        message = f"{of} is not carried over: the label `{templated[0]}` is a template"
        ledger.lost(message, test.alert.at, fix="write the test by hand")
        return None
    at = {}
    for moment, expected in test.expected.items():
        own = [one for one in expected if alone or _is_of(one, rule)]
        firing = [_firing(one, rule, of, ledger) for one in own]
        if None in firing:
            return None
        at[moment] = Expectation(fires=tuple(one for one in firing if one is not None))
    return RuleTest(
        interval=test.interval,
        evaluation_interval=test.evaluation_interval,
        series={series: values.text for series, values in test.series.items()},
        at=at,
    )


def _is_of(expected: ExpectedAlert, rule: AlertRule) -> bool:
    """Whether an alert that fires is one of this rule, among others of its name."""
    return all(
        name in expected.labels and expected.labels[name].text == value.text
        for name, value in rule.labels.items()
    )


def _firing(expected: ExpectedAlert, rule: AlertRule, of: str, ledger: Ledger) -> Firing | None:
    for name, value in rule.labels.items():
        if name not in expected.labels or expected.labels[name].text != value.text:
            message = f"{of} is not carried over: it expects another `{name}` than the alert has"
            ledger.lost(message, expected.at)
            return None
    annotations = _annotations(expected, rule)
    if isinstance(annotations, str):
        message = f"{of} is not carried over: it expects another `{annotations}` than the alert has"
        ledger.lost(message, expected.at)
        return None
    labels = {}
    for name, value in expected.labels.items():
        if name in rule.labels or name in _SET_BY_US:
            continue
        try:
            labels[LabelName.parse(name)] = value.text
        except ValueError:
            ledger.lost(f"{of} is not carried over: `{name}` is no label", value.at)
            return None
    return Firing(labels=labels, annotations=annotations)


def _annotations(expected: ExpectedAlert, rule: AlertRule) -> Mapping[LabelName, str] | str:
    """The texts that Prometheus fills in; the name of one that can't be right."""
    filled = {}
    strangers = [name for name in expected.annotations if name not in rule.annotations]
    if strangers:
        return strangers[0]
    for name, template in rule.annotations.items():
        text = expected.annotations.get(name)
        if is_template(template.text):
            if text is None:
                return name
            filled[LabelName(name)] = text.text
        elif text is None or text.text != template.text:
            return name
    if not rule.annotations.get(SUMMARY):
        source = next((key for key in SUMMARIES if LabelName(key) in filled), None)
        if source is not None:
            filled[SUMMARY] = " ".join(filled[LabelName(source)].split())
    return filled
