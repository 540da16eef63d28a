"""Moving a staged bundle into place so that a run cut off at any point can be ended by the next.

The stage folder holds ``new/N`` (the bytes of move N, written and synced before anything moves),
``old/N`` (what move N replaced or deleted) and at most one journal. ``commit.json`` is the commit
point: from then on the moves are carried out, by whoever comes next if need be. Renaming it to
``rollback.json`` turns the direction round. Every move can be repeated: N is in place once
``new/N`` is gone, and undone once ``old/N`` is.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from autogpt_observe.errors import OutputError
from autogpt_observe.output.paths import (
    MANIFEST_NAME,
    STAGE_NAME,
    Blocked,
    look_up,
    parents,
    path_fault,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_FORMAT = 1
_OWN_NAMES = {"new", "old", "commit.json", "rollback.json", "journal.tmp"}


class Step(Protocol):
    """Told what is about to be done, before it is: progress for people, faults for tests."""

    def __call__(self, doing: str, /) -> None:
        """May raise: the run is then undone."""


@dataclass(frozen=True, slots=True)
class Move:
    """One file that changes: the SHA-256 of its bytes before and after; None means no file."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """The moves of one run, the manifest last.

    Attributes:
        folders: the folders the moves make, outermost first.
    """

    moves: tuple[Move, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage folder of the bundle in ``root``. Its methods raise OutputError."""

    root: Path
    step: Step

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / STAGE_NAME

    @property
    def is_committed(self) -> bool:
        """Whether there is a journal, so that the run must be ended, not just forgotten."""
        return any((self.path / name).exists() for name in ("commit.json", "rollback.json"))

    def fill(self, contents: Mapping[int, tuple[str, bytes]]) -> None:
        """Make the stage and write ``new/N`` for each N, with the path it is for; all synced."""
        with naming(self.path):
            for folder in (self.path, self.path / "new", self.path / "old"):
                folder.mkdir()
        for number, (path, data) in contents.items():
            self.step(f"stage {path}")
            with naming(self.root / path):
                _write(self.path / "new" / str(number), data)
        # A file that is made between two syncs waits for the first: a pass for each is quicker.
        for number, (path, _) in contents.items():
            with naming(self.root / path):
                _sync_file(self.path / "new" / str(number))
        with naming(self.path):
            _sync_folder(self.path / "new")

    def commit(self, journal: Journal) -> None:
        """Write the journal; from here on the moves count as decided."""
        self.step("commit")
        with naming(self.path):
            _write(self.path / "journal.tmp", _format_journal(journal))
            _sync_file(self.path / "journal.tmp")
            (self.path / "journal.tmp").replace(self.path / "commit.json")
            _sync_folder(self.path)

    def turn_round(self) -> bool:
        """Decide to undo a committed run; False when there is none to undo."""
        self.step("turn round")
        with naming(self.path):
            try:
                (self.path / "commit.json").replace(self.path / "rollback.json")
            except FileNotFoundError:
                return False
            _sync_folder(self.path)
        return True

    def read(self, name: str) -> Journal | None:
        """The journal ``commit.json`` or ``rollback.json``, or None when there is none."""
        with naming(self.path / name):
            try:
                raw = (self.path / name).read_bytes()
            except FileNotFoundError:
                return None
        try:
            return _parse_journal(raw)
        except (ValueError, LookupError, TypeError, RecursionError) as exc:
            raise OutputError(
                f"{self.path / name}: is no journal of an interrupted run ({exc});"
                f" move {self.path} away, then run again"
            ) from exc

    def go_forward(self, journal: Journal) -> None:
        """Carry out every move that isn't yet; deletions first, to make room."""
        numbered = list(enumerate(journal.moves))
        gone = [(number, move) for number, move in numbered if move.after is None]
        for number, move in gone:
            self._put_away(number, move)
        needed = _folders(move for _, move in numbered if move.after is not None)
        for folder in sorted(_folders(move for _, move in gone) - needed, reverse=True):
            self._drop_folder(folder)
        for folder in journal.folders:
            self.step(f"make {folder}/")
            with naming(self.root / folder):
                (self.root / folder).mkdir(exist_ok=True)
        for number, move in numbered:
            if move.after is not None:
                self._place(number, move)
        self._sync(journal)

    def go_back(self, journal: Journal) -> None:
        """Undo every move, the last first."""
        numbered = list(enumerate(journal.moves))
        for number, move in reversed(numbered):
            if move.after is not None:
                self._take_back(number, move)
        for folder in reversed(journal.folders):
            self._drop_folder(folder)
        for number, move in reversed(numbered):
            if move.after is None:
                self._bring_back(number, move)
        self._sync(journal)

    def finish(self, name: str) -> None:
        """Remove the journal ``name``: the run is over, either way."""
        self.step("finish")
        with naming(self.path / name):
            (self.path / name).unlink()
            _sync_folder(self.path)

    def discard(self) -> None:
        """Remove the stage, which must hold no journal any more, and nothing that isn't ours."""
        self.step("clean")
        with naming(self.path):
            foreign = sorted({entry.name for entry in self.path.iterdir()} - _OWN_NAMES)
            if foreign:
                raise OutputError(
                    f"{self.path / foreign[0]}: was not put there by autogpt-observe;"
                    f" move it away and run again"
                )
            shutil.rmtree(self.path)
            _sync_folder(self.root)

    def _put_away(self, number: int, move: Move) -> None:
        old = self.path / "old" / str(number)
        if old.exists() or self._expect(move) is None:
            return
        self.step(f"delete {move.path}")
        with naming(self.root / move.path):
            (self.root / move.path).replace(old)

    def _place(self, number: int, move: Move) -> None:
        new, old = (self.path / kind / str(number) for kind in ("new", "old"))
        if not new.exists():
            return
        if self._expect(move) == move.before and move.before is not None and not old.exists():
            self.step(f"save {move.path}")
            with naming(self.root / move.path):
                _copy_aside(self.root / move.path, old)
        self.step(f"place {move.path}")
        with naming(self.root / move.path):
            new.replace(self.root / move.path)

    def _take_back(self, number: int, move: Move) -> None:
        new, old = (self.path / kind / str(number) for kind in ("new", "old"))
        if move.before is None:
            with naming(self.root / move.path):
                placed = not new.exists() and look_up(self.root, move.path) == move.after
            if placed:  # anything else there is not of this run, and stays
                self.step(f"take back {move.path}")
                with naming(self.root / move.path):
                    (self.root / move.path).unlink()
        elif old.exists():
            self._expect(move)
            self.step(f"put back {move.path}")
            with naming(self.root / move.path):
                old.replace(self.root / move.path)

    def _bring_back(self, number: int, move: Move) -> None:
        old = self.path / "old" / str(number)
        if not old.exists():
            return
        self._expect(move)
        self.step(f"bring back {move.path}")
        with naming(self.root / move.path):
            (self.root / move.path).parent.mkdir(parents=True, exist_ok=True)
            old.replace(self.root / move.path)

    def _expect(self, move: Move) -> str | None:
        """What is at the move's path; refuses bytes that are neither the old nor the new ones."""
        with naming(self.root / move.path):
            found = look_up(self.root, move.path)
        if isinstance(found, Blocked) or found not in (None, move.before, move.after):
            raise OutputError(
                f"{self.root / move.path}: was changed by something else while it was being"
                " written; move it away and run again"
            )
        return found

    def _drop_folder(self, folder: str) -> None:
        """Remove a folder if nothing is in it."""
        self.step(f"drop {folder}/")
        with naming(self.root / folder):
            try:
                (self.root / folder).rmdir()
            except OSError as exc:
                if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
                    raise

    def _sync(self, journal: Journal) -> None:
        """Make the moves survive a power cut, before the journal goes."""
        self.step("sync")
        touched = {self.root / folder for folder in _folders(journal.moves)}
        with naming(self.root):
            for folder in sorted({self.root, *touched}):
                if folder.is_dir():
                    _sync_folder(folder)


