"""Installs the tools that ours is measured against, in an environment of their own.

A tool that can't be installed is no failure: the benchmarks say that it is missing.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from processes import PEERS, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

READY = PEERS / ".ready"
OURS = ("--editable", f"{ROOT}[otlp]")
TOOLS = (
    ("logfire",),
    ("openai", "openinference-instrumentation-openai"),
    ("traceloop-sdk", "httpx"),  # it imports httpx without asking for it
)
PATIENCE = 240
"""Seconds for one tool; a resolver that finds no versions that fit may search for very long."""


def install(packages: Sequence[str]) -> str | None:
    """Install ``packages``; why it failed, if it did."""
    command = [sys.executable, "-m", "pip", "--python", str(PEERS / "bin" / "python"), "install"]
    command += ["--disable-pip-version-check", "--quiet", "--no-input", *packages]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"not done after {PATIENCE} s"
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return (errors or [f"pip exited {done.returncode}"])[-1] if done.returncode else None


def main() -> None:
    """Make the environment, unless it is there."""
    if READY.exists():
        return
    print(f"installing other tools into {PEERS.name}/, once; it takes a minute", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
    failure = install(OURS)
    if failure is not None:
        print(f"this package could not be installed there: {failure}; measuring without the others")
        return
    for packages in TOOLS:
        failure = install(packages)
        if failure is not None:
            print(f"{' '.join(packages)} could not be installed: {failure}")
    READY.touch()


if __name__ == "__main__":
    main()
