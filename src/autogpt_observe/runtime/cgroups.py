"""What the control groups of this process leave it: memory and CPUs.

Both versions are read, v2 (one hierarchy) and v1 (one per controller), see cgroups(7). The limit
of any group holds for all below it, so the lowest on the way up to the root counts. Inside a
container the path of the group may not exist below the mount; its root is the container's own
group then. A file that can't be read is no limit.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
MOUNT = Path("/sys/fs/cgroup")


class ControlGroups:
    """The limits of this process's control groups, read afresh at each call."""

    def __init__(self, *, proc: Path = PROC, mount: Path = MOUNT) -> None:
        self._membership = proc / "self" / "cgroup"
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
        """From the group of this process upward; "" is the hierarchy of v2."""
        for line in _read(self._membership).splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if path and controller in controllers.split(","):
                mount = self._mount / controllers if controller else self._mount
                if controller and not mount.is_dir():
                    mount = self._mount / controller
                parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
                for depth in range(len(parts), -1, -1):
                    yield mount.joinpath(*parts[:depth])


def _parse_quota(text: str) -> float | None:
    """The CPUs that ``quota period`` stands for; None where the quota is `max` or -1."""
    match text.split():
        case [quota, period] if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            return int(quota) / int(period) if int(quota) > 0 else None
        case _:
            return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
