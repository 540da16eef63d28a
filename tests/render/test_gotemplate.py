"""Templates come out as Prometheus' own functions write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alert_specs import run_tool
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.gotemplate import FUNCTIONS, TemplateError, expand, format_float

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.render.emit import Document

VALUES = (
    *(0.2, 0.0, -5.0, 1e6, 1234567.0, 999999.5, 1e20, 1e21, 123456789012.0, 1e-4, 1e-5, 5e-25),
    *(1.5e300, 3725.0, 90061.7, 0.0234, 1023.0, 1024.0, 1536.0, 999.96, 0.99996, 59.9999, -0.5),
    *(-3725.0, 0.1 + 0.2, 100.0, 12345.678, 1 / 3, 2.0**60, 1e30),
    *(float("inf"), float("-inf"), float("nan")),
)
TEMPLATE = (
    "|".join(("{{ $value }}", "{{.Value}}", *(f"{{{{ $value | {name} }}}}" for name in FUNCTIONS)))
    + '|{{ printf "%.2f" $value }}|{{ .Value | printf "at %f s, 100%%" }}'
    + '|{{ $value | printf "%.0f%%" }}'
    + "|{{ humanize $value }} \n{{- $value -}}  |{{/* a note */}}"
    + "|{{ $labels.site }}|{{.Labels.site}}|{{ $labels.none }}|"
)


def test_prometheus_prints_the_same(tmp_path: Path) -> None:
    values = [value for value in VALUES if not abs(value) >= 2.0**63 or value in VALUES[-3:]]
    rule: Document = {"alert": "A", "expr": "x or y", "annotations": {"text": TEMPLATE}}
    rules: Document = {"groups": [{"name": "g", "rules": [rule]}]}
    alerts = [
        {
            "exp_labels": {"site": f"s{index}"},
            "exp_annotations": {
                "text": expand(TEMPLATE, value=value, labels={"site": f"s{index}"})
            },
        }
        for index, value in enumerate(values)
    ]
    series = [
        {"series": f'x{{site="s{index}"}}', "values": format_float(value)}
        for index, value in enumerate(values)
    ]
    look: Document = {"eval_time": "0s", "alertname": "A", "exp_alerts": alerts}
    tests: Document = {
        "rule_files": ["rules.yml"],
        "tests": [{"input_series": series, "alert_rule_test": [look]}],
    }
    (tmp_path / "rules.yml").write_text(format_yaml(rules), encoding="utf-8")
    (tmp_path / "tests.yml").write_text(format_yaml(tests), encoding="utf-8")
    run_tool(tmp_path, "promtool", "test", "rules", "tests.yml")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (84.0, "84"),
        (999999.5, "999999.5"),
        (1e6, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.0, "-0"),
        (1.5e300, "1.5e+300"),
        (float("inf"), "+Inf"),
    ],
)
def test_floats_print_as_go_prints_them(value: float, text: str) -> None:
    assert format_float(value) == text


@given(st.floats(allow_nan=False))
def test_a_printed_float_is_that_float(value: float) -> None:
    assert float(format_float(value)) == value


def test_the_last_digit_is_kept() -> None:
    text = "{{ $value | humanizePercentage }} of {{ $value }}"
    assert expand(text, value=0.1 + 0.2, labels={}) == "30% of 0.30000000000000004"


@pytest.mark.parametrize(
    ("action", "value", "message"),
    [
        ("{{ $value }}", None, "`{{ $value }}` needs a value"),
        (
            "{{ if $value }}{{ end }}",
            1.0,
            (
                "`{{ if $value }}` can't be worked out here, only `$value`, `$labels.x`, and"
                " `$value` through humanize, humanize1024, humanizePercentage, humanizeDuration or"
                ' printf "%.2f"'
            ),
        ),
        ("{{ if $value }}", 1.0, "not a valid template: `if` is never closed"),
        ("{{ }}", 1.0, "not a valid template: there is nothing between `{{` and `}}`"),
        (
            "{{ $value | humanizeDuration }}",
            1e30,
            "1e+30 seconds are too many for humanizeDuration",
        ),
        *(
            (
                action,
                1.0,
                (
                    f"`{action}` can't be worked out here, only `$value`, `$labels.x`, and `$value`"
                    " through humanize, humanize1024, humanizePercentage, humanizeDuration or"
                    ' printf "%.2f"'
                ),
            )
            for action in (
                "{{ $value | title }}",
                "{{ $labels }}",
                "{{ $labels.a | toUpper }}",
                "{{ $externalURL }}",
                "{{ $value | humanize | title }}",
                '{{ $labels | print "x" }}',
                '{{ printf "%g" $value }}',
                '{{ printf "%.2f %.2f" $value }}',
                '{{ printf "%.2f" 1.0 }}',
            )
        ),
    ],
)
def test_what_cannot_be_worked_out_is_named(action: str, value: float | None, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        expand(f"a {action} b", value=value, labels={})
    assert str(caught.value) == message
