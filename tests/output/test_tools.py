from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from autogpt_observe.errors import ToolError
from autogpt_observe.output.tools import TOOLS, Finished, find_tool, install_hint, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEBIAN = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager"


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_setting_comes_before_the_folder_and_the_folder_before_path(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin/promtool")
    in_folder = program(tmp_path / "tools/usr/bin/promtool")
    named = program(tmp_path / "mine")
    environ = {"PATH": str(on_path.parent)}
    assert find_tool("promtool", environ) == on_path
    environ["AUTOGPT_OBSERVE_TOOLS"] = str(tmp_path / "tools")
    assert find_tool("promtool", environ) == in_folder
    environ["AUTOGPT_OBSERVE_TOOLS"] = str(in_folder.parent)
    assert find_tool("promtool", environ) == in_folder
    environ["AUTOGPT_OBSERVE_PROMTOOL"] = str(named)
    assert find_tool("promtool", environ) == named


def test_a_folder_that_is_not_there_is_passed_over(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin/amtool")
    absent = str(tmp_path / "absent")
    environ = {"PATH": str(on_path.parent), "AUTOGPT_OBSERVE_TOOLS": absent}
    assert find_tool("amtool", environ | {"AUTOGPT_OBSERVE_AMTOOL": ""}) == on_path


def test_debian_calls_alertmanager_by_another_name(tmp_path: Path) -> None:
    debian = program(tmp_path / "prometheus-alertmanager")
    assert find_tool("alertmanager", {"PATH": str(tmp_path)}) == debian
    usual = program(tmp_path / "alertmanager")
    assert find_tool("alertmanager", {"PATH": str(tmp_path)}) == usual


@pytest.mark.parametrize("environ", [{}, {"PATH": ""}, {"PATH": "/nowhere"}])
def test_a_tool_that_is_nowhere_is_none(environ: dict[str, str]) -> None:
    assert [find_tool(name, environ) for name in TOOLS] == [None] * 4


def test_a_setting_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program\n")
    for chosen in (tmp_path / "absent", tmp_path, plain):
        with pytest.raises(ToolError) as caught:
            find_tool("amtool", {"AUTOGPT_OBSERVE_AMTOOL": str(chosen), "PATH": "/usr/bin"})
        assert str(caught.value) == (
            f"AUTOGPT_OBSERVE_AMTOOL={chosen}: expected the path of a program; correct it or"
            " unset it, then amtool is looked for on PATH"
        )


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_the_hint_is_for_the_platform(name: str) -> None:
    assert install_hint(name, platform="linux") == f"install it with `{DEBIAN}`"
    brew = "install it with `brew install prometheus alertmanager`"
    assert install_hint(name, platform="darwin") == brew
    assert install_hint(name, platform="freebsd14") == (
        "get it from https://prometheus.io/download/ and put it on PATH"
    )


def test_both_outputs_and_the_exit_code_come_back(tmp_path: Path) -> None:
    tool = program(tmp_path / "tool", 'echo "$1"; pwd; printf "\\377" >&2; cat; exit 3')
    done = run_tool(tool, ["an argument"], cwd=tmp_path, timeout=60)
    assert done == Finished(3, f"an argument\n{tmp_path}\n\ufffd")


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    broken = program(tmp_path / "tool")
    broken.write_text("#!/no/such/interpreter\n")
    with pytest.raises(ToolError) as caught:
        run_tool(broken, [], cwd=tmp_path, timeout=60)
    assert str(caught.value) == f"can't run {broken}: No such file or directory"


def slow_program(tmp_path: Path) -> tuple[Path, Path]:
    """A program that writes its pid and its child's to a file and never ends."""
    pids = tmp_path / "pids"
    script = f'sleep 1000 & echo "$$ $!" >{tmp_path}/half; mv {tmp_path}/half {pids}; sleep 1000'
    return program(tmp_path / "tool", script), pids


def assert_gone(pids: Path) -> None:
    numbers = [int(pid) for pid in pids.read_text().split()]
    assert len(numbers) == 2
    for number in numbers:
        gone_within_a_minute(number)


def gone_within_a_minute(number: int) -> None:
    for _ in range(6000):
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.01)
    pytest.fail(f"process {number} is still there")


def test_a_program_that_takes_too_long_goes_with_its_children(tmp_path: Path) -> None:
    tool, pids = slow_program(tmp_path)
    for seconds in (0.5, 5.5, 50.5):  # on a busy machine it may not even have started in time
        with pytest.raises(ToolError) as caught:
            run_tool(tool, ["check", "rules", "a.yml"], cwd=tmp_path, timeout=seconds)
        assert str(caught.value) == f"tool check rules: did not end within {seconds} s"
        if pids.exists():
            break
    assert_gone(pids)


@pytest.fixture
def ctrl_c_heeded() -> Iterator[None]:
    """Ctrl-C as in a terminal; a shell's background jobs start with it ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("ctrl_c_heeded")
def test_ctrl_c_leaves_no_child_behind(tmp_path: Path) -> None:
    tool, pids = slow_program(tmp_path)

    def press_when_it_runs() -> None:
        while not pids.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press_when_it_runs, daemon=True)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run_tool(tool, [], cwd=tmp_path, timeout=60)
    presser.join()
    assert_gone(pids)
