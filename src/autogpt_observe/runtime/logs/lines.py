"""Builds lines: what was logged, and where and when, as one line of JSON with ECS fields."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import orjson

from autogpt_observe.runtime.logs.failures import MOST_STACK, message_of, stack_of, type_of
from autogpt_observe.runtime.logs.fields import (
    ECS,
    ECS_VERSION,
    ERROR_MESSAGE,
    ERROR_TYPE,
    EVENT_DATASET,
    EVENT_ID,
    FLAGS,
    LABELS,
    LEVEL,
    LEVEL_NAMES,
    LOGGER,
    MESSAGE,
    NUMBERS,
    PROCESS_ID,
    SERVICE_ENVIRONMENT,
    SERVICE_NAME,
    SPAN_ID,
    STACK_TRACE,
    TIMESTAMP,
    TRACE_ID,
    TRUNCATED,
)
from autogpt_observe.runtime.logs.places import Places
from autogpt_observe.runtime.logs.placing import Draft, mend, place_late, shorten
from autogpt_observe.runtime.logs.spans import CurrentSpan
from autogpt_observe.runtime.logs.stamps import Stamps
from autogpt_observe.runtime.logs.values import (
    MOST_CHARS,
    MOST_READ,
    NUMBER_LIMIT,
    cut,
    cut_middle,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.runtime.logs.places import Redactor
    from autogpt_observe.runtime.logs.placing import Record
    from autogpt_observe.runtime.logs.spans import Ids

MOST_BYTES = 65_536
"""Longest line."""
MOST_FIELDS = 100
"""How many fields of the host a line has."""
_MOST_NAMES = 4_096
_LIMITS = (4_096, 1_024, 256, 64)
_NAMES = dict(LEVEL_NAMES)  # the hot path reads it
_MOST_INT = int(NUMBER_LIMIT)
_LEAST_INT, _LEAST = -_MOST_INT, -NUMBER_LIMIT
_LOST = "(what was logged here could not be told)"
_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Ends of lines to Unicode, which JSON lets stand in a text."""


class Origin(NamedTuple):
    """Who logs, as every line says it."""

    service: str
    environment: str
    dataset: str


class About(NamedTuple):
    """What is known of an event beyond its words and the host's fields.

    Attributes:
        error: the exception that it is about.
        ids: those of the span that it belongs to; None for the current one.
        fields: ECS fields, with values of their types.
    """

    error: BaseException | None = None
    ids: Ids | None = None
    fields: Mapping[str, object] | None = None


