from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bundles import MANIFEST, STAGE, artifacts, generate, planned, put, run_killed, state, tree

from autogpt_observe.errors import OutputError
from autogpt_observe.output.apply import Recovery, apply_plan, recover
from autogpt_observe.output.plan import plan_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLE = {"rules/a.yml": "a\n", "grafana/deep/b.json": "{}\n"}


@pytest.fixture(params=[0o002, 0o027])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    mask: int = request.param
    previous = os.umask(mask)
    yield mask
    os.umask(previous)


def test_a_bundle_is_written_into_folders_that_are_not_there_yet(tmp_path: Path) -> None:
    root = tmp_path / "new" / "out"
    applied = generate(root, BUNDLE)
    assert applied.written == ("grafana/deep/b.json", "rules/a.yml")
    assert tree(root) == BUNDLE
    assert not (root / STAGE).exists()


def test_files_get_0644_under_the_umask_and_exact_bytes(tmp_path: Path, umask: int) -> None:
    generate(tmp_path, {"a": "\u00fc\r\n"})
    assert (tmp_path / "a").read_bytes() == b"\xc3\xbc\r\n"
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", MANIFEST)]
    assert modes == [0o644 & ~umask] * 2


def test_the_same_bundle_in_two_folders_is_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "one", {"x": "old\n", **BUNDLE})
    generate(tmp_path / "one", BUNDLE)
    generate(tmp_path / "two", dict(reversed(BUNDLE.items())))
    assert state(tmp_path / "one") == state(tmp_path / "two")


def test_an_up_to_date_bundle_is_not_written_again(tmp_path: Path) -> None:
    generate(tmp_path, BUNDLE)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert generate(tmp_path, BUNDLE).written == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_folders_that_became_empty_go_and_others_stay(tmp_path: Path) -> None:
    generate(tmp_path, {"a/b/c": "x\n", "d/e": "x\n"})
    put(tmp_path, {"d/mine": "mine\n"})
    generate(tmp_path, {})
    assert tree(tmp_path) == {"d/mine": "mine\n"}
    assert not (tmp_path / "a").exists()


def test_the_only_file_of_a_folder_is_replaced_by_another(tmp_path: Path) -> None:
    generate(tmp_path, {"rules/old": "x\n"})
    generate(tmp_path, {"rules/new": "x\n"})
    assert tree(tmp_path) == {"rules/new": "x\n"}


def test_a_file_becomes_a_folder_and_back(tmp_path: Path) -> None:
    generate(tmp_path, {"x": "file\n"})
    generate(tmp_path, {"x/y/z": "deep\n"})
    assert tree(tmp_path) == {"x/y/z": "deep\n"}
    generate(tmp_path, {"x": "file\n"})
    assert tree(tmp_path) == {"x": "file\n"}


def test_a_folder_with_a_file_of_the_user_does_not_become_a_file(tmp_path: Path) -> None:
    generate(tmp_path, {"x/y": "deep\n"})
    put(tmp_path, {"x/mine": "mine\n"})
    with pytest.raises(OutputError, match="`x` is a folder where the bundle needs a file"):
        generate(tmp_path, {"x": "file\n"})
    assert tree(tmp_path) == {"x/y": "deep\n", "x/mine": "mine\n"}


def test_a_file_changed_after_the_plan_is_not_overwritten(tmp_path: Path) -> None:
    plan = plan_bundle(tmp_path, artifacts(BUNDLE))
    put(tmp_path, {"rules/a.yml": "mine\n"})
    with pytest.raises(OutputError) as caught:
        apply_plan(plan)
    place = tmp_path / "rules/a.yml"
    assert str(caught.value) == f"{place}: was changed since the plan was made; run again"
    assert tree(tmp_path) == {"rules/a.yml": "mine\n"}


def test_a_file_changed_during_the_moves_stops_them(tmp_path: Path) -> None:
    def meddle(doing: str, /) -> None:
        if doing == "commit":
            put(tmp_path, {"rules/a.yml": "mine\n"})

    with pytest.raises(OutputError) as caught:
        apply_plan(plan_bundle(tmp_path, artifacts(BUNDLE)), step=meddle)
    assert str(caught.value) == (
        f"{tmp_path / 'rules/a.yml'}: was changed by something else while it was being written;"
        " move it away and run again"
    )
    assert tree(tmp_path) == {"rules/a.yml": "mine\n"}
    assert not (tmp_path / STAGE).exists()


