"""The demo as its users run it: the command, with signals at bad moments."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import psutil
import pytest
import requests

from autogpt_observe.errors import UsageError
from autogpt_observe.names import MetricName
from autogpt_observe.proof import play
from autogpt_observe.proof.demo import ALERT, Demo, run_demo
from autogpt_observe.proof.timing import Timing, derive_timing
from autogpt_observe.spec.load import load_spec
from autogpt_observe.spec.model import RatioCondition, Selection
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "DEMO_UNDER_TEST"
"""A variable that every process of one demo inherits, and none of another."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A running `autogpt-observe demo`."""

    process: subprocess.Popen[str]
    mark: str
    folder: Path

    def read_until(self, text: str) -> str:
        """What it prints, up to the line with ``text``; all of it for the empty text."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if text and text in line:
                break
        else:
            assert not text, "".join(lines)
        return "".join(lines)

    def finish(self) -> tuple[int, str, str]:
        """Exit code, the rest of its output, its errors."""
        output, errors = self.process.communicate()
        return self.process.returncode, output, errors

    def processes(self) -> list[psutil.Process]:
        """The processes of this demo that run now."""
        found = psutil.process_iter(["environ", "status"])
        return [
            process
            for process in found
            if (process.info["environ"] or {}).get(MARK) == self.mark
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def child(self, flag: str) -> psutil.Process:
        """The process started with an argument that contains ``flag``."""
        (found,) = (p for p in self.processes() if any(flag in word for word in p.cmdline()))
        return found

    def check_nothing_is_left(self) -> None:
        assert self.processes() == []
        assert list(self.folder.iterdir()) == []


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[Run]:
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "autogpt_observe", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env={**os.environ, MARK: mark, "TMPDIR": str(folder), "OTEL_SDK_DISABLED": "true"},
    )
    run = Run(process=process, mark=mark, folder=folder)
    with process:
        try:
            yield run
        finally:
            process.kill()  # does nothing to one that has ended
            for left in run.processes():
                left.kill()


@pytest.fixture
def folder(tmp_path: Path, servers: None) -> Iterator[Path]:
    """The temporary folder of the demo; SIGINT is not ignored, as it is below `nohup` and `&`."""
    del servers
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    yield temporary
    signal.signal(signal.SIGINT, before)


def parse_payloads(output: str) -> list[dict[str, object]]:
    decoder = json.JSONDecoder()
    starts = (found.start() for found in re.finditer(r"^\{", output, re.MULTILINE))
    return [decoder.raw_decode(output[start:])[0] for start in starts]


def test_the_alert_arrives_resolves_and_all_runs_on_until_ctrl_c(folder: Path) -> None:
    with demo(folder, "--keep") as run:
        output = run.read_until("all runs on until Ctrl-C")
        address = re.findall(r"look at (\S+)", output)[0]
        assert requests.get(address, timeout=20).status_code == 200
        run.process.send_signal(signal.SIGINT)
        assert run.finish() == (0, "all stopped\n", "")
        run.check_nothing_is_left()
    steps = re.findall(r"^ *[\d.]+s  (\d+)\. (\w+)", output, re.MULTILINE)
    assert [word for _, word in steps] == [
        *("start", "metrics", "fault", "HighErrorRate", "fault", "HighErrorRate", "proven", "all")
    ]
    states = re.findall(r"HighErrorRate is (\w+)", output)
    assert [state for n, state in enumerate(states) if state not in states[n - 1 : n]][-3:] == [
        *("pending", "firing", "inactive")
    ]
    assert re.search(r"autogpt_requests_total +[1-9]\d*\.\d per second$", output, re.MULTILINE)
    assert re.search(r"autogpt_errors_total +0\.0 per second$", output, re.MULTILINE)
    assert re.search(r"autogpt_memory_usage_bytes +[1-9]\d*\.\d MB$", output, re.MULTILINE)
    firing, resolved = parse_payloads(output)
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    match firing["alerts"]:
        case [{"labels": labels, "annotations": annotations}]:
            assert labels["alertname"] == "HighErrorRate"
            assert labels["severity"] == "warning"
            assert annotations["summary"] == "High error rate detected"
            rate = re.fullmatch(r"Error rate is (\S+) per second", annotations["description"])
            assert rate is not None
            assert float(rate[1]) > 0.1
        case other:
            pytest.fail(f"not one alert: {other}")


def test_without_a_fault_there_is_no_alert_and_no_success(folder: Path) -> None:
    with demo(folder, "--no-fault") as run:
        code, output, errors = run.finish()
        run.check_nothing_is_left()
    assert (code, errors) == (1, "")
    *_, last, closing = output.splitlines()
    assert last.endswith("4. not proven: no alert arrived; HighErrorRate needs a fault")
    assert closing == "all stopped"
    assert parse_payloads(output) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("1. start", signal.SIGINT),
        ("agent ", signal.SIGHUP),
        ("prometheus ", signal.SIGINT),
        ("prometheus ", signal.SIGTERM),
        ("HighErrorRate is pending", signal.SIGINT),
    ],
)
def test_a_signal_at_any_moment_leaves_nothing(
    folder: Path, moment: str, number: signal.Signals
) -> None:
    with demo(folder) as run:
        run.read_until(moment)
        run.process.send_signal(number)
        code, _, errors = run.finish()
        run.check_nothing_is_left()
    assert (code, errors.strip()) == (130, "error: interrupted")


def test_signals_during_the_clean_up_leave_nothing(folder: Path) -> None:
    with demo(folder) as run:
        run.read_until("prometheus ")
        agent = run.child("autogpt_observe.proof.agent")
        run.child("--storage.tsdb.path").suspend()  # it can't end by itself: the clean-up is long
        run.process.send_signal(signal.SIGINT)
        while agent in run.processes():
            time.sleep(0.02)
        assert run.process.poll() is None
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGTERM)
        code, _, errors = run.finish()
        run.check_nothing_is_left()
    assert (code, errors.strip()) == (130, "error: interrupted")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_a_killed_demo_takes_its_children_with_it(folder: Path) -> None:
    with demo(folder) as run:
        run.read_until("prometheus ")
        processes = run.processes()
        assert len(processes) == 4
        run.process.kill()
        run.finish()
        gone, alive = psutil.wait_procs(processes, timeout=60)
        assert (len(gone), alive) == (4, [])


def test_an_agent_whose_parent_is_gone_ends(folder: Path) -> None:
    """Where the kernel does not kill it, the end of its standard input tells it."""
    with subprocess.Popen(
        [sys.executable, "-m", "autogpt_observe.proof.agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
    ) as agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        assert int(agent.stdout.readline()) > 0
        assert agent.poll() is None
        agent.stdin.close()
        assert agent.wait(timeout=60) == 0


def test_a_server_that_dies_ends_the_demo_with_its_name(folder: Path) -> None:
    with demo(folder) as run:
        run.read_until("prometheus ")
        run.child("--storage.tsdb.path").kill()
        code, _, errors = run.finish()
        run.check_nothing_is_left()
    assert (code, errors) == (
        2,
        "error: prometheus was ended by SIGKILL though it should run on and wrote nothing\n",
    )


def test_a_reader_that_goes_away_leaves_nothing(folder: Path) -> None:
    with demo(folder) as run:
        run.read_until("1. start")
        assert run.process.stdout is not None
        run.process.stdout.close()
        run.process.wait()
        run.check_nothing_is_left()


def test_an_alert_that_does_not_come_is_told_with_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: None
) -> None:
    del servers
    monkeypatch.setattr(play, "MARGIN_SECONDS", 3.0)
    path = tmp_path / "observe.yaml"
    path.write_text(
        """
