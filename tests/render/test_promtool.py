"""Unit tests that promtool passes, and that fail as soon as a rule is changed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alert_specs import EVERYTHING, RATIO, SEED, read, run_tool, try_tool, write
from small_specs import assert_golden, small_spec

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import LabelName, MetricName, Name, PromQL
from autogpt_observe.render.promtool import render
from autogpt_observe.spec.model import (
    Alert,
    Attribute,
    Expectation,
    Firing,
    RatioCondition,
    RuleTest,
    Selection,
    Severity,
    Spec,
)
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rule = dict[str, Any]

CASES = {"seed": SEED, "ratio": RATIO, "everything": EVERYTHING}
TESTS = ("promtool", "test", "rules", "rules/tests/alerts.yml")


@pytest.mark.parametrize("case", CASES)
def test_unit_tests(case: str, tmp_path: Path) -> None:
    assert_golden(f"promtool_{case}", render(read(CASES[case], tmp_path)))


@pytest.mark.parametrize("case", CASES)
def test_promtool_passes_them(case: str, tmp_path: Path) -> None:
    write(read(CASES[case], tmp_path), tmp_path)
    assert "SUCCESS" in run_tool(tmp_path, *TESTS)


def limit_times(factor: float) -> Callable[[Rule], None]:
    def change(rule: Rule) -> None:
        rule["expr"] = re.sub(
            r"> (0\.\d+|[1-9]\d*)", lambda m: f"> {float(m[1]) * factor:.9g}", rule["expr"]
        )

    return change


def held(seconds: int) -> Callable[[Rule], None]:
    def change(rule: Rule) -> None:
        minutes = int(rule["for"].removesuffix("m"))
        rule["for"] = f"{60 * minutes + seconds}s"

    return change


def replaced(pattern: str, by: str) -> Callable[[Rule], None]:
    def change(rule: Rule) -> None:
        rule["expr"] = re.sub(pattern, by, rule["expr"])

    return change


MUTATIONS: dict[str, Callable[[Rule], None]] = {
    "flipped": replaced(r"> (?=0\.\d|[1-9])", "< "),
    "higher": limit_times(1.1),
    "lower": limit_times(0.9),
    "later": held(15),
    "sooner": held(-15),
    "severity": lambda rule: rule["labels"].update(severity="info"),
    "text": lambda rule: rule["annotations"].update(summary="Something"),
}
RATIO_MUTATIONS = {
    "by dropped": replaced(r"sum by \(agent\)", "sum"),
    "min_events dropped": replaced(" and .*", ""),
    "where dropped": replaced(r"\{outcome=~[^}]*\}", ""),
    "one value dropped": replaced(r"error\|max_steps", "error"),
    "counts for rates": replaced(r"rate\((crawler_runs_total\[)", r"increase(\1"),
}
SEED_MUTATIONS = {
    "summed over instances": replaced(r"(rate\([^)]*\)|autogpt_memory_\w+_bytes)", r"sum(\1)"),
}
SEED_ALERTS = ("HighErrorRate", "HighMemoryUsage", "APIRateLimitApproaching")
ALERTS = [
    *((SEED, alert, name) for alert in SEED_ALERTS for name in [*MUTATIONS, *SEED_MUTATIONS]),
    *((RATIO, "RunFailureRatioHigh", name) for name in [*MUTATIONS, *RATIO_MUTATIONS]),
]


@pytest.mark.parametrize(("text", "alert", "name"), ALERTS, ids=[f"{a}-{n}" for _, a, n in ALERTS])
def test_a_changed_rule_turns_a_test_red(text: str, alert: str, name: str, tmp_path: Path) -> None:
    write(read(text, tmp_path), tmp_path)
    path = tmp_path / "rules/alerts.rules.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    (rule,) = (r for r in document["groups"][0]["rules"] if r["alert"] == alert)
    before = repr(rule)
    {**MUTATIONS, **SEED_MUTATIONS, **RATIO_MUTATIONS}[name](rule)
    assert repr(rule) != before
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = try_tool(tmp_path, *TESTS)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"alertname: {alert}" in done.stdout + done.stderr


def raw_alert(description: str, *expected: Firing, labels: dict[str, str] | None = None) -> Spec:
    test = RuleTest(series={"up": "1x9"}, at={Duration(60_000): Expectation(fires=expected)})
    alert = Alert(
        when=PromQL("up == 1"),
        severity=Severity.WARNING,
        labels={LabelName(name): value for name, value in (labels or {}).items()},
        annotations={LabelName("summary"): "Up", LabelName("description"): description},
        tests={Name("up"): test},
    )
    return small_spec(alerts={Name("Up"): alert})


@pytest.mark.parametrize(
    ("description", "firing", "message"),
    [
        (
            "{{ $value }}",
            Firing(),
            (
                "alert `Up`, test `up`: `{{ $value }}` needs a value, in `description`; give the"
                " firing alert its `value`, or the rendered texts as `annotations`"
            ),
        ),
        (
            '{{ printf "%g" $value }}',
            Firing(value="1"),
            (
                'alert `Up`, test `up`: `{{ printf "%g" $value }}` can\'t be worked out here,'
                " only `$value`, `$labels.x`, and `$value` through humanize, humanize1024,"
                ' humanizePercentage, humanizeDuration or printf "%.2f", in `description`; give the'
                " firing alert its `value`, or the rendered texts as `annotations`"
            ),
        ),
        (
            "",
            Firing(value="many"),
            "alert `Up`, test `up`: the value `many` is no number",
        ),
    ],
)
def test_what_a_firing_alert_lacks_is_named(description: str, firing: Firing, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(raw_alert(description, firing))
    assert str(caught.value) == message


def test_given_annotations_stand_for_any_template(tmp_path: Path) -> None:
    given = Firing(annotations={LabelName("description"): "1 up"})
    write(raw_alert('{{ printf "%g up" $value }}', given), tmp_path)
    run_tool(tmp_path, *TESTS)


def test_labels_are_templates_too(tmp_path: Path) -> None:
    firing = Firing(value="1", labels={LabelName("job"): "a"})
    spec = raw_alert("{{ $labels.job }}{{ $labels.none }}", firing, labels={"seen": "{{ $value }}"})
    alert = spec.alerts[Name("Up")]
    test = replace(alert.tests[Name("up")], series={'up{job="a"}': "1x9"})
    tested = replace(alert, tests={Name("up"): test})
    write(replace(spec, alerts={Name("Up"): tested}), tmp_path)
    run_tool(tmp_path, *TESTS)


def selection(metric: str, **where: tuple[str, ...]) -> Selection:
    return Selection(
        metric=MetricName(metric),
        where={LabelName(label): values for label, values in where.items()},
    )


def ratio_alert(  # noqa: PLR0913 - one parameter for each number of a ratio alert
    *,
    bad: Selection,
    total: Selection,
    by: tuple[str, ...] = (),
    window: str = "10m",
    above: str = "20%",
    least: int = 1,
    hold: str = "0",
    keep: str | None = None,
    shown: str = "{{ $value | humanizePercentage }}",
) -> Alert:
    return Alert(
        when=RatioCondition(
            bad=bad,
            total=total,
            by=tuple(map(LabelName, by)),
            window=Duration.parse(window),
            above=Ratio.parse(above),
            min_events=least,
        ),
        for_=Duration.parse(hold),
        keep_firing_for=None if keep is None else Duration.parse(keep),
        severity=Severity.CRITICAL,
        annotations={LabelName("summary"): shown},
    )


RUNS, FAILED = selection("runs_total"), selection("failed_total")
ERRORS = selection("runs_total", outcome=("error",))
RATIOS = {
    "ShortWindow": ratio_alert(bad=ERRORS, total=RUNS, window="20s", hold="1m"),
    "TinyWindow": ratio_alert(bad=ERRORS, total=RUNS, window="700ms", hold="10s"),
    "OddWindow": ratio_alert(bad=ERRORS, total=RUNS, window="3m7s", hold="50s", least=7),
    "LongWindow": ratio_alert(bad=ERRORS, total=RUNS, window="6h", hold="10m", least=300),
    "LongHold": ratio_alert(bad=ERRORS, total=RUNS, window="5m", hold="40m", keep="10m", least=20),
    "Rare": ratio_alert(bad=ERRORS, total=RUNS, above="0.1%", shown="{{ $value }}"),
    "NearlyAll": ratio_alert(bad=ERRORS, total=RUNS, above="97%", shown="{{ $value }}"),
    "Any": ratio_alert(bad=ERRORS, total=RUNS, above="0%", shown="{{ $value | humanize }}"),
    "Busy": ratio_alert(bad=ERRORS, total=RUNS, above="5%", least=100_000, shown="{{ $value }}"),
    "TwoMetrics": ratio_alert(bad=FAILED, total=RUNS, by=("agent",), above="33.3%"),
    "TwoLabels": ratio_alert(bad=FAILED, total=RUNS, by=("agent", "outcome"), keep="5m"),
    "Narrow": ratio_alert(
        bad=selection("runs_total", outcome=("error",), agent=('a "b"', "c|d")),
        total=selection("runs_total", outcome=("error", "success"), agent=('a "b"', "c|d", "e")),
        shown="{{ $value }}",
    ),
    "Pinned": ratio_alert(
        bad=selection("runs_total", outcome=("error",), agent=("a", "b")),
        total=selection("runs_total", agent=("b", "c")),
        by=("agent",),
    ),
    "OtherLabels": ratio_alert(bad=FAILED, total=selection("runs_total", outcome=("x", "y"))),
}
OUTCOME = Attribute(help="How it ended", values=("success", "error", "cancelled"))


def ratio_spec(alerts: dict[str, Alert]) -> Spec:
    return small_spec(
        attributes={LabelName("outcome"): OUTCOME},
        alerts={Name(name): alert for name, alert in alerts.items()},
    )


@pytest.mark.parametrize("evaluation", ["15s", "1m", "7s"])
@pytest.mark.parametrize("name", RATIOS)
def test_derived_tests_pass_for_any_numbers(name: str, evaluation: str, tmp_path: Path) -> None:
    spec = ratio_spec({name: RATIOS[name]})
    clock = replace(spec.prometheus, evaluation_interval=Duration.parse(evaluation))
    write(replace(spec, prometheus=clock), tmp_path)
    (tests,) = (tmp_path / "rules/tests").iterdir()
    run_tool(tmp_path, "promtool", "test", "rules", str(tests))


@pytest.mark.parametrize("name", RATIOS)
def test_derived_tests_look_at_every_side(name: str) -> None:
    document = yaml.safe_load(render(ratio_spec({name: RATIOS[name]}))["rules/tests/alerts.yml"])
    alert = RATIOS[name]
    assert isinstance(alert.when, RatioCondition)
    seen = {
        test["name"].removeprefix(f"{name}/"): [
            len(look["exp_alerts"]) for look in test["alert_rule_test"]
        ]
        for test in document["tests"]
    }
    expected = {
        "just_above": [0, 1, 0],
        "no_traffic": [0, 0],
        "enough_events": [0, 1],
        "no_data": [0, 0, 0],
    }
    if alert.when.above.value:
        expected["just_below"] = [0, 0]
    if alert.when.min_events > 1:
        expected["few_events"] = [0, 0]
    if set(alert.when.by) - set(alert.when.bad.where):
        expected["one_group_alone"] = [0, 1]
    assert seen == expected


@pytest.mark.parametrize("name", ["higher", "lower", "flipped"])
@pytest.mark.parametrize("alert", [name for name in RATIOS if name != "Any"])
def test_every_derived_threshold_is_tight(alert: str, name: str, tmp_path: Path) -> None:
    write(ratio_spec({alert: RATIOS[alert]}), tmp_path)
    path = tmp_path / "rules/alerts.rules.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    (rule,) = document["groups"][0]["rules"]
    before = rule["expr"]
    MUTATIONS[name](rule)
    assert rule["expr"] != before
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert try_tool(tmp_path, *TESTS).returncode == 1


@pytest.mark.parametrize(
    ("alert", "message"),
    [
        (
            ratio_alert(bad=RUNS, total=RUNS),
            (
                "alert `Bad` can't be tested: `bad` and `total` count the same events of"
                " `runs_total`, so the share is always 100%; narrow `bad` with `where`"
            ),
        ),
        (
            ratio_alert(bad=ERRORS, total=selection("runs_total", outcome=("success", "empty"))),
            (
                "alert `Bad` can't be tested: `bad` counts `outcome` `error`, `total` only"
                " `outcome` `success`, `empty`; the bad events must be among all events"
            ),
        ),
        (
            ratio_alert(bad=ERRORS, total=RUNS, above="150%"),
            "alert `Bad` can't be tested: no share can be above 150%; write less than 100%",
        ),
        (
            ratio_alert(bad=ERRORS, total=RUNS, shown="{{ $value | title }}"),
            (
                "alert `Bad` can't be tested: `{{ $value | title }}` can't be worked out here, only"
                " `$value`, `$labels.x`, and `$value` through humanize, humanize1024,"
                ' humanizePercentage, humanizeDuration or printf "%.2f", in `summary`'
            ),
        ),
    ],
)
def test_a_ratio_without_tests_says_why(alert: Alert, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(ratio_spec({"Bad": alert}))
    assert str(caught.value) == message


def test_own_tests_take_the_place_of_derived_ones() -> None:
    own = RuleTest(series={}, at={Duration(0): Expectation(fires=())})
    alert = replace(RATIOS["TwoMetrics"], tests={Name("just_above"): own, Name("no_data"): own})
    document = yaml.safe_load(render(ratio_spec({"Own": alert}))["rules/tests/alerts.yml"])
    names = [test["name"] for test in document["tests"]]
    assert names == [
        *("Own/just_below", "Own/no_traffic", "Own/enough_events", "Own/one_group_alone"),
        *("Own/just_above", "Own/no_data"),
    ]


def test_no_alerts_need_no_tests() -> None:
    assert render(small_spec()) == {}


@pytest.mark.parametrize("interval", ["5s", "10s", "30s", "1m"])
def test_the_seed_alerts_are_tested_on_their_own_clock(interval: str, tmp_path: Path) -> None:
    """Whoever evaluates the rules more or less often does not have to write the tests anew."""
    spec = read(SEED, tmp_path)
    clock = replace(spec.prometheus, evaluation_interval=Duration.parse(interval))
    write(replace(spec, prometheus=clock), tmp_path)
    names = sorted(path.name for path in (tmp_path / "rules/tests").iterdir())
    assert names == ["alerts-every-15s.yml", "alerts.yml"]
    for name in names:
        run_tool(tmp_path, "promtool", "test", "rules", f"rules/tests/{name}")
