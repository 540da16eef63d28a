"""Children are real processes; each test proves by pid that none is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autogpt_observe.errors import ToolError
from autogpt_observe.proof.ports import on_free_port
from autogpt_observe.proof.process import Child, Children, EndedEarlyError
from autogpt_observe.proof.waiting import Interrupts, wait_for

PYTHON = (sys.executable, "-ISuc")
SLEEPER = "import time; print('ready'); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


def start(children: Children, script: str, *, name: str = "child", stdin: bool = False) -> Child:
    return children.start(name, (*PYTHON, script), environ=os.environ, stdin=stdin)


def await_line(child: Child) -> str:
    line = wait_for(child.first_line, within=20, interrupts=Interrupts())
    assert line is not None
    return line


def await_end(child: Child) -> EndedEarlyError:
    def ended() -> EndedEarlyError | None:
        try:
            child.check()
        except EndedEarlyError as exc:
            return exc
        return None

    error = wait_for(ended, within=20, interrupts=Interrupts())
    assert error is not None
    return error


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_gone(pid: int) -> None:
    assert wait_for(lambda: not is_running(pid) or None, within=20, interrupts=Interrupts())


def test_children_are_gone_after_the_block(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        pids = [start(children, SLEEPER, name=f"child-{n}").pid for n in range(3)]
        assert all(is_running(pid) for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_children_are_gone_after_an_exception(tmp_path: Path) -> None:
    pid = 0
    with pytest.raises(ZeroDivisionError), Children(tmp_path) as children:  # noqa: PT012 - the block is the subject
        pid = start(children, SLEEPER).pid
        raise ZeroDivisionError
    assert pid
    assert not psutil.pid_exists(pid)


def test_a_child_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autogpt_observe.proof.process.STOP_SECONDS", 0.3)
    with Children(tmp_path) as children:
        child = start(children, STUBBORN)
        assert await_line(child) == "ready"
    assert not psutil.pid_exists(child.pid)


def test_what_a_child_left_running_in_its_session_is_ended(tmp_path: Path) -> None:
    script = f"""
import subprocess, sys
inner = subprocess.Popen([sys.executable, "-ISuc", {STUBBORN!r}], stdout=subprocess.PIPE)
inner.stdout.readline()
print(inner.pid)
sys.exit(3)
"""
    with Children(tmp_path) as children:
        child = start(children, script)
        inner = int(await_line(child))
        await_end(child)
        await_gone(inner)


def test_a_child_leads_a_session_of_its_own(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = start(children, SLEEPER)
        assert await_line(child) == "ready"  # it is the program by now
        assert os.getsid(child.pid) == child.pid
        assert psutil.Process(child.pid).cmdline() == [*PYTHON, SLEEPER]


def test_an_early_end_carries_the_last_lines(tmp_path: Path) -> None:
    script = """
import sys
print("the port is 1")
for n in range(100): print(f"line {n}", file=sys.stderr)
sys.exit("no config")
"""
    with Children(tmp_path) as children:
        error = await_end(start(children, script, name="prometheus"))
    assert str(error) == (
        "prometheus ended with exit code 1 though it should run on; it last wrote:\n"
        "    the port is 1\n" + "".join(f"    line {n}\n" for n in range(89, 100)) + "    no config"
    )


def test_an_early_end_by_a_signal_is_named(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = start(children, SLEEPER.replace("print('ready');", ""))
        os.kill(child.pid, signal.SIGKILL)
        error = await_end(child)
    assert str(error) == ("child was ended by SIGKILL though it should run on and wrote nothing")


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "prometheus"
    program.write_text("", encoding="utf-8")
    with Children(tmp_path) as children:
        error = await_end(children.start("prometheus", [str(program)], environ=os.environ))
    assert str(error) == (
        "prometheus ended with exit code 1 though it should run on; it last wrote:\n"
        f"    can't run {program}: Permission denied"
    )


def test_a_child_reads_commands_until_its_input_ends(tmp_path: Path) -> None:
    script = "import sys; print('got', sys.stdin.readline(), end=''); sys.stdin.read()"
    with Children(tmp_path) as children:
        child = start(children, script, stdin=True)
        child.send("fault on")
        assert await_line(child) == "got fault on"
    assert not psutil.pid_exists(child.pid)


def test_a_command_to_a_child_that_ended_says_why(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = start(children, "import os; os.close(0); print('done'); os._exit(7)", stdin=True)
        assert await_line(child) == "done"
        await_gone(child.pid)
        with pytest.raises(EndedEarlyError) as caught:
            child.send("fault on")
    assert str(caught.value) == (
        "child ended with exit code 7 though it should run on; it last wrote:\n    done"
    )


PARENT = """
import os, sys, time
from pathlib import Path
from autogpt_observe.proof.process import Children
with Children(Path(sys.argv[1])) as children:
    child = children.start("child", sys.argv[2:], environ=os.environ)
    while child.first_line() is None:
        time.sleep(0.01)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_a_killed_parent_takes_its_children_with_it(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path), *PYTHON, STUBBORN]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    await_gone(pid)