def test_a_rollback_leaves_a_file_of_the_user_that_has_our_bytes(tmp_path: Path) -> None:
    def meddle_and_fail(doing: str, /) -> None:
        if doing == "place rules/a.yml":
            put(tmp_path, {"rules/a.yml": BUNDLE["rules/a.yml"]})
            raise OutputError("planted")

    with pytest.raises(OutputError, match="planted"):
        apply_plan(plan_bundle(tmp_path, artifacts(BUNDLE)), step=meddle_and_fail)
    assert tree(tmp_path) == {"rules/a.yml": BUNDLE["rules/a.yml"]}
    assert not (tmp_path / STAGE).exists()


def test_a_rollback_that_is_stuck_is_told_and_finished_later(tmp_path: Path) -> None:
    generate(tmp_path, BUNDLE)
    old, place = state(tmp_path), tmp_path / "rules/a.yml"

    def obstruct(doing: str, /) -> None:
        if doing == "place rules/a.yml":
            place.unlink()
            place.mkdir()

    new = {"rules/a.yml": "new\n", "other": "new\n"}
    with pytest.raises(OutputError) as caught:
        apply_plan(plan_bundle(tmp_path, artifacts(new)), step=obstruct)
    assert str(caught.value) == (
        f"can't write {place}: Is a directory; then what was there before could not be put back:"
        f" {place}: was changed by something else while it was being written; move it away and"
        " run again; mend that and run again to finish it"
    )
    with pytest.raises(OutputError, match="an earlier run was interrupted"):
        apply_plan(plan_bundle(tmp_path, artifacts(new)))
    place.rmdir()
    assert recover(tmp_path) is Recovery.UNDONE
    assert state(tmp_path) == old


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    generate(tmp_path, BUNDLE)
    messages: list[str] = []

    def second_run(doing: str, /) -> None:
        if doing in ("commit", "finish"):
            for run in (lambda: recover(tmp_path), lambda: apply_plan(plan)):
                with pytest.raises(OutputError) as caught:
                    run()
                messages.append(str(caught.value))

    plan = plan_bundle(tmp_path, artifacts({"a": "new\n"}))
    apply_plan(plan, step=second_run)
    refused = f"{tmp_path}: another run is writing here; wait until it is done, then run again"
    assert messages == [refused] * 4
    assert tree(tmp_path) == {"a": "new\n"}


def test_the_lock_of_another_process_is_seen_and_ends_with_it(tmp_path: Path) -> None:
    hold = "import fcntl, os, sys; h = os.open(sys.argv[1], 0); fcntl.flock(h, 2); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(OutputError, match="another run is writing here"):
            generate(tmp_path, BUNDLE)
        other.kill()
    generate(tmp_path, BUNDLE)
    assert tree(tmp_path) == BUNDLE


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    root = tmp_path / "out"
    files = {"a": "x\n", "b": "x" * 10_000}
    [end] = run_killed([{"root": str(root), "files": files, "largest": 5000}])
    assert end == f"can't write {root / 'b'}: File too large"
    assert not root.exists()
    generate(root, BUNDLE)
    old = state(root)
    [end] = run_killed([{"root": str(root), "files": files, "largest": 5000}])
    assert end == f"can't write {root / 'b'}: File too large"
    assert state(root) == old


