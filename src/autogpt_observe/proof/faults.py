"""The demo's fault: the words that switch it, shared by the demo and its agent."""

from __future__ import annotations

FAULT_ON = "fault on"
FAULT_OFF = "fault off"
FAILING = 3
"""With the fault on, one run in this many fails."""
FAULT = f"one run in {FAILING} raises an exception"