@contextlib.contextmanager
def naming(place: Path) -> Iterator[None]:
    """Turn an OSError into an OutputError that names ``place`` and the system's reason."""
    try:
        yield
    except OSError as exc:
        raise OutputError(f"can't write {place}: {exc.strerror or exc}") from exc


def new_folders(root: Path, moves: Sequence[Move]) -> tuple[str, ...]:
    """The folders that must be made for ``moves``, outermost first."""
    needed = _folders(move for move in moves if move.after is not None)
    return tuple(sorted(folder for folder in needed if not (root / folder).is_dir()))


def _folders(moves: Iterable[Move]) -> set[str]:
    return {folder for move in moves for folder in parents(move.path)}


def _write(path: Path, data: bytes) -> None:
    """Write a new file, readable by all as far as the umask lets them; not synced yet."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy_aside(path: Path, old: Path) -> None:
    """Keep the file at ``path`` as ``old`` too: whole, or not at all."""
    try:
        os.link(path, old)
    except OSError:  # file systems without hard links, files of another owner
        half = old.with_suffix(".tmp")
        shutil.copy2(path, half)
        _sync_file(half)
        half.replace(old)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems can't
            raise
    finally:
        os.close(handle)


def _format_journal(journal: Journal) -> bytes:
    moves = [[move.path, move.before, move.after] for move in journal.moves]
    tree = {"format": _FORMAT, "moves": moves, "folders": journal.folders}
    return json.dumps(tree).encode()


def _parse_journal(raw: bytes) -> Journal:
    tree = json.loads(raw)
    if tree["format"] != _FORMAT:
        raise ValueError(f"format {json.dumps(tree['format'])[:40]}, expected {_FORMAT}")
    moves = tuple(_parse_move(*move) for move in tree["moves"])
    folders = tuple(_checked(folder) for folder in tree["folders"])
    return Journal(moves=moves, folders=folders)


def _parse_move(path: str, before: str | None, after: str | None) -> Move:
    return Move(path if path == MANIFEST_NAME else _checked(path), before, after)


def _checked(path: str) -> str:
    fault = path_fault(path)
    if fault is not None:
        raise ValueError(f"a path in it can't be: {fault}")
    return path
