"""`autogpt-observe exporter` as its users run it: a process that watches processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.output.tools import find_tool, install_hint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "-".join(("sk", "b" * 48))
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
COMMAND = (sys.executable, "-m", "autogpt_observe", "exporter")


@contextmanager
def agent(mark: str) -> Iterator[subprocess.Popen[str]]:
    """A program with ``mark`` and a secret among its arguments."""
    command = [sys.executable, "-c", SLEEP, mark, "--api-key", SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "up\n"
            yield run
        finally:
            run.kill()


@contextmanager
def exporter(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An exporter that serves, and its address."""
    with subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  # ignored below `nohup`
    ) as run:
        try:
            assert run.stdout is not None
            line = run.stdout.readline()
            served = re.fullmatch(r"serving (http://127\.0\.0\.1:\d+/metrics)\n", line)
            assert served is not None, line
            yield run, served[1]
        finally:
            run.kill()


def once(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def scrape(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310  # it is http
        text: str = response.read().decode()
        return text


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """A word that no command line has but those of this test."""
    return f"m{os.getpid()}-{request.node.name[:40].replace('[', '-').rstrip(']')}"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_agent_that_restarts(tmp_path: Path, mark: str, ending: signal.Signals) -> None:
    options = ("--match", f"w={mark}", "--port", "0")
    with exporter(tmp_path, *options) as (run, address):
        assert 'autogpt_process_up{process="w"} 0.0\n' in scrape(address)
        with agent(mark) as first:
            shown = scrape(address)
            assert 'autogpt_process_up{process="w"} 1.0\n' in shown
            assert re.search(r'^autogpt_memory_usage_bytes\{process="w"\} \d', shown, re.MULTILINE)
        with agent(mark) as second:
            assert 'autogpt_process_restarts_total{process="w"} 1.0\n' in scrape(address)
        shown = scrape(address)
        assert 'autogpt_process_up{process="w"} 0.0\n' in shown
        assert "autogpt_memory_usage_bytes" not in shown
        run.send_signal(ending)
        rest, told = run.communicate(timeout=60)
    assert (run.returncode, rest) == (130, "")
    assert told == (
        "w: no process matches yet\n"
        f"w: process {first.pid} runs\n"
        f"w: process {first.pid} is gone\n"
        f"w: process {second.pid} runs, restart 1\n"
        f"w: process {second.pid} is gone\n"
        "\nerror: interrupted\n"
    )


def test_the_secret_of_a_command_line_is_shown_nowhere(tmp_path: Path, mark: str) -> None:
    with agent(mark) as run:
        options = ("--match", f"{mark} --api-key", "--pid", f"p={run.pid}")
        printed = once(tmp_path, *options, "--once")
        with exporter(tmp_path, *options, "--port", "0") as (served, address):
            shown = scrape(address)
            served.terminate()
            rest, told = served.communicate(timeout=60)
    assert printed.returncode == 0
    assert 'autogpt_process_up{process="p"} 1.0\n' in printed.stdout
    everything = printed.stdout + printed.stderr + shown + rest + told
    assert [word for word in (SECRET, mark, "--api-key") if word in everything] == []


def test_promtool_finds_nothing_to_say_about_what_once_prints(tmp_path: Path, mark: str) -> None:
    promtool = find_tool("promtool", os.environ)
    if promtool is None:
        pytest.skip(f"promtool is missing; {install_hint('promtool')}")
    with agent(mark):
        printed = once(tmp_path, "--match", f"w={mark}", "--match", "gone=no such", "--once")
    assert (printed.returncode, printed.stderr) == (0, "")
    lint = subprocess.run(
        [str(promtool), "check", "metrics"],
        input=printed.stdout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")
    names = re.findall(r"^# TYPE (\w+) gauge$", printed.stdout, re.MULTILINE)
    assert names == [
        "autogpt_memory_usage_bytes",
        "autogpt_memory_limit_bytes",
        "autogpt_cpu_usage_ratio",
        "autogpt_process_threads",
        "autogpt_process_open_files",
        "autogpt_process_children",
        "autogpt_process_age_seconds",
        "autogpt_process_up",
    ]
    assert 'autogpt_process_up{process="gone"} 0.0\n' in printed.stdout


def test_the_spec_names_the_metrics_and_its_service_the_process(tmp_path: Path, mark: str) -> None:
    (tmp_path / "observe.yaml").write_text(
        "version: 1\n"
        "service: {name: crawler, owner: team}\n"
        "metrics: {lives: {type: gauge, from: process.threads, help: Threads}}\n",
        encoding="utf-8",
    )
    with agent(mark):
        printed = once(tmp_path, "--match", mark, "--once")
    assert (printed.returncode, printed.stdout, printed.stderr) == (
        0,
        '# HELP lives Threads\n# TYPE lives gauge\nlives{process="crawler"} 1.0\n',
        "",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            (),
            (
                "which processes? Give their numbers with `--pid PID`, or `--match REGEX` for those"
                " whose command lines match"
            ),
        ),
        (
            ("--match", "agent("),
            (
                "--match: 'agent(' is no regular expression: missing ), unterminated subpattern at"
                " character 6; put a backslash before characters that stand for themselves"
            ),
        ),
        (
            ("--pid", "2147483647"),
            (
                "--pid: there is no process 2147483647, or this user can't see it; `--match REGEX`"
                " waits for one"
            ),
        ),
        (
            ("--match", "x", "--port", "65536"),
            "port: got 65536, expected a port number from 0 to 65535, 0 taking a free one",
        ),
        (
            ("--match", "x", "--host", "203.0.113.7", "--port", "0"),
            "can't listen on 203.0.113.7:0: Cannot assign requested address",
        ),
        (
            ("--match", "x", "--once", "--port", "0"),
            "`--once` serves nothing; leave out --host and --port",
        ),
    ],
)
def test_usage_that_can_not_work(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    done = once(tmp_path, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"error: {message}"
