"""Processes observed from outside: real ones, and made-up ones where real ones can't be had."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from observed_processes import SECRET, SLEEP, Table, agent, process
from prometheus_client import generate_latest
from runtime_specs import attribute, metric, samples, spec

from autogpt_observe.errors import UsageError
from autogpt_observe.names import Name
from autogpt_observe.runtime.cgroups import ControlGroups
from autogpt_observe.runtime.exporter import OBSERVED, build_registry, parse_targets
from autogpt_observe.runtime.exporter.targets import MatchTarget, PidTarget
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.processes import GoneError
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from autogpt_observe.spec.model import Spec

SMALL = spec(
    attributes={"process": attribute(max_values=3)},
    memory_bytes=metric("gauge", "process.memory"),
    files=metric("gauge", "process.open_files"),
    up=metric("gauge", "process.up", "process"),
    restarts_total=metric("counter", "process.restarts", "process"),
)


def watching(
    *patterns: str, pids: tuple[str, ...] = (), observed: Spec = SMALL, once: bool = False
) -> CollectorRegistry:
    targets = parse_targets(pids, patterns, default="crawler")
    return build_registry(observed, targets, incidents=Incidents(strict=False), once=once)


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """A word that no command line has but those of this test."""
    return f"m{os.getpid()}-{request.node.name[:40].replace('[', '-').rstrip(']')}"


def test_metrics_of_a_running_process_are_what_psutil_says(mark: str) -> None:
    observed = spec(
        process_threads=metric("gauge", "process.threads"),
        process_open_files=metric("gauge", "process.open_files"),
        process_children=metric("gauge", "process.children"),
        process_up=metric("gauge", "process.up"),
        process_restarts_total=metric("counter", "process.restarts"),
        process_memory=metric("gauge", "process.memory"),
        process_memory_limit=metric("gauge", "process.memory_limit"),
        process_age=metric("gauge", "process.age"),
        process_cpu=metric("gauge", "process.cpu"),
    )
    assert {each.from_ for each in observed.metrics.values()} == OBSERVED
    code = (
        "import os, subprocess, sys, threading, time\n"
        "held = [open(os.devnull) for _ in range(20)]\n"
        "for _ in range(3): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "print('up', flush=True)\n"
        "sys.stdin.read(); child.kill(); child.wait()\n"
    )
    with agent(mark, code) as run:
        shown = samples(watching(f"w={mark}", observed=observed))
        other = psutil.Process(run.pid)
        expected = {
            "process_threads": other.num_threads(),
            "process_open_files": other.num_fds(),
            "process_children": len(other.children()),
            "process_up": 1,
            "process_restarts_total": 0,
        }
        assert {name: shown.pop(f"{name}{{process=w}}") for name in expected} == expected
        assert expected["process_threads"] == 4
        assert expected["process_children"] == 1
        assert expected["process_open_files"] >= 20
        memory = shown.pop("process_memory{process=w}")
        assert memory == pytest.approx(other.memory_info().rss, rel=0.05)
        limit = shown.pop("process_memory_limit{process=w}")
        assert limit == ProcessReader().memory_limit()  # it is in the control groups of its parent
        age = shown.pop("process_age{process=w}")
        assert age == pytest.approx(time.time() - other.create_time(), abs=5)
        cpu = shown.pop("process_cpu{process=w}")
        used = sum(other.cpu_times()[:2])
        cpus = len(os.sched_getaffinity(run.pid))
        quotas = ControlGroups().cpu_quotas()
        assert 0 <= cpu <= 1
        if age >= 1:  # a first share is that of the whole life, from a second on
            assert cpu == pytest.approx(used / (age * min([cpus, *quotas])), rel=0.5)
        assert shown == {}
        assert run.stdin is not None
        run.stdin.close()
        run.wait(60)


def test_a_process_that_ends_and_comes_back(mark: str) -> None:
    registry = watching(mark)
    gone = {"up{process=crawler}": 0, "restarts_total{process=crawler}": 0}
    assert samples(registry) == gone
    with agent(mark):
        assert samples(registry)["up{process=crawler}"] == 1
        assert samples(registry)["restarts_total{process=crawler}"] == 0
        assert samples(registry)["memory_bytes{process=crawler}"] > 1_000_000
    assert samples(registry) == gone
    for restarts in (1, 2):
        with agent(mark):
            for _ in range(2):
                shown = samples(registry, "up", "restarts")
                assert shown == {
                    "up{process=crawler}": 1,
                    "restarts_total{process=crawler}": restarts,
                }
    assert samples(registry)["up{process=crawler}"] == 0


def test_a_restart_between_two_scrapes_is_seen(mark: str) -> None:
    registry = watching(mark)
    with agent(mark):
        assert samples(registry)["up{process=crawler}"] == 1
    with agent(mark):
        shown = samples(registry)
    assert shown["up{process=crawler}"] == 1
    assert shown["restarts_total{process=crawler}"] == 1


def test_a_zombie_does_not_run(mark: str) -> None:
    with agent(mark) as run:
        by_pid = watching(pids=(f"p={run.pid}",))
        by_match = watching(f"m={mark}")
        assert samples(by_pid)["up{process=p}"] == samples(by_match)["up{process=m}"] == 1
        run.kill()
        zombie = psutil.Process(run.pid)
        while zombie.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert samples(by_pid) == {"up{process=p}": 0, "restarts_total{process=p}": 0}
        assert samples(by_match) == {"up{process=m}": 0, "restarts_total{process=m}": 0}
        with pytest.raises(UsageError):
            watching(pids=(str(run.pid),))
    assert samples(by_pid) == {"up{process=p}": 0, "restarts_total{process=p}": 0}


def test_several_processes_that_match_are_numbered_from_the_oldest(mark: str) -> None:
    with agent(mark) as first, agent(mark), agent(mark) as third:
        registry = watching(mark)
        ups = samples(registry, "up")
        assert ups == {f"up{{process={n}}}": 1 for n in ("crawler", "crawler#2", "crawler#3")}
        first.kill()
        first.wait(60)
        third.kill()
        third.wait(60)
        assert list(samples(registry, "up").values()) == [0, 1, 0]
        with agent(mark):
            shown = samples(registry, "up", "restarts")
    assert shown == {
        "up{process=crawler}": 1,
        "up{process=crawler#2}": 1,
        "up{process=crawler#3}": 0,
        "restarts_total{process=crawler}": 1,
        "restarts_total{process=crawler#2}": 0,
        "restarts_total{process=crawler#3}": 0,
    }


def test_more_processes_than_max_values_count_as_other(
    mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    with agent(mark), agent(mark), agent(mark), agent(mark) as late, agent(mark):
        registry = watching(mark)
        names = ("crawler", "crawler#2", "crawler#3", "other")
        assert samples(registry, "up") == {f"up{{process={name}}}": 1 for name in names}
        late.kill()
        late.wait(60)
        shown = samples(registry, "up", "autogpt_observe")
    assert shown["up{process=other}"] == 0  # one of the two is down
    assert shown["autogpt_observe_replaced_values_total{attribute=process}"] == 4
    assert [record.getMessage() for record in caplog.records] == [
        (
            "the value 'crawler#4' of the attribute `process` is one more than its `max_values`, 3;"
            " it counts as `other`"
        )
    ]


def test_forks_are_children_and_not_processes_of_the_target(mark: str) -> None:
    code = (
        "import os, sys, time\n"
        "if os.fork() == 0: sys.stdin.read(); os._exit(0)\n"
        "print('up', flush=True); sys.stdin.read(); os.wait()\n"
    )
    observed = spec(
        up=metric("gauge", "process.up", "process"), children=metric("gauge", "process.children")
    )
    with agent(mark, code) as run:
        lines = [p.cmdline() for p in psutil.process_iter() if p.pid and mark in p.cmdline()]
        assert len(lines) == 2
        assert samples(watching(mark, observed=observed)) == {
            "up{process=crawler}": 1,
            "children{process=crawler}": 1,
        }
        assert run.stdin is not None
        run.stdin.close()
        run.wait(60)


@pytest.mark.parametrize(
    "words",
    [
        ("autogpt-observe", "exporter", "--match"),
        ("/opt/x/bin/autogpt-observe", "exporter", "--match"),
        ("-m", "autogpt_observe", "exporter", "--match"),
        ("autogpt_observe/__main__.py", "exporter", "--match"),
        ("exec '/opt/x y/autogpt-observe' exporter --match",),
    ],
)
def test_exporters_are_never_matched(mark: str, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", SLEEP, *words, mark]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run, agent(mark):
        assert run.stdout is not None
        assert run.stdout.readline() == "up\n"
        shown = samples(watching(mark), "up")
        run.kill()
    assert shown == {"up{process=crawler}": 1}


WATCHING_ITSELF = """
import sys
sys.path[:0] = eval(sys.argv[1])
from runtime_specs import samples
from test_exporter import watching
print(samples(watching(sys.argv[2]), "up"))
"""


def test_this_process_is_never_matched(mark: str) -> None:
    command = [sys.executable, "-c", WATCHING_ITSELF, repr(sys.path), mark]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("{'up{process=crawler}': 0.0}\n", "")


def test_no_metric_holds_the_command_line(mark: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with agent(mark) as run:
        registry = watching(f"w={mark}.*sk-a+", pids=(f"p={run.pid}",), observed=load_spec())
        text = generate_latest(registry).decode()
    assert 'autogpt_process_up{process="w"} 1.0' in text
    told = text + caplog.text
    assert "process=" in told
    assert [word for word in (SECRET, mark, "--api-key") if word in told] == []


def made_up(table: Table, *pids: str, match: tuple[str, ...] = ()) -> CollectorRegistry:
    targets = parse_targets(pids, match, default="crawler")
    return build_registry(SMALL, targets, incidents=Incidents(strict=False), table=table)


def test_a_number_that_is_used_again() -> None:
    table = Table(process(7, 100))
    registry = made_up(table, "7")
    series = ("up{process=crawler}", "restarts_total{process=crawler}")

    def told() -> tuple[float, ...]:
        shown = samples(registry)
        return tuple(shown[name] for name in series)

    assert told() == (1, 0)
    table.processes[7] = process(7, 200)
    assert told() == told() == (1, 1)
    table.processes[7] = process(7, 300, "sshd")  # of another program: not the agent
    assert told() == (0, 1)
    table.processes[7] = process(7, 400)
    assert told() == (1, 2)
    del table.processes[7]
    assert told() == (0, 2)


def test_what_may_not_be_read_is_left_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(process(7, 100))
    table.denied = {"open_files"}
    registry = made_up(table, "7")
    errors = "autogpt_observe_internal_errors_total{place=process.open_files}"
    for _ in range(3):
        assert samples(registry) == {
            "memory_bytes{process=crawler}": 7,
            "up{process=crawler}": 1,
            "restarts_total{process=crawler}": 0,
            errors: 1,
        }
    (record,) = caplog.records
    told = record.getMessage().splitlines()[0]
    assert told == "error in process.open_files; it is logged once"
    table.denied = set()
    assert samples(registry)["files{process=crawler}"] == 7


def test_a_process_that_ends_while_it_is_read() -> None:
    class Ending(Table):
        def memory(self, _: int | None, /) -> float:
            raise GoneError

    assert samples(made_up(Ending(process(7, 100)), match=("agent",))) == {
        "up{process=crawler}": 0,
        "restarts_total{process=crawler}": 0,
    }


def test_once_leaves_out_restarts_and_takes_a_process_that_is_gone() -> None:
    with subprocess.Popen(["sleep", "600"]) as run:
        run.kill()
    assert samples(watching(pids=(str(run.pid),), once=True)) == {"up{process=crawler}": 0}


def test_pid_that_does_not_run() -> None:
    with subprocess.Popen(["sleep", "600"]) as run:
        run.kill()
    with pytest.raises(UsageError) as caught:
        watching(pids=(str(run.pid),))
    assert str(caught.value) == (
        f"--pid: there is no process {run.pid}, or this user can't see it; `--match REGEX` waits"
        " for one"
    )


def test_spec_without_metrics_of_processes() -> None:
    with pytest.raises(UsageError) as caught:
        watching("x", observed=spec(pages_total=metric("counter", "code")))
    assert str(caught.value) == (
        "the spec has no metric of a process, such as one `from: process.memory`; add `include:"
        " [autogpt]`, or declare some"
    )


def test_targets() -> None:
    assert parse_targets(["a=1", "2", "a=3"], ["b=--key=v"], default="s") == (
        PidTarget(name="a", pids=(1, 3)),
        PidTarget(name="s", pids=(2,)),
        MatchTarget(name="b", pattern=re.compile("--key=v")),
    )


@pytest.mark.parametrize("text", ["-Dc=d", "(?:c=d)", "--a=b", "9=c", "a b=c", "=c", "a.b=c"])
def test_regex_without_a_name(text: str) -> None:
    expected = MatchTarget(name="s", pattern=re.compile(text))
    assert parse_targets([], [text], default="s") == (expected,)


@pytest.mark.parametrize(
    ("pids", "patterns", "message"),
    [
        (
            (),
            (),
            (
                "which processes? Give their numbers with `--pid PID`, or `--match REGEX` for those"
                " whose command lines match"
            ),
        ),
        *(
            (
                (text,),
                (),
                (
                    f"--pid: got {text!r}, expected the number of a process such as `4711` or"
                    " `worker=4711`"
                ),
            )
            for text in ("", "x", "0", "-1", "1.5", "w=", "w=x", "9=1", "2147483648", "٣", "1" * 60)
        ),
        (
            ("7", "w=8", "x=7"),
            (),
            "--pid: process 7 is given twice; leave one of them out",
        ),
        (
            (),
            ("a", "b"),
            "--match: `s` is the name of two targets; name each of them: `--match NAME=REGEX`",
        ),
        (
            ("w=7",),
            ("w=b",),
            "--match: `w` is the name of two targets; name each of them: `--match NAME=REGEX`",
        ),
        ((), ("",), "--match: the regular expression is empty, so all would match"),
        ((), ("w=",), "--match: the regular expression is empty, so all would match"),
        (
            (),
            ("w=python (agent",),
            (
                "--match: 'python (agent' is no regular expression: missing ), unterminated"
                " subpattern at character 8; put a backslash before characters that stand for"
                " themselves"
            ),
        ),
        (
            (),
            ("a{99999999999}",),
            "--match: the regular expression is too large: the repetition number is too large",
        ),
    ],
)
def test_targets_that_are_refused(
    pids: tuple[str, ...], patterns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_targets(pids, patterns, default="s")
    assert str(caught.value) == message


@given(st.from_regex(Name.PATTERN, fullmatch=True), st.integers(1, 2**31 - 1))
def test_name_and_number_come_back(name: str, pid: int) -> None:
    assert parse_targets([f"{name}={pid}"], [], default="s") == (PidTarget(name=name, pids=(pid,)),)


@given(st.text())
def test_any_text_is_a_target_or_is_refused(text: str) -> None:
    for pids, patterns in (([text], []), ([], [text])):
        try:
            (target,) = parse_targets(pids, patterns, default="s")
        except UsageError as error:
            assert str(error).startswith(("--pid: ", "--match: "))  # noqa: PT017  # either may be
        else:
            assert target.name == "s" or text.startswith(f"{target.name}=")
