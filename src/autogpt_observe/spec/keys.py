"""How the classes of `model` are declared: frozen records whose fields are keys of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


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


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(key,))
def part(cls: type[T]) -> type[T]:
    """Make a class a frozen, slotted dataclass with keyword arguments.

    Such classes are many, and `dataclass` compiles six methods for each; that alone would take
    tens of milliseconds of every import. Here all of them share the methods below.
    """
    made: Any = dataclass(slots=True, kw_only=True, init=False, eq=False, repr=False)(cls)
    made._slots_ = tuple(_slot_of(made, field_) for field_ in fields(made))
    for method in (__init__, __setattr__, __delattr__, __eq__, __hash__, __repr__):
        setattr(made, method.__name__, method)
    whole: type[T] = made
    return whole


class _Slot(NamedTuple):
    """One field of a part: how it is written, and its value where none is given."""

    name: str
    write: Callable[[object, object], None]
    default: Any


def _slot_of(cls: type, field_: Any) -> _Slot:
    default = field_.default
    if field_.default_factory is not MISSING:
        default = field_.default_factory()  # read-only, so that all may share it
    return _Slot(field_.name, getattr(cls, field_.name).__set__, default)


def __init__(self: Any, **values: Any) -> None:  # noqa: N807 - methods of every part
    for name, write, default in self._slots_:
        value = values.pop(name, default)
        if value is MISSING:
            raise TypeError(f"{type(self).__name__} lacks `{name}`")
        write(self, value)
    if values:
        raise TypeError(f"{type(self).__name__} has no {', '.join(map(repr, values))}")


def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: N807, ARG001
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:  # noqa: N807, ARG001
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, slot.name) for slot in value._slots_)


def __eq__(self: Any, other: object) -> Any:  # noqa: N807
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def __hash__(self: Any) -> int:  # noqa: N807
    return hash((type(self), _values(self)))


def __repr__(self: Any) -> str:  # noqa: N807
    shown = (f"{slot.name}={getattr(self, slot.name)!r}" for slot in self._slots_)
    return f"{type(self).__name__}({', '.join(shown)})"
