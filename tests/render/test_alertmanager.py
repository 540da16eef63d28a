"""Routing, silencing and receivers, and amtool's opinion of them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml
from alert_specs import read, run_tool, try_tool, write
from hypothesis import given
from hypothesis import strategies as st
from small_specs import assert_golden, small_spec

from autogpt_observe.names import LabelName, Name
from autogpt_observe.output.schema_check import check_schemas
from autogpt_observe.output.tools import install_hint
from autogpt_observe.output.validators import ROUTING_CHECK, Status, validate_bundle
from autogpt_observe.render.alertmanager import render
from autogpt_observe.render.alertmanager.matchers import matcher
from autogpt_observe.render.routing_tests import MOST_TESTS, ROUTING_FILE
from autogpt_observe.spec import model
from autogpt_observe.spec.routing import find_stops

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = "rules/alertmanager.yml"
TESTS = f"rules/{ROUTING_FILE}"
SEED = """
version: 1
service: {name: autogpt, owner: agents-team}
metrics:
  queue_length: {type: gauge, from: code, help: Tasks that wait}
alerts:
  QueueLong:
    when: {expr: queue_length > 100}
    severity: warning
    annotations: {summary: Many tasks wait}
    allow: {alert/untested: routed here only}
  QueueFull:
    when: {expr: queue_length > 1000}
    severity: critical
    annotations: {summary: Too many tasks wait}
    allow: {alert/untested: routed here only}
"""
NOTIFICATIONS = """
notifications:
  receivers:
    everybody: {webhook: {url: 'http://127.0.0.1:9000/all'}}
    pager: {webhook: {url: 'https://pager.example.org/hook?team=a&x=%20', send_resolved: false}}
    crawlers: {webhook: {url: 'http://127.0.0.1:9000/crawlers'}}
    ledger: {webhook: {url: 'http://127.0.0.1:9000/ledger'}}
  default: everybody
  group_by: [alertname, service, agent]
  group_wait: 0s
  group_interval: 1m30s
  repeat_interval: 1d
  routes:
    known-noise: {receiver: ledger, severity: [info]}
    page: {receiver: pager, severity: [critical], continue: true}
    crawl: {receiver: crawlers, severity: [warning, critical], owner: [crawl-team, spider-team]}
    rest: {receiver: everybody}
"""
TIERS = """
version: 1
service: {name: crawler, owner: agents-team}
attributes:
  agent: {help: Agent name}
  provider: {help: Model provider, values: [acme, zenith]}
metrics:
  crawler_runs_total: {type: counter, from: code, attributes: [agent, provider], help: Runs}
  crawler_failures_total: {type: counter, from: code, attributes: [agent, provider], help: Failures}
alerts:
  ProviderDown:
    when:
      ratio:
        bad: {metric: crawler_failures_total}
        total: {metric: crawler_runs_total}
        by: [provider]
        window: 5m
        above: 90%
    severity: critical
    annotations: {summary: 'Provider {{ $labels.provider }} is down'}
    inhibits:
      RunsFail: {same: [provider]}
      RunsFailBadly: {same: [provider]}
      Stalled: {}
  RunsFail:
    when:
      ratio:
        bad: {metric: crawler_failures_total}
        total: {metric: crawler_runs_total}
        by: [agent, provider]
        window: 10m
        above: 5%
    severity: warning
    annotations: {summary: Runs fail}
  RunsFailBadly:
    when:
      ratio:
        bad: {metric: crawler_failures_total}
        total: {metric: crawler_runs_total}
        by: [provider, agent]
        window: 5m
        above: 50%
        min_events: 10
    severity: critical
    annotations: {summary: Runs fail badly}
  RunsFailElsewhere:
    when:
      ratio:
        bad: {metric: crawler_failures_total}
        total: {metric: crawler_runs_total}
        by: [agent, provider]
        window: 5m
        above: 5%
    severity: warning
    owner: other-team
    annotations: {summary: Told to somebody else}
  Stalled:
    when: {expr: 'sum(rate(crawler_runs_total[5m])) == 0'}
    severity: critical
    annotations: {summary: No runs}
    allow: {alert/untested: seen in the demo}
notifications: {receivers: {hook: {webhook: {url: 'http://a:8080/x'}}}, default: hook}
"""
EVERYTHING = (
    TIERS[: TIERS.index("notifications:")]
    + """
