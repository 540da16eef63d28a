"""What users ask to have replaced, by regular expressions of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW = 4_096
"""Characters that such a pattern sees at a time: an expression may take the square of it."""
OVERLAP = 512
"""How far a window reaches back into the one before; a match that is longer may be missed."""


class CustomPattern:
    """A pattern of the user's; each piece of a text of `WINDOW` characters is read on its own.

    Args:
        name: what stands in place of what it matches.
        expression: of `re`. With a group named `secret`, only that is replaced.

    Raises:
        re.error: ``expression`` is none.
    """

    __slots__ = ("_expression", "_group", "name")

    def __init__(self, name: str, expression: str) -> None:
        self.name = name
        self._expression = re.compile(expression)
        self._group = "secret" if "secret" in self._expression.groupindex else 0

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches in ``text``; stretches may repeat where windows overlap."""
        start = 0
        while True:
            end = start + WINDOW
            for found in self._expression.finditer(text, start, min(end, len(text))):
                first, last = found.span(self._group)
                if first < last:
                    yield first, last
            if end >= len(text):
                return
            start = end - OVERLAP
