"""Rules: names, labels, guesses; and what Prometheus makes of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from import_cases import import_texts, rule_file, spec_of, told

from autogpt_observe.render import prometheus, promtool
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.importers import Imported

ALERT = "labels: {severity: warning}, annotations: {summary: s}"


def assert_promtool_agrees(imported: Imported, folder: Path) -> None:
    """Render rules and unit tests of an imported spec, and run promtool on them."""
    spec_file = folder / "observe.yaml"
    spec_file.write_text(imported.text, encoding="utf-8")
    spec = load_spec(spec_file)
    files = {**prometheus.render(spec), **promtool.render(spec)}
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    tests = sorted(str(folder / path) for path in files if "/tests/" in path)
    assert tests != []
    run = subprocess.run(
        ["promtool", "test", "rules", *tests], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("exprs", "declared"),
    [
        (["rate(a[5m]) > 1"], {"a": "counter"}),
        (["a_total > 1"], {"a_total": "counter"}),
        (["a > 1", "delta(a[5m]) > 1"], {"a": "gauge"}),
        (["histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > 1"], {"a": "histogram"}),
        (["histogram_quantile(0.9, rate(a[5m])) > 1"], {"a": "histogram"}),
        (
            ["rate(a_sum[5m]) / rate(a_count[5m]) > 1"],
            {"a_sum": "counter", "a_count": "counter"},
        ),
        (
            ["rate(a_sum[5m]) / rate(a_count[5m]) > 1", 'rate(a_bucket{le="1"}[5m]) > 1'],
            {"a": "histogram"},
        ),
        (["s3_bucket > 1"], {"s3_bucket": "gauge"}),
        (['{__name__="a", x="y"} > 1'], {"a": "gauge"}),
        (["up == 0"], {}),
    ],
)
def test_guessed_types(exprs: list[str], declared: dict[str, str]) -> None:
    rules = [f"{{alert: A{n}, expr: '{expr}', {ALERT}}}" for n, expr in enumerate(exprs)]
    metrics = spec_of(import_texts(rule_file(*rules))).get("metrics", {})
    assert {name: metric["type"] for name, metric in metrics.items()} == declared


def test_contradicting_uses_are_told() -> None:
    rules = [
        f"{{alert: A, expr: 'rate(a[5m]) > 1', {ALERT}}}",
        f"{{alert: B, expr: 'deriv(a[5m]) > 1', {ALERT}}}",
        f"{{alert: C, expr: 'deriv(b_total[5m]) > 1', {ALERT}}}",
    ]
    assert told(import_texts(rule_file(*rules))) == [
        (
            "a.yml:4:17: `a` is declared a counter, as `rate` takes it, but `deriv` is for gauges"
            " [import/guessed] = check its type"
        ),
        (
            "a.yml:6:17: `b_total` is declared a counter, as its name ends so, but `deriv` is for"
            " gauges [import/guessed] = check its type"
        ),
    ]


def test_labels_are_collected_from_all_rules() -> None:
    rules = [
        f'{{alert: A, expr: \'sum by (zone) (a{{code="x", job="j"}}) > 1\', {ALERT}}}',
        f"{{alert: B, expr: 'a * on (node) group_left (kind) b > 1', {ALERT}}}",
    ]
    metrics = spec_of(import_texts(rule_file(*rules)))["metrics"]
    assert metrics["a"]["labels"] == ["code", "zone", "node"]
    assert metrics["b"]["labels"] == ["node", "kind"]


@pytest.mark.parametrize(
    ("names", "become"),
    [
        (["A", "A"], ["A", "AWarning"]),
        (["A", "A", "A"], ["A", "AWarning", "AWarning2"]),
        (["A", "A", "AWarning"], ["A", "AWarning2", "AWarning"]),
        (["Down", "DOWN"], ["Down", "DOWNWarning"]),
        (["Über uns!"], ["ber-uns"]),
        (["5xx"], ["Alert-5xx"]),
        (["✗"], ["Alert"]),
        (["N" * 70], ["N" * 63]),
        (["a b", "a-b"], ["a-bWarning", "a-b"]),
    ],
)
def test_names(names: list[str], become: list[str]) -> None:
    rules = [f'{{alert: "{name}", expr: a == {n}, {ALERT}}}' for n, name in enumerate(names)]
    imported = import_texts(rule_file(*rules))
    assert list(spec_of(imported)["alerts"]) == become
    renamed = [f"becomes `{new}`" for old, new in zip(names, become, strict=True) if old != new]
    assert [line for line in told(imported) if "becomes" in line] != [] or not renamed
    for words in renamed:
        assert any(words in line for line in told(imported))


def test_labels_that_the_generator_sets() -> None:
    labels = "{severity: P1, owner: data team, service: other, alertname: X, 'a': b}"
    rule = f"{{alert: A, expr: up == 0, labels: {labels}, annotations: {{summary: s}}}}"
    imported = import_texts(rule_file(rule))
    alert = spec_of(imported)["alerts"]["A"]
    assert (alert["severity"], alert["owner"], alert["labels"]) == (
        "critical",
        "data-team",
        {"a": "b"},
    )
    assert [line.split(": ", 1)[1] for line in told(imported)] == [
        (
            "`severity: P1` becomes `severity: critical` [import/changed]"
            " = look after routes and silences that match it"
        ),
        "the label `owner: data team` becomes `owner: data-team` [import/changed]",
        (
            "the label `service: other` becomes `service: shop` [import/changed]"
            " = import it into a spec of its own with `--service`"
        ),
        (
            "the label `alertname` of the alert `A` is not carried over [import/lost]"
            " = it is the alert's name"
        ),
    ]


def test_owner_is_the_one_that_most_rules_name() -> None:
    rules = [
        f"{{alert: A{n}, expr: a == {n}, labels: {{severity: info, team: {team}}},"
        " annotations: {summary: s}}"
        for n, team in enumerate(["data", "web", "web"])
    ]
    imported = import_texts(rule_file(*rules), owner=None)
    assert "service: {name: shop, owner: web}" in imported.text
    owners = [alert.get("owner") for alert in spec_of(imported)["alerts"].values()]
    assert owners == ["data", None, None]


def test_a_dropped_recording_rule_takes_its_readers_along() -> None:
    rules = [
        "{record: 'a:b', expr: 'sum('}",
        "{record: 'b:c', expr: 'a:b * 2'}",
        f"{{alert: A, expr: 'b:c > 1', {ALERT}}}",
        f"{{alert: B, expr: up == 0, {ALERT}}}",
    ]
    imported = import_texts(rule_file(*rules))
    assert list(spec_of(imported)["alerts"]) == ["B"]
    assert told(imported) == [
        (
            "a.yml:4:18: the recording rule `a:b` is not carried over: not valid PromQL: `(` is"
            " never closed [import/lost]"
        ),
        (
            "a.yml:5:18: the recording rule `b:c` is not carried over: the metric `a:b` is not"
            " declared [import/lost] = give the file that records it to the same import"
        ),
        (
            "a.yml:6:17: the alert `A` is not carried over: the metric `b:c` is not declared"
            " [import/lost] = give the file that records it to the same import"
        ),
    ]


def test_a_text_that_a_check_refuses_goes_alone() -> None:
    texts = "{summary: '{{ $labels.zone }} fails', description: d, other: '{{ $labels.zone }}'}"
    rule = f"{{alert: A, expr: sum(a) > 1, labels: {{severity: info}}, annotations: {texts}}}"
    imported = import_texts(rule_file(rule))
    alert = spec_of(imported)["alerts"]["A"]
    assert alert["annotations"] == {"summary": "A", "description": "d"}
    fix = "the expression drops all labels; keep it by `by (zone)`, or by `=` in `absent`"
    assert told(imported) == [
        f"a.yml:4:17: the annotation `{name}` of `A` is not carried over: the expression's result"
        f" has no label `zone`, so this is empty [import/lost] = {fix}"
        for name in ("summary", "other")
    ]


def test_one_interval_of_all_groups_is_that_of_the_spec() -> None:
    one = rule_file(f"{{alert: A, expr: up == 0, {ALERT}}}").replace(
        "    rules", "    interval: 20s\n    rules"
    )
    other = rule_file(f"{{alert: B, expr: up == 1, {ALERT}}}", group="h")
    same, mixed = import_texts(one), import_texts(one, other)
    assert "prometheus: {evaluation_interval: 20s}\n" in same.text
    assert told(same) == []
    assert "prometheus" not in spec_of(mixed)
    assert told(mixed) == [
        (
            "a.yml:3:5: the `interval` of the group `g` is not carried over [import/lost]"
            " = the spec has one `prometheus.evaluation_interval` for all its rules"
        )
    ]


def test_recording_rules_of_one_name_record_what_they_recorded(tmp_path: Path) -> None:
    rules = [
        "{record: 'a:q', expr: 'max(a) # the top', labels: {q: '1', cost: '$5'}}",
        "{record: 'a:q', expr: min(a), labels: {q: '0'}}",
    ]
    imported = import_texts(rule_file(*rules))
    expr = spec_of(imported)["recording_rules"]["a:q"]["expr"]
    rule = tmp_path / "r.yml"
    rule.write_text(
        "groups:\n- name: g\n  rules:\n  - record: a:q\n    expr: |\n"
        + "".join(f"      {line}\n" for line in str(expr).split("\n")),
        encoding="utf-8",
    )
    (tmp_path / "t.yml").write_text(
        """
