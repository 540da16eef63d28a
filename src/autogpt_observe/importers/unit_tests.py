"""Unit tests as `promtool test rules` reads them.

https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.importers.rule_files import read_duration
from autogpt_observe.importers.sources import ExpectedAlert, Sources, UnitTest
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.importers.ledger import Part
    from autogpt_observe.spec.tree import Scalar

_DEFAULT = Duration.parse("1m")  # of promtool, for both intervals


def read_unit_tests(root: Part) -> Sources:
    """The tests of a file with `tests:`, one for each alert that they name."""
    root.ignore(("rule_files",))  # the rules stand in the spec that the tests come into
    evaluation = read_duration(root, "evaluation_interval") or _DEFAULT
    root.lose(
        "group_eval_order",
        "`group_eval_order` is not carried over: recording rules come first in a bundle",
    )
    found: list[UnitTest] = []
    for number, test in enumerate(root.parts("tests"), start=1):
        named = test.text("name")
        name = named.text if named is not None else f"test-{number}"
        test.of = f"the test `{name}`"
        found += _read_test(test, name, evaluation)
    return Sources(tests=tuple(found))


def _read_test(test: Part, name: str, evaluation: Duration) -> Iterator[UnitTest]:
    interval = read_duration(test, "interval") or _DEFAULT
    test.lose(
        "promql_expr_test",
        f"`promql_expr_test` of {test.of} is not carried over: a spec tests alerts only",
    )
    for key in ("external_labels", "external_url"):
        test.lose(key, f"`{key}` of {test.of} is not carried over: tests have none in a spec")
    series = dict(_read_series(test))
    for alert, expected in _read_moments(test).items():
        yield UnitTest(
            alert=expected.name,
            name=name,
            interval=interval,
            evaluation_interval=evaluation,
            series=series,
            expected=expected.moments,
        )
        del alert


def _read_series(test: Part) -> Iterator[tuple[str, Scalar]]:
    seen = set()
    for item in test.parts("input_series"):
        series, values = item.text("series"), item.text("values")
        if series is None or values is None:
            item.drop("it needs `series` and `values`")
        elif series.text in seen:
            item.drop(f"`{series.text}` stands twice", series.at)
        else:
            seen.add(series.text)
            yield series.text, values


class _Expected:
    """What is expected of the alerts of one name, moment by moment."""

    def __init__(self, name: Scalar) -> None:
        self.name = name
        self.moments: dict[Duration, tuple[ExpectedAlert, ...]] = {}


def _read_moments(test: Part) -> dict[str, _Expected]:
    found: dict[str, _Expected] = {}
    for moment in test.parts("alert_rule_test"):
        alert = moment.text("alertname")
        at = read_duration(moment, "eval_time")
        if alert is None or at is None:
            moment.drop("it needs `alertname` and `eval_time`")
            continue
        expected = tuple(
            ExpectedAlert(
                labels=one.texts("exp_labels"),
                annotations=one.texts("exp_annotations"),
                at=one.at,
            )
            for one in moment.parts("exp_alerts")
        )
        moments = found.setdefault(alert.text, _Expected(alert)).moments
        if at in moments:
            moment.drop(f"`{alert.text}` is looked at twice at {at}", alert.at)
        else:
            moments[at] = expected
    return found
