"""JSON text of values that may do anything when they are looked at. Loaded only to capture it."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from autogpt_observe.runtime.traces.conventions.texts import ELLIPSIS, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CONTENT = 16_384
"""The most characters of one tool call's arguments, of its result, of a model call's messages."""

_DEEPEST = 12
_LARGEST_BITS = 256
_ITEMS = (list, tuple, set, frozenset, deque)
_PRINTED = (date, time, Decimal, PurePath, UUID)
_UNREADABLE = '"<unreadable>"'


def format_content(value: object, *, most: int = MOST_CONTENT) -> str:
    """JSON text of ``value``, or ``value`` itself if it is a text; about ``most`` characters.

    What is too long is cut short inside of the JSON, which stays whole: an ellipsis stands in place
    of what is missing. Objects are shown by their public attributes, what shows nothing by its
    class. Never raises.
    """
    try:
        if isinstance(value, str):
            return shorten(value, most)
    except Exception:  # noqa: BLE001  # the host's objects may do anything when looked at
        return _UNREADABLE
    writer = _Writer(most)
    writer.write(value, 0)
    return "".join(writer.parts)


class _Writer:
    """Writes JSON until there is no room left; then only what closes it."""

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self._room = room

    def write(self, value: object, depth: int) -> None:
        """Write one value; one that raises when it is looked at takes no other with it."""
        start = len(self.parts)
        try:
            self._write(value, depth)
        except Exception:  # noqa: BLE001  # as above
            del self.parts[start:]
            self._put(_UNREADABLE)

    def _put(self, part: str) -> None:
        self.parts.append(part)
        self._room -= len(part)

    def _write(self, value: object, depth: int) -> None:
        if value is None or isinstance(value, bool):
            self._put("null" if value is None else str(value).lower())
        elif isinstance(value, str):
            self._put(self._quote(value))
        elif isinstance(value, int | float):
            self._put(_number(value))
        elif self._room <= 0 or depth > _DEEPEST:
            self._put(f'"{ELLIPSIS}"')
        elif isinstance(value, Mapping):
            self._object(value.items(), depth)
        elif isinstance(value, _ITEMS):
            self._array(value, depth)
        else:
            self._other(value, depth)

    def _other(self, value: object, depth: int) -> None:
        if isinstance(value, Enum):
            self._write(value.value, depth + 1)
        elif isinstance(value, _PRINTED):
            self._put(self._quote(str(value)))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr)
            self._object(fields, depth)
        elif isinstance(value, bytes | bytearray | memoryview):
            self._put(f'"<{len(value)} bytes>"')
        else:
            shown = {} if isinstance(value, type) else getattr(value, "__dict__", {})
            public = [(n, v) for n, v in shown.items() if isinstance(n, str) and n[:1] != "_"]
            if public and not callable(value):
                self._object(public, depth)
            else:
                self._put(self._quote(f"<{type(value).__qualname__}>"))

    def _object(self, pairs: Iterable[tuple[object, object]], depth: int) -> None:
        self._put("{")
        between = ""
        for name, item in pairs:
            if self._room <= 0:
                self._put(f'{between}"{ELLIPSIS}":null')
                break
            shown = name if isinstance(name, str) else format_content(name, most=80)
            self._put(f"{between}{self._quote(shown)}:")
            self.write(item, depth + 1)
            between = ","
        self._put("}")

    def _array(self, items: Iterable[object], depth: int) -> None:
        self._put("[")
        between = ""
        for item in items:
            self._put(between)
            if self._room <= 0:
                self._put(f'"{ELLIPSIS}"')
                break
            self.write(item, depth + 1)
            between = ","
        self._put("]")

    def _quote(self, text: str) -> str:
        room = max(self._room - 2, 1)
        shown = shorten(text, room)
        quoted = encode_basestring(shown)
        while len(quoted) > room + 2:  # what it escapes takes more room
            shown = shorten(shown, len(shown) // 2)
            quoted = encode_basestring(shown)
        return quoted


def _number(value: float) -> str:
    if isinstance(value, int):
        is_long = value.bit_length() > _LARGEST_BITS  # also: Python refuses to print very long ones
        return '"<long number>"' if is_long else int.__repr__(value)
    text = float.__repr__(value)
    return text if math.isfinite(value) else f'"{text}"'


def as_messages(given: object, role: str) -> object:
    """Messages of a chat in the shape that the conventions' JSON schemas describe.

    Args:
        given: a text, which is one message; or a sequence of texts and of messages in OpenAI's
            shape (`role`, `content`) or the conventions' (`role`, `parts`).
        role: whose message a bare text is.
    """
    return [_with_parts(message) for message in as_openai_messages(given, role)]


def as_openai_messages(given: object, role: str) -> list[object]:
    """Messages of a chat in OpenAI's shape; those in another one stay as they are."""
    messages = given if isinstance(given, list | tuple) else [given]
    return [{"role": role, "content": m} if isinstance(m, str) else m for m in messages]


def _with_parts(message: object) -> object:
    if not isinstance(message, Mapping) or "parts" in message or "content" not in message:
        return message
    content = message["content"]
    parts = [{"type": "text", "content": content}] if isinstance(content, str) else content
    return {name: value for name, value in message.items() if name != "content"} | {"parts": parts}
