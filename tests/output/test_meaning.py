from __future__ import annotations

import json

import pytest

from autogpt_observe.output.meaning import describe_changes

RATE = "rate(errors_total[5m]) > 0.1"
RULES = """\
groups:
  - name: crawler
    rules:
      - alert: TooManyErrors
        expr: 'rate(errors_total[5m]) > 0.1'
        for: 2m
        labels: {severity: warning}
      - alert: Down
        expr: up == 0
"""


def changes(path: str, before: str, after: str) -> tuple[str, ...]:
    return describe_changes({path: before}, {path: after})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("> 0.1", "> 0.2", "alert TooManyErrors: threshold 0.1 -> 0.2"),
        ("[5m]", "[10m]", "alert TooManyErrors: window 5m -> 10m"),
        ("for: 2m", "for: 5m", "alert TooManyErrors for: 2m -> 5m"),
        (
            "severity: warning",
            "severity: critical",
            "alert TooManyErrors labels severity: warning -> critical",
        ),
        ("        for: 2m\n", "", "alert TooManyErrors for removed (2m)"),
        (
            "rate(errors_total[5m]) >",
            "rate(faults_total[5m]) >",
            f"alert TooManyErrors expr: {RATE} -> rate(faults_total[5m]) > 0.1",
        ),
        ("alert: Down", "alert: Gone", "alert Down removed"),
        ("severity: warning", "severity:  warning", "layout only"),
    ],
)
def test_a_changed_rule_is_told_by_its_meaning(old: str, new: str, said: str) -> None:
    assert old in RULES
    found = changes("rules/alerts.rules.yml", RULES, RULES.replace(old, new))
    assert found[0] == f"rules/alerts.rules.yml: {said}"


def test_equal_bundles_differ_in_nothing() -> None:
    assert changes("a.yml", RULES, RULES) == ()


def test_files_that_come_and_go() -> None:
    assert describe_changes({"a.yml": "a: 1"}, {"b.yml": "b: 1"}) == (
        "a.yml: removed",
        "b.yml: added",
    )


def test_unit_tests_are_told_in_one_line() -> None:
    assert changes("rules/tests/alerts.yml", "tests: [{name: a}]", "tests: [{name: b}]") == (
        "rules/tests/alerts.yml: unit tests changed along",
    )


def test_what_follows_from_a_change_is_told_behind_it() -> None:
    paths = ("docs/reference.md", "rules/alerts.rules.yml", "rules/tests/alerts.yml", "scrape.yml")
    before = dict.fromkeys(paths, "a: 1")
    assert describe_changes(before, dict.fromkeys(paths, "a: 2")) == (
        "rules/alerts.rules.yml: a: 1 -> 2",
        "scrape.yml: a: 1 -> 2",
        "docs/reference.md: page changed along",
        "rules/tests/alerts.yml: unit tests changed along",
    )


def test_manifests_are_told_by_kind_and_name() -> None:
    before = (
        "kind: Service\nmetadata: {name: a}\nport: 1\n---\nkind: Service\nmetadata: {name: b}\n"
    )
    assert changes("deploy/s.yaml", before, before.replace("port: 1", "port: 2")) == (
        "deploy/s.yaml: Service a port: 1 -> 2",
    )


def test_panels_are_told_by_title_and_routes_by_receiver() -> None:
    panel = {"title": "Errors", "targets": [{"expr": "a > 1"}]}
    changed = {"title": "Errors", "targets": [{"expr": "a > 2"}]}
    assert changes("d.json", json.dumps([panel]), json.dumps([changed])) == (
        "d.json: Errors targets[0]: threshold 1 -> 2",
    )
    routes = "route: {routes: [{receiver: pager}, {receiver: chat}]}"
    assert changes("a.yml", routes, "route: {routes: [{receiver: pager}]}") == (
        "a.yml: route to chat removed",
    )


ROUTING = """\
route:
  receiver: chat
  group_by: [alertname, service]
  routes:
    - {receiver: pager, matchers: ['severity="critical"'], continue: true}
    - {receiver: chat, matchers: ['owner="a"']}
    - {receiver: chat, matchers: ['owner="b"'], repeat_interval: 1h}
receivers:
  - {name: chat, slack_configs: [{channel: '#a'}]}
  - {name: pager, pagerduty_configs: [{routing_key_file: /etc/pager}]}
inhibit_rules:
  - {source_matchers: ['alertname="Down"'], target_matchers: ['alertname="Slow"'], equal: [service]}
  - {source_matchers: ['alertname="Full"'], target_matchers: ['alertname="Slow"'], equal: [service]}
time_intervals: [{name: nights, time_intervals: [{weekdays: [monday]}]}]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", continue: true", "", 'route to pager of severity="critical" continue removed (true)'),
        (
            "repeat_interval: 1h",
            "repeat_interval: 2h",
            'route to chat of owner="b" repeat_interval: 1h -> 2h',
        ),
        ("group_by: [alertname, ", "group_by: [", "route group_by: alertname removed"),
        ("#a", "#b", "chat slack_configs[0] channel: #a -> #b"),
        (
            "  - {name: pager, pagerduty_configs: [{routing_key_file: /etc/pager}]}\n",
            "",
            "pager removed",
        ),
        (
            'alertname="Full"\'], target_matchers: [\'alertname="Slow"\'], equal: [service]',
            'alertname="Full"\'], target_matchers: [\'alertname="Slow"\'], equal: [service, site]',
            'alertname="Full" silences alertname="Slow" equal: site added',
        ),
        (
            'alertname="Down"',
            'alertname="Gone"',
            'alertname="Down" silences alertname="Slow" removed',
        ),
        (
            "weekdays: [monday]",
            "weekdays: [monday, friday]",
            "nights time_intervals[0] weekdays: friday added",
        ),
    ],
)
def test_a_changed_routing_is_told_by_its_meaning(old: str, new: str, said: str) -> None:
    assert ROUTING.count(old) == 1
    found = changes("rules/alertmanager.yml", ROUTING, ROUTING.replace(old, new))
    assert found[0] == f"rules/alertmanager.yml: {said}"


def test_routing_tests_are_told_in_one_line() -> None:
    assert changes("rules/routing-tests.yml", "tests: [{alerts: a}]", "tests: [{alerts: b}]") == (
        "rules/routing-tests.yml: routing tests changed along",
    )


def test_a_file_in_another_language_is_told_by_its_lines() -> None:
    assert changes("p.conf", "input {}\n", "input { }\n") == (
        "p.conf: line 1: input {} -> input { }",
    )


def test_a_damaged_file_is_told_by_its_lines() -> None:
    assert changes("a.yml", "a: [", "a: 1") == ("a.yml: line 1: a: [ -> a: 1",)


def test_what_is_told_can_not_disturb_a_terminal() -> None:
    assert changes("a.yml", "a: b", 'a: "\\e[31m"') == ("a.yml: a: b -> \\x1b[31m",)
