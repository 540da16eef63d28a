"""What a renderer hands to the disk side."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """One rendered file: the target that renders it (``prometheus``, ``grafana``), its text."""

    target: str
    text: str
