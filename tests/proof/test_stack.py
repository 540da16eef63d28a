"""A stack of real servers on hand-written files, around a program of ten lines."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest
import requests

from autogpt_observe.errors import ToolError
from autogpt_observe.proof import ports, stack
from autogpt_observe.proof.api import ActiveAlert, NoAnswerError, PrometheusApi
from autogpt_observe.proof.stack import Blueprint, Endpoints, run_stack
from autogpt_observe.proof.waiting import Interrupts
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")

PROGRAM = """
import sys, wsgiref.simple_server
class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answer 42\\n"]
server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


def render(endpoints: Endpoints) -> Mapping[str, str]:
    return {
        "rules/prometheus.yml": f"""
global: {{scrape_interval: 200ms, evaluation_interval: 200ms}}
rule_files: [alerts.rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{endpoints.alertmanager}']}}]}}]}}
scrape_configs: [{{job_name: program, static_configs: [{{targets: ['{endpoints.program}']}}]}}]
""",
        "rules/alerts.rules.yml": """
groups: [{name: program, rules: [{alert: Answered, expr: answer == 42}]}]
""",
        "rules/alertmanager.yml": f"""
route: {{receiver: hook, group_wait: 0s, group_interval: 200ms}}
receivers: [{{name: hook, webhook_configs: [{{url: '{endpoints.webhook}'}}]}}]
""",
    }


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: None) -> Path:
    del servers
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def blueprint() -> Blueprint:
    return Blueprint(
        name="program",
        argv=[sys.executable, "-c", PROGRAM],
        program_environ=os.environ,
        render=render,
        resend_delay=Duration(200),
        environ=os.environ,
    )


def check_nothing_is_left(folder: Path) -> None:
    assert psutil.Process().children() == []
    assert list(folder.iterdir()) == []


def fail_to_start(blueprint: Blueprint) -> ToolError:
    with (
        pytest.raises(ToolError) as caught,
        Interrupts() as interrupts,
        run_stack(blueprint, interrupts=interrupts),
    ):
        pytest.fail("the stack runs")
    return caught.value


@pytest.fixture
def snatched_ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that were tried; the first one for each server is taken just before it starts."""
    tried: list[int] = []

    def on_snatched_port(start: Callable[[int], T]) -> T:
        def snatch_first(port: int) -> T:
            tried.append(port)
            with socket.socket() as thief:
                if len(tried) % 2:
                    thief.bind(("127.0.0.1", port))
                return start(port)

        return ports.on_free_port(snatch_first)

    monkeypatch.setattr(stack, "on_free_port", on_snatched_port)
    return tried


def test_an_alert_reaches_the_receiver_though_ports_are_snatched(
    blueprint: Blueprint, tmp_path: Path, snatched_ports: list[int]
) -> None:
    found: dict[str, str] = {}
    with (
        Interrupts() as interrupts,
        run_stack(blueprint, interrupts=interrupts, started=found.__setitem__) as running,
    ):
        delivery = running.wait_for(
            lambda: running.webhook.find("Answered", status="firing"), within=20
        )
        assert delivery is not None
        assert len(set(snatched_ports)) == 4
        assert running.prometheus.value("sum(answer)") == 42
        assert running.prometheus.value("absent(answer)") is None
        assert ActiveAlert(name="Answered", state="firing", value=42) in running.prometheus.alerts()
        with pytest.raises(NoAnswerError, match=r"answered 400: .*parse error"):
            running.prometheus.value("rate(")
        assert list(found) == ["program", "alertmanager", "prometheus"]
        pages = [requests.get(url, timeout=20) for url in found.values()]
        assert [page.status_code for page in pages] == [200, 200, 200]
        assert f'"generatorURL": "{found["prometheus"]}/' in delivery.text
    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "code"),
    [("alertmanager", "rules/alertmanager.yml", 1), ("prometheus", "rules/prometheus.yml", 2)],
)
def test_a_server_that_refuses_its_files_says_why(
    blueprint: Blueprint, tmp_path: Path, name: str, file: str, code: int
) -> None:
    broken = replace(blueprint, render=lambda at: {**render(at), file: "nonsense: 1\n"})
    error = fail_to_start(broken)
    first, *wrote = str(error).splitlines()
    assert first == f"{name} ended with exit code {code} though it should run on; it last wrote:"
    assert any("field nonsense not found" in line for line in wrote)
    check_nothing_is_left(tmp_path)


def test_a_program_that_says_no_port_is_refused(blueprint: Blueprint, tmp_path: Path) -> None:
    chatty = replace(blueprint, argv=[sys.executable, "-uc", "print('Hello'); input()"])
    error = fail_to_start(chatty)
    assert str(error) == "program printed 'Hello' first, not the port of its /metrics"
    check_nothing_is_left(tmp_path)


def test_a_program_that_says_nothing_is_given_up(
    blueprint: Blueprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "START_SECONDS", 0.5)
    mute = replace(blueprint, argv=[sys.executable, "-c", "input()"])
    error = fail_to_start(mute)
    assert str(error) == (
        "program did not print its port in 0 s; the programs last wrote:\n  program:\n    nothing"
    )
    check_nothing_is_left(tmp_path)


def test_a_program_that_cannot_be_scraped_is_reported(
    blueprint: Blueprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = PROGRAM.replace("200 OK", "500 Out of order")
    monkeypatch.setattr(stack, "START_SECONDS", 7.0)
    failing = replace(blueprint, argv=[sys.executable, "-c", silent])
    error = fail_to_start(failing)
    assert "in 7 s: it is down server returned HTTP status 500 Out of order" in str(error)
    check_nothing_is_left(tmp_path)


def test_a_missing_server_is_named_before_anything_starts(
    blueprint: Blueprint, tmp_path: Path
) -> None:
    bare = replace(blueprint, environ={"PATH": str(tmp_path)}, argv=["/nonexistent"])
    error = fail_to_start(bare)
    assert str(error).startswith("alertmanager is not installed; ")
    check_nothing_is_left(tmp_path)


def test_nobody_answering_is_no_answer() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        api = PrometheusApi(f"http://127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(NoAnswerError, match="can't be read"):
            api.targets()
