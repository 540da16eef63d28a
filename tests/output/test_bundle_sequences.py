"""Any sequence of bundles, edits and mishaps: on disk are the bundle and the user's files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from bundles import artifacts, planned, tree
from hypothesis import given, settings
from hypothesis import strategies as st

from autogpt_observe.errors import OutputError
from autogpt_observe.output.apply import apply_plan
from autogpt_observe.output.plan import plan_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS = ["a", "b", "a/b", "a/c", "a/b/c", "b/a", "c/a/a", "c/b"]
TEXTS = ["", "one\n", "two\n"]


@dataclass(frozen=True)
class Write:
    path: str
    text: str


@dataclass(frozen=True)
class Remove:
    path: str


@dataclass(frozen=True)
class Generate:
    files: Mapping[str, str]
    fail_at: int | None


def _stands(paths: set[str]) -> bool:
    """Whether no path is a folder for another."""
    return not any(str(p) in paths for path in paths for p in PurePosixPath(path).parents)


BUNDLES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(TEXTS)).filter(
    lambda files: _stands(set(files))
)
EVENTS = st.one_of(
    st.builds(Write, st.sampled_from(PATHS), st.sampled_from(TEXTS)),
    st.builds(Remove, st.sampled_from(PATHS)),
    st.builds(Generate, BUNDLES, st.none()),
    st.builds(Generate, BUNDLES, st.integers(0, 25)),
)


@dataclass
class World:
    """What must be on disk, kept in the simplest way."""

    root: Path
    disk: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)

    def write(self, event: Write) -> None:
        if _stands(self.disk.keys() | {event.path}):
            self.disk[event.path] = event.text
            (self.root / event.path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / event.path).write_text(event.text)

    def remove(self, event: Remove) -> None:
        if self.disk.pop(event.path, None) is not None:
            (self.root / event.path).unlink()
            for folder in (self.root / event.path).parents:
                if folder == self.root or any(folder.iterdir()):
                    break
                folder.rmdir()

    def generate(self, event: Generate) -> None:
        users = {
            path: text
            for path, text in self.disk.items()
            if path not in event.files and self.ours.get(path) != text
        }
        foreign = any(
            path in self.disk and path not in self.ours and self.disk[path] != text
            for path, text in event.files.items()
        )
        if foreign or not _stands(users.keys() | event.files.keys()):
            with pytest.raises(OutputError):
                plan_bundle(self.root, artifacts(event.files))
            return
        steps = 0

        def step(doing: str, /) -> None:
            nonlocal steps
            steps += 1
            if steps - 1 == event.fail_at and doing != "clean":
                raise KeyboardInterrupt

        try:
            apply_plan(plan_bundle(self.root, artifacts(event.files)), step=step)
        except KeyboardInterrupt:
            return
        self.disk, self.ours = {**users, **event.files}, dict(event.files)
        assert planned(self.root, event.files).startswith("up to date")


@settings(max_examples=200, deadline=None)  # how long syncing takes is up to the disk
@given(st.lists(EVENTS, max_size=12))
def test_the_disk_holds_the_bundle_and_the_users_files(
    events: list[Write | Remove | Generate],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for event in events:
            match event:
                case Write():
                    world.write(event)
                case Remove():
                    world.remove(event)
                case Generate():
                    world.generate(event)
            assert tree(world.root) == world.disk
