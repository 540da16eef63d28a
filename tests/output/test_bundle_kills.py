"""Runs that are killed or fail before each of their steps: the bundle is always old or new."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from bundles import STAGE, artifacts, generate, planned, put, run_killed, state, tree

from autogpt_observe.errors import OutputError
from autogpt_observe.output.apply import Recovery, apply_plan, recover
from autogpt_observe.output.plan import plan_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = {
    "rules/update": "old\n",
    "rules/damaged": "old\n",
    "rules/same": "old\n",
    "gone/deep/orphan": "old\n",
    "file_to_folder": "old\n",
    "folder_to_file/x": "old\n",
}
NEW = {
    "rules/update": "new\n",
    "rules/damaged": "new\n",
    "rules/same": "old\n",
    "made/deep/created": "new\n",
    "file_to_folder/x": "new\n",
    "folder_to_file": "new\n",
}
USERS = {"rules/mine": "mine\n", "mine": "mine\n"}
KILLED = "killed by SIGKILL"


class Scene:
    """A folder with an old bundle, damage and files of the user; and what a whole run makes of it.

    Attributes:
        steps: what a whole run does, step by step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start = folder / "start"
        generate(self.start, OLD)
        put(self.start, USERS | {"rules/damaged": "damaged\n"})
        self.old = state(self.start)
        self.steps: list[str] = []
        whole = self.copy("whole")
        apply_plan(plan_bundle(whole, artifacts(NEW)), step=self.steps.append)
        self.new = state(whole)
        assert tree(whole) == NEW | USERS

    def copy(self, name: str) -> Path:
        return shutil.copytree(self.start, self.folder / name)


@pytest.fixture(name="scene")
def make_scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_scene_has_every_kind_of_step(scene: Scene) -> None:
    assert {step.split()[0] for step in scene.steps} == {
        *("stage", "commit", "delete", "drop", "make", "save", "place", "sync", "finish", "clean")
    }


def test_a_run_killed_before_any_step_is_finished_or_undone(scene: Scene) -> None:
    roots = [scene.copy(f"kill-{number}") for number in range(len(scene.steps))]
    jobs = [
        {"root": str(root), "files": NEW, "kill_at": number} for number, root in enumerate(roots)
    ]
    assert run_killed(jobs) == [KILLED] * len(roots)
    ends = []
    for root, doing in zip(roots, scene.steps, strict=True):
        assert "an earlier run was interrupted" in planned(root, NEW), doing
        ends.append(recover(root))
        is_old = doing.startswith("stage") or doing == "commit"
        assert state(root) == (scene.old if is_old else scene.new), doing
        generate(root, NEW)
        assert state(root) == scene.new, doing
    before = sum(1 for doing in scene.steps if doing.startswith("stage")) + 1
    moving = len(scene.steps) - before - 1
    assert ends == [Recovery.UNDONE] * before + [Recovery.FINISHED] * moving + [Recovery.UNDONE]


def test_a_recovery_killed_before_any_step_goes_on_the_next_time(scene: Scene) -> None:
    jobs, roots = [], []
    for number in range(scene.steps.index("commit") + 1, len(scene.steps), 3):
        for again in range(len(scene.steps) - number):
            root = scene.copy(f"kill-{number}-{again}")
            jobs.append({"root": str(root), "files": NEW, "kill_at": number})
            jobs.append({"root": str(root), "kill_at": again})
            roots.append(root)
    ends = run_killed(jobs)
    assert ends[::2] == [KILLED] * len(roots)
    assert ends[1::2].count(KILLED) > len(roots) // 2
    for root in roots:
        recover(root)
        assert state(root) == scene.new, root.name


def test_a_run_that_fails_before_any_step_is_rolled_back(scene: Scene) -> None:
    for number, doing in enumerate(scene.steps):
        root = scene.copy(f"fail-{number}")
        with pytest.raises(OutputError) as caught:
            apply_plan(plan_bundle(root, artifacts(NEW)), step=_failing(number, OutputError))
        assert str(caught.value) == "planted"
        assert recover(root) is Recovery.NOTHING, doing
        assert state(root) == (scene.new if doing == "clean" else scene.old), doing


def test_a_keyboard_interrupt_raised_before_any_step_is_rolled_back(scene: Scene) -> None:
    for number, doing in enumerate(scene.steps[:-1]):
        root = scene.copy(f"interrupt-{number}")
        with pytest.raises(KeyboardInterrupt):
            apply_plan(plan_bundle(root, artifacts(NEW)), step=_failing(number, KeyboardInterrupt))
        assert state(root) == scene.old, doing


def test_a_rollback_killed_before_any_step_goes_on_the_next_time(scene: Scene) -> None:
    fail_at = scene.steps.index("finish")
    roots: list[Path] = []
    for kill_at in _until_the_rollback_ends(scene, fail_at, roots):
        root = roots[-1]
        recover(root)
        is_decided = kill_at > fail_at + 1
        assert state(root) == (scene.old if is_decided else scene.new), kill_at
    assert len(roots) > len(scene.steps) // 2


def _until_the_rollback_ends(scene: Scene, fail_at: int, roots: list[Path]) -> Iterator[int]:
    for kill_at in range(fail_at + 1, fail_at + 100):
        roots.append(scene.copy(f"rollback-{kill_at}"))
        job = {"root": str(roots[-1]), "files": NEW, "fail_at": fail_at, "kill_at": kill_at}
        [end] = run_killed([job])
        if end != KILLED:
            assert end == "planted before: finish"
            assert state(roots[-1]) == scene.old
            return
        yield kill_at
    pytest.fail("the rollback never ended")


def test_files_edited_after_a_kill_are_not_lost(scene: Scene) -> None:
    root = scene.copy("edited")
    at = scene.steps.index("place made/deep/created")
    assert run_killed([{"root": str(root), "files": NEW, "kill_at": at}]) == [KILLED]
    put(root, {"made/deep/created": "mine\n"})
    with pytest.raises(OutputError) as caught:
        recover(root)
    place = root / "made/deep/created"
    assert str(caught.value) == (
        f"{place}: was changed by something else while it was being written;"
        " move it away and run again"
    )
    assert place.read_text() == "mine\n"
    place.rename(root / "mine.saved")
    assert recover(root) is Recovery.FINISHED
    assert tree(root) == NEW | USERS | {"mine.saved": "mine\n"}
    assert not (root / STAGE).exists()


class _failing:  # noqa: N801  read as a function where it is used
    def __init__(self, number: int, error: type[BaseException]) -> None:
        self.left, self.error = number, error

    def __call__(self, _doing: str, /) -> None:
        self.left -= 1
        if self.left == -1:
            raise self.error("planted")