@pytest.fixture(name="shut_folder")
def make_shut_folder() -> Iterator[Path]:
    """A folder that everybody may read and nobody write (but root, so the test gives that up)."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o555)
        yield Path(folder)


def test_a_folder_without_permission_is_named(shut_folder: Path) -> None:
    jobs = [
        {"root": str(root), "files": BUNDLE, "unprivileged": True}
        for root in (shut_folder, shut_folder / "new" / "out")
    ]
    assert run_killed(jobs) == [
        f"can't write {shut_folder / STAGE}: Permission denied",
        f"can't write {shut_folder / 'new' / 'out'}: Permission denied",
    ]
    assert tree(shut_folder) == {}


def test_a_file_system_without_hard_links_rolls_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    doings: list[str] = []

    def fail(doing: str, /) -> None:
        doings.append(doing)
        if doings.count("finish") == 1 and doing == "finish":
            raise OutputError("planted")

    generate(tmp_path, BUNDLE)
    (tmp_path / "rules/a.yml").chmod(0o600)
    old = state(tmp_path)
    monkeypatch.setattr(os, "link", no_links)
    new = artifacts({"rules/a.yml": "new\n"})
    with pytest.raises(OutputError, match="planted"):
        apply_plan(plan_bundle(tmp_path, new), step=fail)
    assert state(tmp_path) == old


def test_another_thread_than_the_main_one_can_write(tmp_path: Path) -> None:
    thread = threading.Thread(target=generate, args=(tmp_path, BUNDLE))
    thread.start()
    thread.join()
    assert tree(tmp_path) == BUNDLE


def test_nothing_to_recover_is_said(tmp_path: Path) -> None:
    assert recover(tmp_path) is Recovery.NOTHING
    assert recover(tmp_path / "absent") is Recovery.NOTHING


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_stage_that_is_no_folder_is_not_followed(tmp_path: Path, kind: str) -> None:
    root, outside = tmp_path / "out", tmp_path / "outside"
    put(outside, {"new/0": "mine\n"})
    root.mkdir()
    if kind == "file":
        (root / STAGE).write_text("mine\n")
    else:
        (root / STAGE).symlink_to(outside)
    with pytest.raises(OutputError) as caught:
        recover(root)
    assert str(caught.value) == (
        f"{root / STAGE}: is not the folder of an interrupted run; move it away"
    )
    assert tree(outside) == {"new/0": "mine\n"}


def test_a_stage_with_somebody_elses_files_is_not_removed(tmp_path: Path) -> None:
    put(tmp_path, {f"{STAGE}/notes.txt": "mine\n"})
    with pytest.raises(OutputError) as caught:
        recover(tmp_path)
    place = tmp_path / STAGE / "notes.txt"
    assert str(caught.value) == (
        f"{place}: was not put there by autogpt-observe; move it away and run again"
    )
    assert place.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("journal", "why"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('{"format": 2}', "format 2, expected 1"),
        ('{"format": 1}', "'moves'"),
        (
            '{"format": 1, "moves": [["../victim", null, null]], "folders": []}',
            "a path in it can't be: it has an empty, `.` or `..` part",
        ),
        (
            '{"format": 1, "moves": [], "folders": ["/tmp"]}',
            "a path in it can't be: it is absolute",
        ),
    ],
)
@pytest.mark.parametrize("name", ["commit.json", "rollback.json"])
def test_a_foreign_journal_is_not_carried_out(
    tmp_path: Path, name: str, journal: str, why: str
) -> None:
    root = tmp_path / "out"
    put(tmp_path, {"victim": "mine\n", f"out/{STAGE}/{name}": journal})
    with pytest.raises(OutputError) as caught:
        recover(root)
    assert str(caught.value) == (
        f"{root / STAGE / name}: is no journal of an interrupted run ({why});"
        f" move {root / STAGE} away, then run again"
    )
    assert (tmp_path / "victim").read_text() == "mine\n"


def test_a_run_interrupted_by_ctrl_c_is_whole(tmp_path: Path) -> None:
    seen: list[str] = []
    apply_plan(plan_bundle(tmp_path / "count", artifacts(BUNDLE)), step=seen.append)
    roots = [tmp_path / str(number) for number in range(len(seen))]
    jobs = [
        {"root": str(root), "files": BUNDLE, "interrupt_at": number}
        for number, root in enumerate(roots)
    ]
    assert run_killed(jobs) == ["interrupted"] * len(seen)
    for root, doing in zip(roots, seen, strict=True):
        if doing.startswith("stage"):
            assert not root.exists(), doing
        else:
            assert tree(root) == BUNDLE, doing
            assert planned(root, BUNDLE) == "up to date: 2 files", doing