notifications:
  receivers:
    everybody: {webhook: {url: 'http://a:8080/x', credentials_file: /etc/alertmanager/bearer}}
    chat: {slack: {channel: '#agents', api_url_file: /etc/alertmanager/slack}}
    pager:
      pagerduty: {routing_key_file: /etc/alertmanager/pagerduty}
      opsgenie: {api_key_file: /etc/alertmanager/opsgenie, api_url: 'https://api.eu.opsgenie.com'}
    mail:
      email:
        to: [a@example.com, b@example.com]
        from: alerts@example.com
        smarthost: smtp.example.com:587
        username: alerts
        password_file: /etc/alertmanager/smtp
  default: everybody
  routes:
    page: {receiver: pager, severity: [critical], continue: true}
    models:
      receiver: chat
      labels: {provider: [acme, zenith]}
      group_by: ['...']
      group_wait: 10s
      group_interval: 1m
      repeat_interval: 1h
      routes:
        acme: {receiver: mail, labels: {provider: [acme]}, mute: [nights, weekend]}
    office: {receiver: everybody, active: [office-hours]}
  time_intervals:
    nights: {times: ['00:00-06:00', '22:00-24:00']}
    weekend: {weekdays: [saturday, sunday], timezone: Europe/Berlin}
    office-hours: {weekdays: [monday, tuesday], times: ['09:00-17:00'], timezone: America/New_York}
