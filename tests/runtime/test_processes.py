"""Readings of single processes, from /proc and through psutil, and their limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from observed_processes import Table, agent, process

from autogpt_observe.runtime.cgroups import ControlGroups, OutsideError
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.processes import GoneError, Snapshot, process_table
from autogpt_observe.runtime.processes.portable import PsutilTable
from autogpt_observe.runtime.processes.procfs import Procfs

NOWHERE = Path("/nonexistent")
NAMES = st.binary(min_size=1, max_size=15).filter(lambda name: b"\0" not in name)


@example(b"a) R (b", "S", list(range(49)))
@given(NAMES, st.sampled_from("RSDZTtXxI"), st.lists(st.integers(0, 2**40), min_size=49))
def test_any_name_of_a_program_is_read(
    tmp_path_factory: pytest.TempPathFactory, name: bytes, state: str, numbers: list[int]
) -> None:
    root = tmp_path_factory.mktemp("proc")
    (root / "7").mkdir()
    rest = f"{state} {' '.join(map(str, numbers))}\n".encode()
    (root / "7" / "stat").write_bytes(b"7 (" + name + b") " + rest)
    seen = Procfs(str(root)).snapshot(7)
    ticks = os.sysconf("SC_CLK_TCK")
    assert seen == Snapshot(
        pid=7,
        born=numbers[18],
        name=name.decode("utf-8", "replace"),
        parent=numbers[0],
        has_ended=state in "ZXx",
        cpu_seconds=(numbers[10] + numbers[11]) / ticks,
        threads=numbers[16],
    )


@pytest.mark.parametrize("own", [True, False])
def test_both_tables_see_the_same(*, own: bool) -> None:
    with agent("a") as run:
        pid = None if own else run.pid
        ours, theirs = Procfs(), PsutilTable()
        one, other = ours.snapshot(pid), theirs.snapshot(pid)
        for field in ("pid", "name", "parent", "has_ended", "threads"):
            assert getattr(one, field) == getattr(other, field)
        assert one.cpu_seconds == pytest.approx(other.cpu_seconds, abs=0.5)
        assert ours.age(one) == pytest.approx(theirs.age(other), abs=5)
        assert ours.memory(pid) == pytest.approx(theirs.memory(pid), rel=0.1)
        assert ours.machine_memory() == theirs.machine_memory()
        assert ours.usable_cpus(pid) == theirs.usable_cpus(pid)
        assert ours.children(pid) == theirs.children(pid)
        if not own:  # psutil counts the descriptor of its own listing
            assert ours.open_files(pid) == theirs.open_files(pid)
            assert ours.command_line(run.pid) == theirs.command_line(run.pid)
        assert os.getpid() in ours.pids()
        assert os.getpid() in theirs.pids()
    for table in (ours, theirs):
        assert table.command_line(run.pid) == ""
        for ask in (table.snapshot, table.memory, table.open_files, table.children):
            with pytest.raises(GoneError):
                ask(run.pid)
        with pytest.raises(GoneError):
            table.usable_cpus(run.pid)


def test_files_of_this_process_are_counted_without_the_look_itself() -> None:
    before = process_table().open_files(None)
    with open(os.devnull, encoding="ascii"), open(os.devnull, encoding="ascii"):  # noqa: PTH123
        assert process_table().open_files(None) == before + 2


def test_files_where_the_kernel_does_not_count_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with agent("a") as run:
        counted = [process_table().open_files(pid) for pid in (None, run.pid)]
        with monkeypatch.context() as older:
            older.setattr(os, "stat", lambda _: os.stat_result((0,) * 10))
            listed = [process_table().open_files(pid) for pid in (None, run.pid)]
    assert listed == counted


def test_children_where_the_kernel_lists_them(tmp_path: Path) -> None:
    for thread, children in (("7", "8 9 "), ("12", ""), ("13", "10 ")):
        (tmp_path / "7" / "task" / thread).mkdir(parents=True)
        (tmp_path / "7" / "task" / thread / "children").write_text(children)
    assert Procfs(str(tmp_path)).children(7) == 3


def test_a_reader_does_not_take_a_later_process_for_its_own() -> None:
    table = Table(process(7, 100))
    reader = ProcessReader(table.snapshot(7), table=table)
    assert reader.memory() == 7
    table.processes[7] = process(7, 101)
    for read in (reader.cpu, reader.memory, reader.memory_limit, reader.threads):
        with pytest.raises(GoneError):
            read()
    for read in (reader.open_files, reader.children, reader.age):
        with pytest.raises(GoneError):
            read()


def test_a_forked_child_has_used_no_cpu_time_yet() -> None:
    now, used = 1000.0, 500.0
    reader = ProcessReader(clock=lambda: now, cpu_clock=lambda: used)
    assert reader.cpu() == 0
    now, used = 1010.0, 0.0
    reader.renew_locks()
    assert reader.cpu() == 0
    now, used = 1020.0, 1.0
    assert reader.cpu() > 0


def test_cpu_of_another_process_counts_from_its_start() -> None:
    now = 1000.0
    table = Table(process(7, 50)._replace(cpu_seconds=10))
    groups = ControlGroups(proc=NOWHERE, mount=NOWHERE)
    reader = ProcessReader(table.snapshot(7), table=table, groups=groups, clock=lambda: now)
    assert reader.cpu() == pytest.approx(10 / 50)
    now += 10
    table.processes[7] = table.processes[7]._replace(cpu_seconds=16)
    assert reader.cpu() == pytest.approx(6 / 10)


@pytest.mark.parametrize(
    ("own", "other", "files", "limits"),
    [
        pytest.param(
            "0::/a", "0::/b", {"cgroup.controllers": "", "b/memory.max": "5"}, [5], id="v2-of-its"
        ),
        pytest.param(
            "0::/", "0::/", {"cgroup.controllers": "", "memory.max": "5"}, [5], id="same-container"
        ),
        pytest.param(
            "0::/",
            "0::/../b",
            {"cgroup.controllers": "", "memory.max": "5", "../b/memory.max": "6"},
            None,
            id="sidecar",
        ),
        pytest.param(
            "0::/a", "0::/b", {"cgroup.controllers": "", "a/memory.max": "5"}, None, id="v2-outside"
        ),
        pytest.param(
            "4:memory:/docker/1",
            "4:memory:/docker/2",
            {"memory/memory.limit_in_bytes": "5"},
            None,
            id="v1-outside",
        ),
        pytest.param(
            "4:memory:/docker/1",
            "4:memory:/docker/1",
            {"memory/memory.limit_in_bytes": "5"},
            [5],
            id="v1-same-container",
        ),
        pytest.param(
            "0::/a\n4:memory:/a",
            "0::/b\n4:memory:/b",
            {"unified/b/x": "", "memory/b/memory.limit_in_bytes": "5"},
            [5],
            id="v2-not-mounted-here",
        ),
    ],
)
def test_limits_of_another_process(
    tmp_path: Path, own: str, other: str, files: dict[str, str], limits: list[int] | None
) -> None:
    for pid, text in (("self", own), ("7", other)):
        (tmp_path / "proc" / pid).mkdir(parents=True)
        (tmp_path / "proc" / pid / "cgroup").write_text(f"{text}\n")
    mount = tmp_path / "cgroup"
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(f"{text}\n")
    groups = ControlGroups(proc=tmp_path / "proc", mount=mount, pid=7)
    table = Table(process(7, 50)._replace(cpu_seconds=25))
    reader = ProcessReader(table.snapshot(7), table=table, groups=groups)
    if limits is None:
        with pytest.raises(OutsideError):
            reader.memory_limit()
    else:
        assert groups.memory_limits() == limits
    assert reader.cpu() == pytest.approx(25 / 50, rel=0.01)
