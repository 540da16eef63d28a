"""The scripts that make a fresh machine ready, on machines that lack one thing or another."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
BASICS = ("sh", "dirname", "uname", "env", "cp", "cat", "sed", "chmod", "mkdir", "rm")
MISSING = ".ci/tools: missing: prometheus promtool alertmanager amtool"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A `bin` with the barest programs; the checkout's scripts stand in `project` beside it."""
    shutil.copytree(ROOT / ".ci", tmp_path / "project" / ".ci")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASICS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    _program(folder / "id", "echo 1000")
    return folder


def test_tools_at_hand_cost_nothing(machine: Path) -> None:
    for name in TOOLS:
        _program(machine / name)
    assert _run(machine, "tools") == (0, "")


def test_tools_count_where_they_are_pointed_to(machine: Path) -> None:
    folder = machine.parent / "elsewhere"
    folder.mkdir()
    for name in TOOLS[1:]:
        _program(folder / name)
    _program(folder / "prometheus-3")
    environment = {
        "AUTOGPT_OBSERVE_TOOLS": str(folder),
        "AUTOGPT_OBSERVE_PROMETHEUS": str(folder / "prometheus-3"),
    }
    assert _run(machine, "tools", environment) == (0, "")


def test_tools_without_a_way_to_install_them(machine: Path) -> None:
    code, output = _run(machine, "tools")
    assert output.splitlines() == [
        MISSING,
        ".ci/tools: knows no way to install programs here (neither apt-get nor brew)",
        ".ci/tools: still missing: prometheus promtool alertmanager amtool",
        (
            ".ci/tools: get them from https://prometheus.io/download/ and put them on PATH, or name"
            " them in AUTOGPT_OBSERVE_PROMETHEUS, AUTOGPT_OBSERVE_PROMTOOL,"
            " AUTOGPT_OBSERVE_ALERTMANAGER and AUTOGPT_OBSERVE_AMTOOL"
        ),
        ".ci/tools: going on without: what needs them is skipped by name",
    ]
    assert code == 0


def test_tools_that_are_required(machine: Path) -> None:
    _program(machine / "amtool")
    code, output = _run(machine, "tools", {"AUTOGPT_OBSERVE_REQUIRE_TOOLS": "1"})
    assert output.splitlines()[0] == ".ci/tools: missing: prometheus promtool alertmanager"
    assert output.splitlines()[-1] == (
        ".ci/tools: AUTOGPT_OBSERVE_REQUIRE_TOOLS=1 makes that a failure"
    )
    assert code == 1


def test_tools_come_from_homebrew_on_macos(machine: Path) -> None:
    (machine / "uname").unlink()
    _program(machine / "uname", "echo Darwin")
    copies = [
        f'cp "$0" "{machine / name}"'
        for name in ("prometheus", "promtool", "alertmanager", "amtool")
    ]
    _program(machine / "brew", "; ".join([*copies, 'echo "$@"']))
    assert _run(machine, "tools") == (
        0,
        (
            f"{MISSING}\n"
            ".ci/tools: brew install prometheus alertmanager\n"
            "install prometheus alertmanager\n"
            ".ci/tools: all four tools are there now\n"
        ),
    )


def test_tools_are_unpacked_on_debian_without_root(machine: Path) -> None:
    _program(machine / "apt-get", "for name in $3 $4; do echo $name >$name.deb; done")
    # what the packages have: programs that read a file at a place that only root can fill
    copies = [f'cp "{machine / "ls"}" "$3/usr/bin/{name}"' for name in TOOLS]
    template = '"$3/usr/share/prometheus/alertmanager/default.tmpl"'
    folders = 'mkdir -p "$3/usr/bin" "$3/usr/share/prometheus/alertmanager"'
    _program(machine / "ls", "cat /usr/share/prometheus/alertmanager/default.tmpl; echo $*")
    _program(machine / "dpkg", "; ".join([folders, *copies, f"echo template >{template}"]))
    assert _run(machine, "tools") == (
        0,
        (
            f"{MISSING}\n"
            ".ci/tools: no root rights and no sudo without a password: unpacking prometheus"
            " prometheus-alertmanager into .tools/\n"
            ".ci/tools: all four tools are there now\n"
        ),
    )
    assert _run(machine, "tools") == (0, "")
    for name in ("prometheus", "prometheus-alertmanager"):
        program = machine.parent / "project" / ".tools" / "usr" / "bin" / name
        run = subprocess.run(
            [program, "a b", "c"], cwd="/", capture_output=True, text=True, check=True
        )
        assert run.stdout == "template\na b c\n"


def test_packages_need_root_or_sudo_without_a_password(machine: Path) -> None:
    _program(machine / "apt-get", "exit 9")
    assert _run(machine, "apt", {}, "prometheus") == (3, "")
    _program(machine / "sudo", "exit 1")
    assert _run(machine, "apt", {}, "prometheus") == (3, "")


def test_venv_without_a_python(machine: Path) -> None:
    _program(machine / "python3", "exit 1")
    assert _run(machine, "venv", {}, "somewhere") == (
        1,
        (
            ".ci/venv: found no Python 3.11 or later on PATH (tried python3.11 to python3.14,"
            " python3, python); install one, or name it: make PYTHON=/path/to/python3.12\n"
        ),
    )


def test_venv_with_an_old_python(machine: Path) -> None:
    _program(machine / "python2", "exit 1")
    assert _run(machine, "venv", {"PYTHON": "python2"}, "somewhere") == (
        1,
        ".ci/venv: PYTHON=python2 is no Python 3.11 or later; name another, or unset PYTHON\n",
    )


def test_make_lists_its_targets() -> None:
    outside = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    run = subprocess.run(
        ["make"], cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    )
    listed = [line.split()[1] for line in run.stdout.splitlines()]
    assert {"demo", "test", "lint", "types", "unit", "bundle", "bench", "clean"} <= set(listed)
    phony = (ROOT / "Makefile").read_text(encoding="utf-8").split(".PHONY: ")[1].splitlines()[0]
    assert sorted(listed) == sorted(phony.split())


def _program(path: Path, body: str = "exit 0") -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _run(
    machine: Path, script: str, environment: dict[str, str] | None = None, *arguments: str
) -> tuple[int, str]:
    """Exit code and output of a script whose PATH is ``machine``."""
    run = subprocess.run(
        [machine / "sh", f".ci/{script}", *arguments],
        cwd=machine.parent / "project",
        env={"PATH": str(machine), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return run.returncode, run.stdout
