"""A real Alertmanager on rendered files: what is silenced, what is told, and in what words."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests

from autogpt_observe.names import FilePath, Name, Url
from autogpt_observe.output.tools import find_tool
from autogpt_observe.proof.api import is_ready
from autogpt_observe.proof.ports import on_free_port
from autogpt_observe.proof.process import Children
from autogpt_observe.render.alertmanager import render
from autogpt_observe.spec import model
from autogpt_observe.spec.load import load_spec
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("servers")

SPEC = """
version: 1
service: {name: crawler, owner: agents-team}
attributes:
  agent: {help: Agent name}
  provider: {help: Model provider}
metrics:
  runs_total: {type: counter, from: code, attributes: [agent, provider], help: Runs}
  failures_total: {type: counter, from: code, attributes: [agent, provider], help: Failures}
alerts:
  ProviderDown:
    when:
      ratio:
        bad: {metric: failures_total}
        total: {metric: runs_total}
        by: [provider]
        window: 5m
        above: 90%
    severity: critical
    annotations: {summary: down}
    inhibits: {RunsFail: {same: [provider]}}
  RunsFail:
    when:
      ratio:
        bad: {metric: failures_total}
        total: {metric: runs_total}
        by: [agent, provider]
        window: 10m
        above: 5%
    severity: warning
    annotations: {summary: some}
  RunsFailBadly:
    when:
      ratio:
        bad: {metric: failures_total}
        total: {metric: runs_total}
        by: [agent, provider]
        window: 5m
        above: 50%
    severity: critical
    annotations: {summary: many}
  Muted:
    when: {expr: runs_total > 1}
    severity: info
    annotations: {summary: muted}
    allow: {alert/untested: posted by the test, notify/undelivered: that is the test}
  Heard:
    when: {expr: runs_total > 1}
    severity: info
    owner: night-team
    annotations: {summary: heard}
    allow: {alert/untested: posted by the test}
slos:
  runs:
    objective: 99%
    window: 30d
    by: [agent]
    events: {bad: {metric: failures_total}, total: {metric: runs_total}}
notifications:
  receivers: {hook: {webhook: {url: 'http://127.0.0.1:1/hook'}}}
  default: hook
  group_by: ['...']
  group_wait: 0s
  group_interval: 200ms
  repeat_interval: 1h
  routes:
    muted: {receiver: hook, severity: [info], owner: [agents-team], mute: [always]}
    heard: {receiver: hook, severity: [info], owner: [night-team], mute: [another-day]}
  time_intervals: {always: {}, another-day: {weekdays: [ANOTHER_DAY]}}
