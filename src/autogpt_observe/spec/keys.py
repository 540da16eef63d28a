"""How the classes of `model` declare their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)  # by identity: annotations must hash
class OneOf:
    """Annotates a union: a map with exactly one of these keys, whose value has that type."""

    variants: Mapping[str, type]


@dataclass(frozen=True, slots=True)
class Key:
    """What a field says of its key: meaning, an example, the bounds of a whole number."""

    help: str
    example: str | None = None
    bounds: tuple[int, int] | None = None


def key(
    help_: str,
    *,
    default: Any = MISSING,
    example: str | None = None,
    bounds: tuple[int, int] | None = None,
) -> Any:
    """Declare a key of the spec; one without a default is required."""
    metadata = {"key": Key(help_, example, bounds)}
    if isinstance(default, Mapping):
        frozen = MappingProxyType(dict(default))
        return field(default_factory=lambda: frozen, metadata=metadata)
    return field(default=default, metadata=metadata)
