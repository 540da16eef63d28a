"""Keeps the number of label values bounded, as the spec's `values` and `max_values` say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.spec.model import Attribute

OTHER = "other"
"""What a value becomes that is one too many, or not declared."""


class ValueGuard:
    """Admits the values of one attribute; all metrics with that attribute share its guard.

    ``on_replace`` is told the attribute's name, each value that became `other`, and why it did;
    ``redact`` takes secrets out of a value that is not declared.
    """

    def __init__(
        self,
        name: str,
        attribute: Attribute,
        *,
        on_replace: Callable[[str, str, str], None],
        redact: Callable[[str], str] = str,
    ) -> None:
        self._name = name
        self._redact = redact
        self._enumerated = attribute.values
        self._limit = len(self._enumerated) or attribute.max_values
        self._known = {*self._enumerated}
        self._on_replace = on_replace
        self._reason = (
            "is not among its `values`"
            if self._enumerated
            else f"is one more than its `max_values`, {self._limit}"
        )
        self._lock = threading.RLock()  # a garbage-collected run may end while it is held

    def admit(self, value: str) -> str:
        """``value`` without secrets, or `other`."""
        if value in self._known or value == OTHER:
            return value
        value = self._redact(value)
        if self._limit is None or value in self._known:
            return value
        with self._lock:
            if len(self._known) < self._limit:
                self._known.add(value)
        if value in self._known:
            return value
        self._on_replace(self._name, value, self._reason)
        return OTHER

    def renew_locks(self) -> None:
        """In a forked child: nobody holds them."""
        self._lock = threading.RLock()

    def siblings(self, value: str) -> tuple[str, ...]:
        """The values whose series begin together with that of ``value``.

        Those of an enumerated attribute do: a series that begins at 1 hides its first event from
        `rate()`.
        """
        return self._enumerated if value in self._enumerated else (value,)

    @property
    def enumerated(self) -> tuple[str, ...]:
        """Every value, where the spec knows them."""
        return self._enumerated