"""
)
CASES = {
    "one_receiver": SEED
    + "notifications: {receivers: {hook: {webhook: {url: 'http://a:8080/x'}}}, default: hook}\n",
    "routes": SEED + NOTIFICATIONS,
    "everything": EVERYTHING,
}


def render_text(text: str, folder: Path) -> dict[str, str]:
    return dict(render(read(text, folder)))


def check_routes(files: Mapping[str, str]) -> str:
    """What amtool says of the routing; nothing when all is as it must be."""
    if shutil.which("amtool") is None:
        pytest.skip(f"amtool is missing; {install_hint('amtool')}")
    outcomes = validate_bundle(files, environ=os.environ)
    (outcome,) = [outcome for outcome in outcomes if outcome.name == ROUTING_CHECK]
    assert outcome.status is (Status.FAILED if outcome.detail else Status.PASSED)
    return outcome.detail


@pytest.mark.parametrize("case", CASES)
def test_configuration(case: str, tmp_path: Path) -> None:
    assert_golden(f"alertmanager_{case}", render_text(CASES[case], tmp_path))


@pytest.mark.parametrize("case", CASES)
def test_alertmanager_takes_it(case: str, tmp_path: Path) -> None:
    write(read(CASES[case], tmp_path), tmp_path)
    said = run_tool(tmp_path, "amtool", "check-config", CONFIG)
    assert "SUCCESS" in said
    files = render_text(CASES[case], tmp_path)
    assert check_schemas(files) == []
    assert check_routes(files) == ""


def test_without_notifications_nothing_is_written() -> None:
    assert render(small_spec()) == {}


# --- routes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("severity=critical", "owner=agents-team"), "pager,everybody"),
        (("severity=critical", "owner=crawl-team"), "pager,crawlers"),
        (("severity=warning", "owner=spider-team"), "crawlers"),
        (("severity=warning", "owner=spider-team-2"), "everybody"),
        (("severity=info", "owner=crawl-team"), "ledger"),
        (("severity=warning", "owner=agents-team"), "everybody"),
    ],
)
def test_an_alert_goes_where_the_spec_says(
    labels: tuple[str, ...], receivers: str, tmp_path: Path
) -> None:
    spec = read(CASES["routes"], tmp_path)
    write(spec, tmp_path)
    config = f"--config.file={CONFIG}"
    done = try_tool(tmp_path, "amtool", "config", "routes", "test", config, *labels)
    assert (done.returncode, done.stdout.strip()) == (0, receivers)
    assert spec.notifications is not None
    stops = find_stops(spec.notifications, dict(label.split("=") for label in labels))
    assert ",".join(stop.receiver for stop in stops) == receivers


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("receiver: pager\n", "receiver: chat\n"),
        ('        - severity="critical"\n', '        - severity="warning"\n'),
        ('      matchers:\n        - severity="critical"\n', ""),
        ("      continue: true\n", ""),
        ('            - provider="acme"\n', '            - provider="zenith"\n'),
        ("    - receiver: everybody\n      active_time", "    - receiver: mail\n      active_time"),
        ('provider=~"acme|zenith"', 'provider=~"acme"'),
    ],
)
def test_a_route_that_is_changed_behind_the_spec_is_found(
    before: str, after: str, tmp_path: Path
) -> None:
    files = render_text(EVERYTHING, tmp_path)
    assert files[CONFIG].count(before) == 1
    files[CONFIG] = files[CONFIG].replace(before, after)
    assert ": got " in check_routes(files)


def test_every_alert_is_among_the_tests_with_each_value_that_matters(tmp_path: Path) -> None:
    tests = yaml.safe_load(render_text(EVERYTHING, tmp_path)[TESTS])["tests"]
    assert {name for test in tests for name in test["alerts"].split(", ")} == {
        "ProviderDown",
        "RunsFail",
        "RunsFailBadly",
        "RunsFailElsewhere",
        "Stalled",
    }
    seen = [tuple(test["labels"].values()) for test in tests]
    assert seen == [
        ("critical", "agents-team", "acme"),
        ("critical", "agents-team", "zenith"),
        ("warning", "agents-team", "acme"),
        ("warning", "agents-team", "zenith"),
        ("warning", "other-team", "acme"),
        ("warning", "other-team", "zenith"),
        ("critical", "agents-team"),
    ]


def test_thousands_of_alerts_make_few_tests(tmp_path: Path) -> None:
    alert = "{when: {expr: up == 0}, severity: warning, annotations: {summary: s}}"
    alerts = "".join(f"  A{n}: {alert}\n" for n in range(4_000))
    text = EVERYTHING.replace("alerts:\n  Provider", f"alerts:\n{alerts}  Provider")
    (warned,) = [
        test
        for test in yaml.safe_load(render_text(text, tmp_path)[TESTS])["tests"]
        if test["labels"] == {"severity": "warning", "owner": "agents-team"}
    ]
    assert warned["alerts"] == "A0, A1, A2 and 3997 more"


def test_more_tests_than_can_be_run_are_named(tmp_path: Path) -> None:
    count = MOST_TESTS + 7
    alert = "{when: {expr: queue_length > 0}, severity: warning, annotations: {summary: s}}"
    alerts = "".join(f"  A{n}: {alert}\n" for n in range(count))
    routes = "".join(
        f"    r{n}: {{receiver: r, labels: {{alertname: [A{n}]}}}}\n" for n in range(count)
    )
    text = f"{SEED}{alerts}notifications:\n  receivers: {{r: {{webhook: {{url: 'http://a'}}}}}}\n"
    made = render_text(f"{text}  default: r\n  routes:\n{routes}", tmp_path)[TESTS]
    assert f"# The first {MOST_TESTS} of {count + 2} that routes tell apart.\n" in made
    assert len(yaml.safe_load(made)["tests"]) == MOST_TESTS


# --- matchers --------------------------------------------------------------------------------

HOSTILE = (
    "",
    "a b",
    'say "hi"',
    "back\\slash",
    "a,b",
    "{x}",
    "a=~b",
    "tab\tbed",
    "l1\nl2",
    "\\n",
    "é|(.*)",
)


def test_a_matcher_takes_any_text() -> None:
    """amtool sees each value alone as one of the route's, and none of them as another."""
    values = {f"v{n}": value for n, value in enumerate(HOSTILE)}
    hook = {"name": "other"}
    routes = [
        {"receiver": name, "matchers": [matcher("x", [text])]} for name, text in values.items()
    ]
    several = {"receiver": "several", "matchers": [matcher("y", HOSTILE[1:])]}
    config = {
        "route": {"receiver": "other", "routes": [several, *routes]},
        "receivers": [hook, {"name": "several"}, *({"name": name} for name in values)],
    }
    tests = [
        {"alerts": name, "labels": {"x": text}, "receivers": [name]}
        for name, text in values.items()
    ]
    tests += [
        {"alerts": "all", "labels": {"y": text}, "receivers": ["several"]} for text in HOSTILE[1:]
    ]
    tests += [{"alerts": "z", "labels": {"x": "z", "y": "z"}, "receivers": ["other"]}]
    assert (
        check_routes({CONFIG: yaml.safe_dump(config), TESTS: yaml.safe_dump({"tests": tests})})
        == ""
    )


# --- silencing -------------------------------------------------------------------------------


def test_who_silences_whom(tmp_path: Path) -> None:
    rules = yaml.safe_load(render_text(TIERS, tmp_path)[CONFIG])["inhibit_rules"]
    told = [(rule["source_matchers"], rule["target_matchers"], rule["equal"]) for rule in rules]
    assert told == [
        (
            ['alertname="ProviderDown"'],
            ['alertname=~"RunsFail|RunsFailBadly"'],
            ["service", "environment", "provider"],
        ),
        (['alertname="ProviderDown"'], ['alertname="Stalled"'], ["service", "environment"]),
        (
            ['alertname="RunsFailBadly"'],
            ['alertname="RunsFail"'],
            ["service", "environment", "provider", "agent"],
        ),
    ]


