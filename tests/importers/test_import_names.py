"""Parts without a name, of a service without one, and what stands where a text should."""

from __future__ import annotations

import pytest
from import_cases import refused, rule_file, told

from autogpt_observe.importers import import_files
from autogpt_observe.names import Name

OPENSLO = "apiVersion: openslo/v1, kind: SLO"
QUERIES = (
    "{events: {error_query: 'rate(bad_total[{{.window}}])',"
    " total_query: 'rate(all_total[{{.window}}])'}}"
)
GOOD_RULE = "{alert: B, expr: up == 0, labels: {severity: info}, annotations: {summary: s}}"


def sloth(service: str, *slos: str) -> str:
    return f"version: prometheus/v1\nservice: {service}\nslos:\n" + "".join(
        f"- {s}\n" for s in slos
    )


def found(*texts: str) -> list[str]:
    files = [(f"{chr(97 + at)}.yml", text.encode()) for at, text in enumerate(texts)]
    return told(import_files(files, owner=Name("team")))


def test_an_objective_without_a_name_is_called_so() -> None:
    said = refused(f'{{{OPENSLO}, metadata: {{name: ""}}, spec: {{service: s, objectives: []}}}}')
    assert said.splitlines()[0] == (
        "a.yml:1:1: warning: SLO without a name is not carried over: it needs `metadata.name` and"
        " `spec` [import/lost]"
    )


def test_an_empty_name_is_none_in_sloth() -> None:
    text = sloth(
        "pay",
        f'{{name: "", objective: 99, sli: {QUERIES}}}',
        f"{{name: q, objective: 99, sli: {QUERIES}}}",
    )
    assert found(text) == [
        "a.yml:4:3: an objective is not carried over: it has no `name` [import/lost]"
    ]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (
            "{alert: A, expr: {a: b}}",
            "a.yml:4:20: the alert `A` is not carried over: its `expr` is a map, not a text",
        ),
        (
            "{record: r, expr: [up]}",
            (
                "a.yml:4:21: the recording rule `r` is not carried over: its `expr` is a list, not"
                " a text"
            ),
        ),
        ("{alert: A}", "a.yml:4:17: the alert `A` is not carried over: it has no `expr`"),
        (
            '{alert: "", expr: up == 0}',
            "a.yml:4:9: a rule is not carried over: it needs one of `alert` and `record`",
        ),
    ],
)
def test_one_rule_is_told_of_once(rule: str, why: str) -> None:
    first, *others = found(rule_file(rule, GOOD_RULE))
    assert others[0] == f"{why} [import/lost]"
    assert first.startswith("-: no file names a service")
    assert len(others) == 1


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([rule_file(GOOD_RULE)], "no file names a service; `a` is written, after the first file"),
        (
            [
                sloth(name, f"{{name: q, objective: 99, sli: {QUERIES}}}")
                for name in ("x", "y", "y")
            ],
            "the files name 2 services; `y`, the one most named, is written",
        ),
        (
            [sloth("pay team", f"{{name: q, objective: 99, sli: {QUERIES}}}")],
            "the service `pay team` becomes `pay-team`",
        ),
    ],
)
def test_a_guessed_service_is_told(texts: list[str], message: str) -> None:
    assert found(*texts)[0] == f"-: {message} [import/guessed] = name one with `--service`"


def test_a_disabled_alert_is_told_to_come_over_switched_on() -> None:
    alerting = "{page_alert: {disable: true}, ticket_alert: {disable: false}}"
    text = sloth("pay", f"{{name: q, objective: 99, sli: {QUERIES}, alerting: {alerting}}}")
    (only,) = found(text)
    assert only.partition(": ")[2] == (
        "`page_alert` of the alerts of the objective `q` is disabled, and comes over switched on"
        " [import/lost] = an objective has all its alerts; route those of severity critical to"
        " nobody"
    )
