"""Where a field of the host goes in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from autogpt_observe.runtime.logs.fields import RESERVED
from autogpt_observe.runtime.logs.trees import MOST_KEY
from autogpt_observe.runtime.logs.values import cut, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_KNOWN = 4_096
_UNFIT = str.maketrans({".": "_", "*": "_", '"': "_"})
"""What a label must not contain: the same characters that Elastic's APM replaces."""


class Redactor(Protocol):
    """Takes secrets out of what leaves the process."""

    def text(self, text: str, /) -> str:
        """``text`` without the secrets in it, the same object if there is none. Never raises."""

    def value(self, key: str, value: object, /) -> object:
        """The value named ``key`` without secrets; another one if the name says it is one."""


class Place(NamedTuple):
    """Where a field goes.

    Attributes:
        field: the ECS field of an attribute that the spec declares; empty for other names.
        label: the name below `labels` or `numeric_labels`.
        is_plain: it is written as it came, and its name alone does not make it a secret.
    """

    field: str
    label: str
    is_plain: bool


class Places:
    """The places of the names that were met so far.

    Attributes:
        plain: names that are labels as they are, whose values are not secret for their names.

    Args:
        declared: ECS field by attribute, for those that have one.
        redactor: None takes nothing out.
    """

    def __init__(self, declared: Mapping[str, str], redactor: Redactor | None) -> None:
        self._redactor = redactor
        self._declared = _usable(declared)
        self.plain: set[object] = set()
        self._known: dict[object, Place] = {}

    def find(self, key: object) -> Place:
        """The place of the field that the host calls ``key``."""
        if type(key) is not str:
            return self._make(key)
        place = self._known.get(key)
        if place is None:
            place = self._make(key)
            if place.is_plain and len(self._known) < _MOST_KNOWN:  # others may be secrets
                self._known[key] = place
                if not place.field:
                    self.plain.add(key)
        return place

    def _make(self, key: object) -> Place:
        text = text_of(key)
        if self._redactor is not None:
            text = self._redactor.text(text)
        text = cut(text, MOST_KEY)
        label = text.translate(_UNFIT).strip() or "_"
        return Place(
            field=self._declared.get(text, ""),
            label=label,
            is_plain=type(key) is str and label == key and not self._is_secret(text),
        )

    def _is_secret(self, key: str) -> bool:
        """Whether the name alone makes a value a secret: even a number, which has no pattern."""
        return self._redactor is not None and self._redactor.value(key, 0) != 0


def _usable(declared: Mapping[str, str]) -> dict[str, str]:
    """Each field once, and none that the line itself has."""
    fields: dict[str, str] = {}
    for attribute, field in declared.items():
        if field and field not in RESERVED and field not in fields.values():
            fields[attribute] = field
    return fields
