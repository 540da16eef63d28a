"""A strict reader of the part of Logstash's config language that the renderer writes.

Each text it takes, Logstash takes; not the other way round. Values come back as the engine sees
them with escapes off: what stands between the quotes, unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*(?:\n|\Z))*")
_NAME = re.compile(r"[a-z][a-z0-9_]+", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.])", re.ASCII)
_STRINGS = (
    re.compile(r'"((?:\\"|[^"])*+)"', re.DOTALL),
    re.compile(r"'((?:\\'|[^'])*+)'", re.DOTALL),
)

Value = str | int | float | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True)
class Call:
    """One plugin as configured."""

    section: str
    name: str
    options: dict[str, Value]


def read_pipeline(text: str) -> list[Call]:
    """The plugins in order; raises ValueError at the first character out of place."""
    return _Reader(text).pipeline()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def pipeline(self) -> list[Call]:
        calls: list[Call] = []
        while not self._end():
            section = self._take(re.compile("input|filter|output"))[0]
            self._sign("{")
            while not self._ahead("}"):
                calls.append(self._plugin(section))
            self._sign("}")
        return calls

    def _plugin(self, section: str) -> Call:
        name = self._take(_NAME)[0]
        options: dict[str, Value] = {}
        self._sign("{")
        while not self._ahead("}"):
            self._apart(first=not options)
            key = self._take(_NAME)[0]
            if key in options:
                raise ValueError(f"{key} stands twice")
            self._sign("=>")
            options[key] = self._value()
        self._sign("}")
        return Call(section, name, options)

    def _value(self) -> Value:
        if self._ahead("["):
            return self._array()
        if self._ahead("{"):
            return self._hash()
        if self._ahead('"') or self._ahead("'"):
            return self._string()
        number = self._take(_NUMBER)[0]
        return float(number) if "." in number else int(number)

    def _array(self) -> list[Value]:
        self._sign("[")
        items = [self._value()]
        while not self._ahead("]"):
            self._sign(",")
            items.append(self._value())
        self._sign("]")
        return items

    def _hash(self) -> dict[str, Value]:
        self._sign("{")
        items: dict[str, Value] = {}
        while not self._ahead("}"):
            self._apart(first=not items)
            key = self._string()
            if key in items:
                raise ValueError(f"{key} stands twice")
            self._sign("=>")
            items[key] = self._value()
        self._sign("}")
        return items

    def _string(self) -> str:
        return self._take(_STRINGS[0] if self._ahead('"') else _STRINGS[1])[1]

    def _apart(self, *, first: bool) -> None:
        if not first and not self._text[self._at - 1].isspace():
            raise ValueError(f"white space expected at character {self._at}")

    def _end(self) -> bool:
        self._skip()
        return self._at == len(self._text)

    def _ahead(self, sign: str) -> bool:
        self._skip()
        return self._text.startswith(sign, self._at)

    def _sign(self, sign: str) -> None:
        self._take(re.compile(re.escape(sign)))

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"{pattern.pattern} expected at character {self._at}")
        self._at = found.end()
        return found

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = self._at if blank is None else blank.end()
