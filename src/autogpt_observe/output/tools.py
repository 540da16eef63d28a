"""The external programs that prove a bundle: where they are, how to get and how to run them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.errors import ToolError
from autogpt_observe.names import SETTING_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOOLS_FOLDER = f"{SETTING_PREFIX}TOOLS"
"""The setting that names a folder with programs, or one with them in its ``usr/bin``."""

_DEBIAN = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager"
_MACOS = "brew install prometheus alertmanager"
_ELSEWHERE = "https://prometheus.io/download/"


@dataclass(frozen=True, slots=True)
class Tool:
    """An external program.

    Attributes:
        binaries: the names it goes by, the usual one first.
        debian: the command that installs it on Debian and Ubuntu.
        macos: the same with Homebrew.
    """

    binaries: tuple[str, ...]
    debian: str = _DEBIAN
    macos: str = _MACOS


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        "promtool": Tool(("promtool",)),
        "prometheus": Tool(("prometheus",)),
        "amtool": Tool(("amtool",)),
        "alertmanager": Tool(("alertmanager", "prometheus-alertmanager")),
    }
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended: its exit code, and what it wrote to both outputs, in order."""

    exit_code: int
    output: str


def find_tool(name: str, environ: Mapping[str, str]) -> Path | None:
    """Where the tool ``name`` of `TOOLS` is, or None where it is not installed.

    The setting ``AUTOGPT_OBSERVE_<NAME>`` comes first, then the folder of `TOOLS_FOLDER`, then
    PATH. Raises ToolError where the setting for the tool itself leads to no program.
    """
    setting = f"{SETTING_PREFIX}{name.upper()}"
    chosen = environ.get(setting)
    if chosen:
        if not os.access(chosen, os.X_OK) or Path(chosen).is_dir():
            raise ToolError(
                f"{setting}={chosen}: expected the path of a program; correct it or unset it,"
                f" then {name} is looked for on PATH"
            )
        return Path(chosen).absolute()
    for folders in _places(environ):
        for binary in TOOLS[name].binaries:
            found = shutil.which(binary, path=folders)
            if found is not None:
                return Path(found).absolute()
    return None


def install_hint(name: str, *, platform: str = sys.platform) -> str:
    """How to get the tool ``name`` on this platform, as the second half of a sentence."""
    match platform:
        case "linux":
            return f"install it with `{TOOLS[name].debian}`"
        case "darwin":
            return f"install it with `{TOOLS[name].macos}`"
        case _:
            return f"get it from {_ELSEWHERE} and put it on PATH"


def run_tool(path: Path, args: Sequence[str], *, cwd: Path, timeout: float) -> Finished:
    """Run a program to its end, without input; it and its children never outlive the call.

    Raises ToolError where it can't be started, and after ``timeout`` seconds.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            [path, *args],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as exc:
        raise ToolError(f"can't run {path}: {exc.strerror or exc}") from exc
    with process, _ended(process):
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as exc:
            command = " ".join((path.name, *args[:2]))
            raise ToolError(f"{command}: did not end within {timeout:g} s") from exc
    return Finished(process.returncode, output.decode(errors="replace"))


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process and its children if the block is left before it has ended."""
    try:
        yield
    finally:
        if process.returncode is None:  # not reaped yet, so its group is still its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()  # Popen itself does not wait after a Ctrl-C


def _places(environ: Mapping[str, str]) -> Iterator[str]:
    folder = environ.get(TOOLS_FOLDER)
    if folder:
        yield os.pathsep.join((folder, str(Path(folder) / "usr" / "bin")))
    path = environ.get("PATH")
    if path:
        yield path