rule_files: [r.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{series: 'a{x="1"}', values: 3 3}, {series: 'a{x="2"}', values: 7 7}]
    promql_expr_test:
      - expr: a:q
        eval_time: 1m
        exp_samples:
          - {labels: 'a:q{q="1", cost="$5"}', value: 7}
          - {labels: 'a:q{q="0"}', value: 3}
""",
        encoding="utf-8",
    )
    run = subprocess.run(
        ["promtool", "test", "rules", "t.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "expr",
    [
        "vector(1)",
        "absent(a) * 3 - 1 > 1",
        'absent(up{job="a", zone=~"b|c"})',
        'absent(up{job="a"} == 1)',
        'absent_over_time(up{job="a"}[5m])',
        "(count(up == 1) or vector(0)) < 1",
        "(sum(a) or vector(3) * 2) > 5",
        "absent(absent(a))",
        "up == 0",
        "time() - a > 5",
        "(a or vector(0)) > 1",
        "count(a) unless vector(1)",
        "absent(a) and on () b",
        "a and on () vector(1)",
    ],
)
def test_what_fires_on_nothing_is_expected_to(expr: str, tmp_path: Path) -> None:
    rule = (
        f"{{alert: A, expr: '{expr}', for: 2m, labels: {{severity: info}},"
        " annotations: {summary: 'at {{ $value }}'}}"
    )
    imported = import_texts(rule_file(rule, f"{{alert: B, expr: b == 3, {ALERT}}}"))
    assert [line for line in told(imported) if "not carried over" in line] == []
    assert_promtool_agrees(imported, tmp_path)


def test_what_may_fire_on_nothing_is_told() -> None:
    imported = import_texts(
        rule_file(
            f"{{alert: A, expr: 'vector(hour()) > 5', {ALERT}}}",
            f"{{alert: B, expr: 'absent((up)) > 0', {ALERT}}}",
        )
    )
    assert told(imported)[-1] == (
        "a.yml:5:17: `B` may fire without any data, which the tests take for wrong"
        " [import/guessed] = if `autogpt-observe test` says so, give it a test named `no_data`"
    )
