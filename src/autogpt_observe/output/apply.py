"""Writing a planned bundle: all of it, or none of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from autogpt_observe.errors import OutputError
from autogpt_observe.output.journal import Journal, Move, Stage, Step, naming, new_folders
from autogpt_observe.output.paths import STAGE_NAME, look_up
from autogpt_observe.output.plan import PENDING, Action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from autogpt_observe.output.plan import Change, Plan


class Recovery(StrEnum):
    """How an interrupted run was ended."""

    NOTHING = "nothing"
    FINISHED = "finished"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was done, by path.

    Attributes:
        written: created, updated or restored.
        restored: those of them that had been edited, damaged or deleted since they were generated.
        deleted: orphans that are gone now.
        kept: orphans that were edited, and stay as the user's own.
    """

    written: tuple[str, ...]
    restored: tuple[str, ...]
    deleted: tuple[str, ...]
    kept: tuple[str, ...]


def apply_plan(plan: Plan, *, step: Step = lambda _: None) -> Applied:
    """Write what ``plan`` says, or leave everything as it was and raise OutputError.

    A process killed on the way leaves its stage behind, which `recover` finishes or undoes.
    Ctrl-C during the moves themselves is held back until they are done.
    """
    if plan.pending:
        raise OutputError(f"{plan.root}: {PENDING}")
    if not plan.is_clean:
        with _root_made(plan.root), _locked(plan.root):
            _write(plan, step)
    return Applied(
        written=_paths(plan, Action.CREATE, Action.UPDATE, Action.RESTORE),
        restored=_paths(plan, Action.RESTORE),
        deleted=_paths(plan, Action.DELETE),
        kept=_paths(plan, Action.KEEP),
    )


def recover(root: Path, *, step: Step = lambda _: None) -> Recovery:
    """End the interrupted run in ``root``, if there is one: the bundle is whole afterwards."""
    stage = Stage(root, step)
    if not os.path.lexists(stage.path):
        return Recovery.NOTHING
    if stage.path.is_symlink() or not stage.path.is_dir():
        raise OutputError(f"{stage.path}: is not the folder of an interrupted run; move it away")
    with _locked(root):
        if not stage.path.exists():  # the other run has just finished
            return Recovery.NOTHING
        ended = Recovery.UNDONE
        commit, rollback = stage.read("commit.json"), stage.read("rollback.json")
        if commit is not None:
            stage.go_forward(commit)
            stage.finish("commit.json")
            ended = Recovery.FINISHED
        elif rollback is not None:
            stage.go_back(rollback)
            stage.finish("rollback.json")
        stage.discard()
    return ended


def _write(plan: Plan, step: Step) -> None:
    if os.path.lexists(plan.root / STAGE_NAME):
        raise OutputError(f"{plan.root}: {PENDING}")
    stage = Stage(plan.root, step)
    changes = _in_order(plan)
    moves = tuple(Move(c.path, c.before, c.after) for c in changes)
    try:
        stage.fill({n: (c.path, c.data) for n, c in enumerate(changes) if c.data is not None})
        for move in moves:
            _check_as_planned(plan.root, move)
        with _sigint_held():
            _move(stage, Journal(moves, new_folders(plan.root, moves)))
            stage.discard()
    except BaseException:
        if stage.path.is_dir() and not stage.is_committed:
            with contextlib.suppress(OutputError):  # what happened first is what the user needs
                stage.discard()
        raise


def _move(stage: Stage, journal: Journal) -> None:
    try:
        stage.commit(journal)
        stage.go_forward(journal)
        stage.finish("commit.json")
    except BaseException as exc:
        try:
            if stage.turn_round():
                stage.go_back(journal)
                stage.finish("rollback.json")
        except OutputError as stuck:
            raise OutputError(
                f"{exc}; then what was there before could not be put back: {stuck};"
                " mend that and run again to finish it"
            ) from exc
        raise


def _in_order(plan: Plan) -> list[Change]:
    """The changes that touch the disk, the manifest last."""
    everything = (*plan.changes, plan.manifest)
    return [c for c in everything if c.is_written or c.action is Action.DELETE]


def _check_as_planned(root: Path, move: Move) -> None:
    with naming(root / move.path):
        found = look_up(root, move.path)
    if (found if isinstance(found, str) else None) != move.before:
        raise OutputError(f"{root / move.path}: was changed since the plan was made; run again")


@contextlib.contextmanager
def _root_made(root: Path) -> Iterator[None]:
    """Make the bundle's folder, and take it away again if the block fails."""
    with naming(root):
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
    try:
        with naming(root):
            root.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the one lock of the bundle in ``root``; it goes with the process, however that ends."""
    with naming(root):
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(root):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise OutputError(
                    f"{root}: another run is writing here; wait until it is done, then run again"
                ) from exc
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _sigint_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done. Other threads than the main one never see it."""
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or previous is None:
        yield
        return
    held = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if held:
            signal.raise_signal(signal.SIGINT)


def _paths(plan: Plan, *actions: Action) -> tuple[str, ...]:
    return tuple(change.path for change in plan.changes if change.action in actions)
