"""What the control groups of a process leave it: memory and CPUs.

Both versions are read, v2 (one hierarchy) and v1 (one per controller), see cgroups(7). The limit
of any group holds for all below it, so the lowest on the way up to the root counts. Inside a
container the path of the group may not exist below the mount; its root is the container's own
group then. A file that can't be read is no limit.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
MOUNT = Path("/sys/fs/cgroup")


class OutsideError(Exception):
    """The control group of another process is not below the mount that this process sees."""


class ControlGroups:
    """The limits of a process's control groups, read afresh at each call.

    ``pid`` is another process. Its group may lie outside of what is mounted here, as that of
    another container does; then both methods raise OutsideError.
    """

    def __init__(self, *, proc: Path = PROC, mount: Path = MOUNT, pid: int | None = None) -> None:
        self._own = proc / "self" / "cgroup"
        self._other = None if pid is None else proc / str(pid) / "cgroup"
        self._mount = mount

    def memory_limits(self) -> list[int]:
        """Every memory limit that is set, in bytes; some exceed what any machine has."""
        texts = [_read(folder / "memory.max") for folder in self._folders("")]
        texts += [_read(folder / "memory.limit_in_bytes") for folder in self._folders("memory")]
        return [int(text) for text in texts if text.isdecimal() and int(text) > 0]

    def cpu_quotas(self) -> list[float]:
        """Every CPU quota that is set, in CPUs."""
        texts = [_read(folder / "cpu.max") for folder in self._folders("")]
        texts += [
            f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
            for folder in self._folders("cpu")
        ]
        return [quota for text in texts if (quota := _parse_quota(text)) is not None]

    def _folders(self, controller: str) -> Iterator[Path]:
        """From the group of the process upward; "" is the hierarchy of v2."""
        file = self._own if self._other is None else self._other
        for controllers, path in _memberships(file, controller):
            mount = self._mount / controllers if controller else self._mount
            if controller and not mount.is_dir():
                mount = self._mount / controller
            parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
            if self._other is not None and self._is_outside(path, mount, controller):
                raise OutsideError(f"its control group {path} is not mounted here")
            for depth in range(len(parts), -1, -1):
                yield mount.joinpath(*parts[:depth])

    def _is_outside(self, path: str, mount: Path, controller: str) -> bool:
        """Whether another process's group is neither below ``mount`` nor that of this process."""
        if ".." not in path.split("/") and (mount / path.lstrip("/")).is_dir():
            return False
        # the folder of v1's hierarchies may be where that of v2 would be
        is_mounted = mount.is_dir() if controller else (mount / "cgroup.controllers").exists()
        return is_mounted and path not in [own for _, own in _memberships(self._own, controller)]


def _memberships(file: Path, controller: str) -> Iterator[tuple[str, str]]:
    """Which controllers, and the path of the group; "" is the hierarchy of v2."""
    for line in _read(file).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path and controller in controllers.split(","):
            yield controllers, path


def _parse_quota(text: str) -> float | None:
    """The CPUs that ``quota period`` stands for; None where the quota is `max` or -1."""
    match text.split():
        case [quota, period] if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            return int(quota) / int(period) if int(quota) > 0 else None
        case _:
            return None


def _read(path: Path) -> str:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:  # such files are a page at most, and one reading is a third of the time of read_text()
        return os.read(file, 65_536).decode("ascii").strip()
    except (OSError, ValueError):
        return ""
    finally:
        os.close(file)