def test_milder_alerts_speak_where_the_spec_says_so(tmp_path: Path) -> None:
    text = TIERS.replace("default: hook", "default: hook, silence_milder: false")
    rules = yaml.safe_load(render_text(text, tmp_path)[CONFIG])["inhibit_rules"]
    assert [rule["source_matchers"] for rule in rules] == [['alertname="ProviderDown"']] * 2


OBJECTIVES = TIERS.replace(
    "notifications:",
    """slos:
  runs:
    objective: 99%
    window: 30d
    by: [agent]
    events: {bad: {metric: crawler_failures_total}, total: {metric: crawler_runs_total}}
  models:
    objective: 95%
    window: 30d
    by: [provider]
    events: {bad: {metric: crawler_failures_total}, total: {metric: crawler_runs_total}}
notifications:""",
)


def test_one_rule_silences_the_tickets_of_all_objectives(tmp_path: Path) -> None:
    files = render_text(OBJECTIVES, tmp_path)
    rules = yaml.safe_load(files[CONFIG])["inhibit_rules"]
    implied = ['slo!=""', 'long_window!=""', 'short_window!=""']
    assert rules[0] == {
        "source_matchers": ['severity="critical"', *implied],
        "target_matchers": ['severity="warning"', *implied],
        "equal": ["service", "environment", "slo", "agent", "provider"],
    }
    assert len(rules) == 4
    tested = [test["alerts"] for test in yaml.safe_load(files[TESTS])["tests"]]
    assert any("RunsErrorBudgetBurn" in alerts for alerts in tested)
    silent = OBJECTIVES.replace("default: hook", "default: hook, silence_milder: false")
    rules = yaml.safe_load(render_text(silent, tmp_path)[CONFIG])["inhibit_rules"]
    assert [rule["source_matchers"] for rule in rules] == [['alertname="ProviderDown"']] * 2


# --- the walk over the routes ----------------------------------------------------------------

LABELS = {"severity": ("info", "warning", "critical"), "owner": ("a", "b"), "x": ("", "1", "2")}


def routes(depth: int) -> st.SearchStrategy[dict[Name, model.Route]]:
    below = routes(depth - 1) if depth else st.just({})
    some = {
        key: st.lists(st.sampled_from(values), max_size=2, unique=True)
        for key, values in LABELS.items()
    }
    route = st.builds(
        lambda severity, owner, x, go_on, inner, receiver: model.Route(
            receiver=Name(receiver),
            severity=tuple(map(model.Severity, severity)),
            owner=tuple(map(Name, owner)),
            labels={LabelName("x"): tuple(x)} if x else {},
            continue_=go_on,
            routes=inner,
        ),
        some["severity"],
        some["owner"],
        some["x"],
        st.booleans(),
        below,
        st.sampled_from("rst"),
    )
    return st.lists(route, max_size=3).map(
        lambda found: {Name(f"r{n}"): route for n, route in enumerate(found)}
    )


@given(routes(2), *(st.sampled_from(values) for values in LABELS.values()))
def test_the_walk_agrees_with_alertmanagers_algorithm(
    tree: dict[Name, model.Route], severity: str, owner: str, x: str
) -> None:
    """Against the algorithm in Alertmanager's dispatch/route.go, put down as it stands there."""
    labels = {"severity": severity, "owner": owner, "x": x}

    def match(
        receiver: str, children: Mapping[Name, model.Route], route: model.Route | None
    ) -> list[str]:
        if route is not None and not (
            (not route.severity or severity in route.severity)
            and (not route.owner or owner in route.owner)
            and all(labels[label] in values for label, values in route.labels.items())
        ):
            return []
        found: list[str] = []
        for child in children.values():
            matches = match(child.receiver, child.routes, child)
            found += matches
            if matches and not child.continue_:
                break
        return found or [receiver]

    spec = model.Notifications(receivers={}, default=Name("d"), routes=tree)
    assert [stop.receiver for stop in find_stops(spec, labels)] == match("d", tree, None)


# --- versions --------------------------------------------------------------------------------


def test_old_alertmanagers_get_the_old_name_of_time_intervals(tmp_path: Path) -> None:
    text = f"""{SEED}targets: {{alertmanager: '0.23'}}
notifications:
  receivers: {{hook: {{webhook: {{url: 'http://a:8080/x'}}}}}}
  default: hook
  routes: {{quiet: {{receiver: hook, severity: [info], mute: [nights]}}}}
  time_intervals: {{nights: {{times: ['00:00-06:00']}}}}
"""
    config = yaml.safe_load(render_text(text, tmp_path)[CONFIG])
    assert "time_intervals" not in config
    assert config["mute_time_intervals"][0]["name"] == "nights"
    write(read(text, tmp_path), tmp_path)
    assert "SUCCESS" in run_tool(tmp_path, "amtool", "check-config", CONFIG)
