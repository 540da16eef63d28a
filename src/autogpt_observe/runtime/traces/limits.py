"""How much a span may carry, by OpenTelemetry's variables.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.runtime.traces.variables import read_count

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL = 128
_NO_LIMIT = 999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most of each in a span; of an attribute's text, most characters.

    What is too much is left out and counted: the attributes that were set last, but the events and
    links that came first, for the error that ended a span comes last.
    """

    attributes: int = _USUAL
    events: int = _USUAL
    links: int = _USUAL
    event_attributes: int = _USUAL
    link_attributes: int = _USUAL
    length: int = _NO_LIMIT


def read_limits(environ: Mapping[str, str]) -> Limits:
    """What the variables say; one that can't be used is logged, and left out."""

    def read(name: str, default: int) -> int:
        return read_count(environ, name, default, least=0)

    attributes = read("OTEL_ATTRIBUTE_COUNT_LIMIT", _USUAL)
    length = read("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", _NO_LIMIT)
    return Limits(
        attributes=read("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes),
        events=read("OTEL_SPAN_EVENT_COUNT_LIMIT", _USUAL),
        links=read("OTEL_SPAN_LINK_COUNT_LIMIT", _USUAL),
        event_attributes=read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", attributes),
        link_attributes=read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", attributes),
        length=read("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length),
    )