"""
FAILS = {"alertname": "RunsFail", "severity": "warning", "owner": "agents-team"}


def burn(long: str, short: str, *, agent: str) -> dict[str, str]:
    """A ticket of the objective, as its rule labels it."""
    own = {"slo": "runs", "long_window": long, "short_window": short, "agent": agent}
    name = {"alertname": f"RunsErrorBudgetBurn{long}"}
    return {**name, "severity": "warning", "owner": "agents-team", **own}


PLACE = {"service": "crawler", "environment": "production"}


@dataclass(frozen=True, slots=True)
class Posted:
    """What a receiver got: the path it was posted to, its headers and its body."""

    path: str
    authorization: str | None
    body: Any


class Receivers:
    """Takes whatever is posted to it, on a port of its own."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                posted.append(Posted(self.path, self.headers["Authorization"], body))
                status = 200 if self.path.startswith(("/hook", "/slack")) else 202
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok" if self.path.startswith("/slack") else b"{}")

            def log_message(self, *_args: object) -> None:
                pass

        # HTTPServer would ask the name service for this machine's name.
        self._server = TCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def alerts(self) -> set[tuple[str, str]]:
        """What the webhook was told is firing: alert and agent."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("agent", ""))
            for posted in self.posted
            for alert in posted.body["alerts"]
            if alert["status"] == "firing"
        }


@dataclass(frozen=True, slots=True)
class Alertmanager:
    url: str

    def post(self, *alerts: dict[str, str], **annotations: str) -> None:
        now = datetime.now(UTC).isoformat()
        body = [
            {
                "labels": {**PLACE, **labels},
                "annotations": annotations,
                "startsAt": now,
                "generatorURL": "http://prometheus:9090/graph?g0.expr=a%7Cb",
            }
            for labels in alerts
        ]
        assert requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=5).status_code == 200

    def states(self) -> dict[tuple[str, str, str], str]:
        """The state of each alert, by its name, agent and provider."""
        found = requests.get(f"{self.url}/api/v2/alerts", timeout=5).json()
        return {
            tuple(
                alert["labels"].get(name, "") for name in ("alertname", "agent", "provider")
            ): alert["status"]["state"]
            for alert in found
        }


def wait(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not probe():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def running(spec: model.Spec, folder: Path) -> Iterator[Alertmanager]:
    """An Alertmanager on what is rendered from the spec."""
    path = find_tool("alertmanager", os.environ)
    assert path is not None
    config = folder / "alertmanager.yml"
    config.write_text(render(spec)["rules/alertmanager.yml"])
    with Children(folder) as children:

        def start(port: int) -> str:
            url = f"http://127.0.0.1:{port}"
            options = (
                f"--config.file={config}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--web.external-url={url}",
                "--cluster.listen-address=",
                "--log.level=warn",
            )
            child = children.start("alertmanager", (str(path), *options), environ=os.environ)

            def ready() -> bool:
                child.check()
                return is_ready(url)

            wait(ready)
            return url

        yield Alertmanager(on_free_port(start))


def read_spec(folder: Path, receiver: model.Receiver) -> model.Spec:
    """The spec of these tests, with one receiver, its default."""
    path = folder / "observe.yaml"
    days = tuple(model.Weekday)
    another = days[(datetime.now(UTC).weekday() + 3) % 7]  # so far off that no midnight matters
    path.write_text(SPEC.replace("ANOTHER_DAY", another))
    spec = load_spec(path)
    notifications = spec.notifications
    assert notifications is not None
    receivers = MappingProxyType({Name("hook"): receiver})
    return replace(spec, notifications=replace(notifications, receivers=receivers))


def test_what_is_silenced_and_what_is_told(tmp_path: Path) -> None:
    with Receivers() as receivers:
        hook = model.Receiver(webhook=model.Webhook(url=Url(f"{receivers.url}/hook")))
        with running(read_spec(tmp_path, hook), tmp_path) as alertmanager:
            badly = FAILS | {"alertname": "RunsFailBadly", "severity": "critical"}
            page = burn("1h", "5m", agent="p")
            down = FAILS | {"alertname": "ProviderDown", "severity": "critical"}
            alertmanager.post(
                page | {"severity": "critical"},
                badly | {"agent": "a", "provider": "acme"},
                down | {"provider": "zenith"},
            )
            wait(lambda: len(receivers.alerts()) == 3)
            alertmanager.post(
                FAILS | {"agent": "a", "provider": "acme"},  # while the same fails badly
                FAILS | {"agent": "b", "provider": "acme"},
                FAILS | {"agent": "c", "provider": "zenith"},  # whose provider is down
                FAILS | {"agent": "d", "provider": "zenith", "environment": "staging"},
                burn("3d", "6h", agent="p"),  # whose objective's page fires
                burn("3d", "6h", agent="q"),
                {"alertname": "Muted", "severity": "info", "owner": "agents-team"},
                {"alertname": "Heard", "severity": "info", "owner": "night-team"},
            )
            told = {
                ("RunsErrorBudgetBurn1h", "p"),
                ("RunsErrorBudgetBurn3d", "q"),
                ("RunsFailBadly", "a"),
                ("ProviderDown", ""),
                ("RunsFail", "b"),
                ("RunsFail", "d"),
                ("Heard", ""),
            }
            wait(lambda: receivers.alerts() >= told)
            wait(lambda: alertmanager.states()["RunsFail", "c", "zenith"] == "suppressed")
            time.sleep(0.5)  # more than two rounds of every group, for what must not come
            assert receivers.alerts() == told
            states = alertmanager.states()
    suppressed = {key for key, state in states.items() if state == "suppressed"}
    assert suppressed == {
        ("RunsFail", "a", "acme"),
        ("RunsFail", "c", "zenith"),
        ("RunsErrorBudgetBurn3d", "p", ""),
    }
    assert set(states.values()) == {"suppressed", "active"}


def test_every_receiver_says_what_people_need(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    with Receivers() as receivers:
        secret.write_text("hunter2")  # a line end would break Opsgenie before 0.28.1
        slack = tmp_path / "slack"
        slack.write_text(f"{receivers.url}/slack")
        file = FilePath.parse(str(secret))
        receiver = model.Receiver(
            webhook=model.Webhook(url=Url(f"{receivers.url}/hook"), credentials_file=file),
            slack=model.Slack(channel="#agents", api_url_file=FilePath.parse(str(slack))),
            pagerduty=model.PagerDuty(routing_key_file=file, url=Url(f"{receivers.url}/pagerduty")),
            opsgenie=model.Opsgenie(api_key_file=file, api_url=Url(f"{receivers.url}/opsgenie/")),
        )
        spec = read_spec(tmp_path, receiver)
        assert spec.notifications is not None
        grouped = replace(spec.notifications, group_by=(), routes={}, group_wait=Duration(300))
        with running(replace(spec, notifications=grouped), tmp_path) as alertmanager:
            alertmanager.post(
                FAILS | {"agent": "<!channel> & co"},
                FAILS | {"agent": "b", "severity": "critical"},
                summary="5 % of the runs of <b> fail",
                description="More than 5 % & rising",
                runbook_url="https://runbooks.example/RunsFail",
            )
            wait(lambda: len({posted.path for posted in receivers.posted}) == 4)
            told = {posted.path: posted for posted in receivers.posted}
            base = alertmanager.url
    assert told["/hook"].authorization == "Bearer hunter2"
    (message,) = told["/slack"].body["attachments"]
    assert told["/slack"].body["channel"] == "#agents"
    assert message["title"] == "[FIRING:2] CRITICAL RunsFail in crawler (production)"
    assert message["title_link"] == "https://runbooks.example/RunsFail"
    assert message["color"] == "danger"
    query = "<http://prometheus:9090/graph?g0.expr=a%7Cb|Query>"
    head = "*5 % of the runs of &lt;b&gt; fail*\nMore than 5 % &amp; rising\n"
    links = f"<https://runbooks.example/RunsFail|Runbook> {query}"
    assert message["text"] == (
        f"{head}`agent=&lt;!channel&gt; &amp; co` `owner=agents-team` \n{links}\n\n"
        f"{head}`agent=b` `owner=agents-team` \n{links}\n\n"
    )
    event = told["/pagerduty"].body
    assert (event["routing_key"], event["event_action"]) == ("hunter2", "trigger")
    assert event["client_url"] == f"{base}/#/alerts?receiver=hook"
    payload = event["payload"]
    assert payload["summary"] == "RunsFail in crawler (production): 5 % of the runs of <b> fail"
    assert {key: payload[key] for key in ("severity", "class", "component", "group")} == {
        "severity": "critical",
        "class": "RunsFail",
        "component": "crawler",
        "group": "agents-team",
    }
    assert payload["custom_details"]["firing"].startswith(
        "5 % of the runs of <b> fail\nMore than 5 % & rising\n"
        "Runbook: https://runbooks.example/RunsFail\n"
    )
    assert [link["text"] for link in event["links"]] == ["Runbook", "Alertmanager"]
    (path,) = (path for path in told if path.startswith("/opsgenie"))
    assert told[path].authorization == "GenieKey hunter2"
    assert told[path].body["priority"] == "P1"
    assert told[path].body["message"] == payload["summary"]