def test_a_launcher_whose_parent_is_gone_runs_nothing(tmp_path: Path) -> None:
    launch = Path(sys.modules[Children.__module__].__file__ or "").with_name("launch.py")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    touched = tmp_path / "touched"
    done = subprocess.run(
        [sys.executable, "-IS", str(launch), str(ended.pid), "/usr/bin/touch", str(touched)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"the parent process {ended.pid} has ended\n")
    assert not touched.exists()


INTERRUPTED = """
import os, signal, sys, time
from autogpt_observe.proof.waiting import Interrupts, wait_for
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.{first})
        print("still here")
        try:
            wait_for(lambda: None, within=60, interrupts=interrupts)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            print("cleaned up")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_raised_by_the_wait_and_not_again(first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(first=first)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("still here\ncleaned up\ninterrupted\n", "")


def test_a_signal_after_the_last_wait_is_raised_at_the_end() -> None:
    before = signal.getsignal(signal.SIGTERM)
    passed = False
    with pytest.raises(KeyboardInterrupt), Interrupts():  # noqa: PT012 - the block is the subject
        os.kill(os.getpid(), signal.SIGTERM)
        passed = True
    assert passed
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            interrupts.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_wait_ends_with_the_first_value_or_with_its_time() -> None:
    values = iter([None, None, "third"])
    assert wait_for(lambda: next(values), within=20, interrupts=Interrupts()) == "third"
    asked: list[float] = []
    assert (
        wait_for(lambda: asked.append(time.monotonic()), within=0, interrupts=Interrupts()) is None
    )
    assert asked


def test_a_snatched_port_is_replaced_by_another(tmp_path: Path) -> None:
    """The program binds the port it is told; the first one is already taken by the time."""
    script = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
    tried: list[int] = []

    with Children(tmp_path) as children:

        def listen(port: int) -> str:
            tried.append(port)
            argv = (*PYTHON, f"{script} {SLEEPER}", str(port))
            if len(tried) == 1:
                start_thief(children, port)
            child = children.start("server", argv, environ=os.environ)

            def bound() -> str | None:
                child.check()
                return child.first_line()

            found = wait_for(bound, within=20, interrupts=Interrupts())
            assert found is not None
            return found

        assert on_free_port(listen) == "ready"
    assert len(set(tried)) == 2


def test_ports_that_are_always_snatched_are_an_error() -> None:
    def fail(port: int) -> None:
        raise EndedEarlyError("prometheus", 1, f"    listen {port}: bind: address already in use")

    with pytest.raises(ToolError) as caught:
        on_free_port(fail)
    assert str(caught.value).startswith("5 free ports were taken by others before use; last: ")


def test_any_other_early_end_is_not_tried_again() -> None:
    tried: list[int] = []

    def fail(port: int) -> None:
        tried.append(port)
        raise EndedEarlyError("prometheus", 1, "    no config")

    with pytest.raises(EndedEarlyError, match="no config"):
        on_free_port(fail)
    assert len(tried) == 1


def start_thief(children: Children, port: int) -> None:
    script = f"import socket; s = socket.create_server(('127.0.0.1', {port})); {SLEEPER}"
    assert await_line(start(children, script, name="thief")) == "ready"
