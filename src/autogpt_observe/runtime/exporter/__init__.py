"""Observes processes from outside: the process metrics of a spec, for agents left as they are."""

from __future__ import annotations

from autogpt_observe.runtime.exporter.collector import OBSERVED, build_registry
from autogpt_observe.runtime.exporter.targets import Target, parse_targets

__all__ = ["OBSERVED", "Target", "build_registry", "parse_targets"]
