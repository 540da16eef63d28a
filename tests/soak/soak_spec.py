"""The spec of the soak: the packaged signals, and metrics whose values are known exactly."""

from __future__ import annotations

from pathlib import Path

SPEC = Path(__file__).with_name("soak.yaml")
KNOWN = "soak_known_seconds"
KNOWN_SECONDS = 0.25
"""A power of two: sums of it are exact."""
STEPS = "soak_steps_total"