class _Names(dict[str, str]):
    """Names of loggers and of classes, as lines have them; the first few are remembered."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def __missing__(self, name: str) -> str:
        shown = cut(self._redact(text_of(name)))
        if shown == name and len(self) < _MOST_NAMES:  # others may be secrets
            self[name] = shown
        return shown


class LineBuilder:
    """Builds lines; any thread may use it.

    Args:
        origin: who logs.
        declared: the ECS field of each attribute of the spec that has one.
        redactor: takes secrets out of texts and fields; None takes nothing out.
        apart: whether each text must be looked at alone, because a pattern may ask where it
            begins or ends. Otherwise all are looked at together, which costs a third.
        on_error: told when a line could not be built.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        declared: Mapping[str, str],
        redactor: Redactor | None,
        apart: bool = False,
        on_error: OnError,
    ) -> None:
        self._origin = origin
        self._redactor = redactor
        self._apart = apart
        self._redact: Callable[[str], str] = _as_it_is if redactor is None else redactor.text
        self._names = _Names(self._redact)
        self._on_error = on_error
        self._places = Places(declared, redactor)
        self._plain = self._places.plain
        self._stamps = Stamps()
        self._stamp = self._stamps.stamp
        self._ids = CurrentSpan().ids
        self._tail = _tail(origin)

    def renew(self) -> None:
        """In a forked child: other ids, another process."""
        self._stamps.renew()
        self._tail = _tail(self._origin)

    def build(
        self,
        level: int,
        message: str,
        fields: Mapping[str, object],
        logger: str = "",
        about: About | None = None,
    ) -> bytes:
        """One line, with its end, of an event that ``logger`` tells of. Never raises."""
        timestamp, event_id = self._stamp()
        record: Record = {  # what people read first, in the order that the ECS loggers have
            TIMESTAMP: timestamp,
            LEVEL: _NAMES[level],
            MESSAGE: "",
            EVENT_ID: event_id,
        }
        try:
            if logger:
                record[LOGGER] = self._names[logger]
            trace_id, span_id = self._ids()
            if trace_id:
                record[TRACE_ID] = trace_id
                record[SPAN_ID] = span_id
            was_cut = self._place(message, fields, record)
            if about is not None:
                was_cut |= self._describe(about, record)
            if was_cut:
                record[FLAGS] = [TRUNCATED]
            try:
                line = orjson.dumps(record)[:-1] + self._tail
            except TypeError:  # a lone surrogate, which UTF-8 has no bytes for
                line = self._mended(record)
            if len(line) > MOST_BYTES:
                line = self._shortened(record)
        except Exception as error:  # noqa: BLE001  # nothing is raised into the host
            line = self._lost(record, error)
        return line if line.isascii() else _as_one(line)

    def _place(  # noqa: C901, PLR0912  # what comes first is what costs least
        self, message: str, fields: Mapping[str, object], record: Record
    ) -> bool:
        """Give the message, and each field, its place; whether anything was cut."""
        plain = self._plain
        was_cut = len(fields) > MOST_FIELDS
        items = islice(fields.items(), MOST_FIELDS) if was_cut else fields.items()
        if len(message) > MOST_CHARS:
            was_cut = True
            message = cut(self._redact(message[:MOST_READ]))
        record[MESSAGE] = message
        texts = [message]
        labels: Record = {}
        numbers: Record = {}
        late: list[tuple[object, object]] | None = None
        for key, value in items:
            if key in plain:
                kind = type(value)
                if kind is str:
                    if len(value) <= MOST_CHARS:  # type: ignore[arg-type]  # it is a text
                        labels[key] = value
                        texts.append(value)  # type: ignore[arg-type]  # as above
                        continue
                elif kind is int:
                    if _LEAST_INT < value < _MOST_INT:  # type: ignore[operator]  # a number
                        numbers[key] = value
                        continue
                elif kind is float and _LEAST < value < NUMBER_LIMIT:  # type: ignore[operator]  # as above
                    numbers[key] = value
                    continue
            if late is None:
                late = []
            late.append((key, value))
        all_ = "\n".join(texts)
        if self._apart or self._redact(all_) is not all_:
            record[MESSAGE] = self._redact(message)
            for key, text in labels.items():
                labels[key] = self._redact(text)  # type: ignore[arg-type]  # all are texts so far
        if late is not None:
            draft = Draft(record, labels, numbers)
            was_cut |= place_late(late, draft, self._places, self._redactor)
        if labels:
            record[LABELS] = labels
        if numbers:
            record[NUMBERS] = numbers
        return was_cut

    def _describe(self, about: About, record: Record) -> bool:
        """Add what is known beyond the fields; whether anything was cut."""
        if about.ids is not None:
            record[TRACE_ID], record[SPAN_ID] = about.ids
        for field, value in (about.fields or {}).items():
            record[field] = self._redact(value) if type(value) is str else value
        if about.error is None:
            return False
        message, stack = self._redact(message_of(about.error)), self._redact(stack_of(about.error))
        record[ERROR_TYPE] = self._names[type_of(about.error)]
        record[ERROR_MESSAGE] = cut(message)
        record[STACK_TRACE] = cut_middle(stack, MOST_STACK)
        return len(message) > MOST_CHARS or len(stack) > MOST_STACK

    def _mended(self, record: object) -> bytes:
        """The line of a record that may not be told in UTF-8 as it is."""
        return orjson.dumps(mend(record))[:-1] + self._tail

    def _lost(self, record: Record, error: Exception) -> bytes:
        """What is left of a line when all else failed: nothing of the host's."""
        with suppress(Exception):  # the stack may be at its end
            self._on_error("log line", error)
        kept = {field: record[field] for field in (TIMESTAMP, LEVEL, EVENT_ID)}
        return orjson.dumps({**kept, MESSAGE: _LOST})[:-1] + self._tail

    def _shortened(self, record: Record) -> bytes:
        """The line of a record that is too long, with every text in it shorter."""
        record[FLAGS] = [TRUNCATED]
        line = b""
        for limit in _LIMITS:
            line = self._mended(shorten(record, limit))
            if len(line) <= MOST_BYTES:
                return line
        for name in (LABELS, NUMBERS):  # a hundred names that are long in UTF-8
            record.pop(name, None)
        return self._mended(shorten(record, _LIMITS[-1]))


def _tail(origin: Origin) -> bytes:
    """What every line ends with."""
    same = {
        ECS: ECS_VERSION,
        SERVICE_NAME: origin.service,
        SERVICE_ENVIRONMENT: origin.environment,
        EVENT_DATASET: origin.dataset,
        PROCESS_ID: os.getpid(),
    }
    said = {field: value for field, value in same.items() if value != ""}
    return b"," + orjson.dumps(said)[1:] + b"\n"


def _as_one(line: bytes) -> bytes:
    """``line`` without the ends of lines that only Unicode knows."""
    for end, escaped in _BREAKS:
        line = line.replace(end, escaped)
    return line


def _as_it_is(text: str) -> str:
    return text