version: 1
include: [autogpt]
service: {name: quiet, owner: team}
notifications:
  receivers: {team: {webhook: {url: 'http://example.invalid/'}}}
  default: team
alerts:
  HighErrorRate:
    when: {expr: 'rate(autogpt_errors_total[5m]) > 1000'}
    tests: {none: {series: {autogpt_errors_total: '0x20'}, at: {5m: silent}}}
""",
        encoding="utf-8",
    )
    lines: list[str] = []
    demo = Demo(spec=load_spec(path), spec_path=path, time_scale=Fraction(1, 300))
    assert run_demo(demo, environ=os.environ, out=lines.append) == 1
    report = "\n".join(lines)
    assert re.search(
        r"\d+\. not proven: HighErrorRate firing did not arrive in 4\.\d s: it is inactive\n"
        r"the programs last wrote:\n  agent:\n    \d+\n  alertmanager:\n",
        report,
    )
    assert lines[-1] == "all stopped"
    assert psutil.Process().children() == []


def test_a_spec_without_the_alert_has_nothing_to_show() -> None:
    spec = replace(load_spec(), alerts={})
    with pytest.raises(UsageError) as caught:
        run_demo(Demo(spec=spec), environ={}, out=pytest.fail)
    assert str(caught.value) == (
        "the demo shows the alert `HighErrorRate`, which this spec does not declare;"
        " `include: [autogpt]` declares it"
    )


def test_a_spec_without_receivers_has_nothing_to_show() -> None:
    spec = replace(load_spec(), notifications=None)
    with pytest.raises(UsageError) as caught:
        run_demo(Demo(spec=spec), environ={}, out=pytest.fail)
    assert str(caught.value) == (
        "the demo shows an alert's way to a receiver, and this spec has none;"
        " add `notifications` with a receiver"
    )


def test_the_time_an_alert_needs_follows_from_its_rule() -> None:
    spec = load_spec()
    assert spec.notifications is not None
    alert = spec.alerts[ALERT]
    # 5m window + 2m for + 30s group_wait + two rounds of 15s + 15s; 5m window + 5m group_interval
    derived = derive_timing(alert, spec.prometheus, spec.notifications)
    assert derived == Timing(reach=510, fade=660)
    ratio = RatioCondition(
        bad=Selection(metric=MetricName("a_total")),
        total=Selection(metric=MetricName("b_total")),
        window=Duration.parse("10m"),
        above=Ratio.parse("20%"),
    )
    typed = replace(alert, when=ratio, keep_firing_for=Duration.parse("1m"))
    derived = derive_timing(typed, spec.prometheus, spec.notifications)
    assert derived == Timing(reach=810, fade=1020)
