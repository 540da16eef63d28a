"""The numbers in OpenTelemetry's variables, read as its specification asks: a bad one is no error.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.runtime.incidents import LOG

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPORTERS = "OTEL_TRACES_EXPORTER"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
ASKING = (EXPORTERS, ENDPOINT, TRACES_ENDPOINT)
"""Without one of these nothing is exported."""

QUEUE_SIZE = "OTEL_BSP_MAX_QUEUE_SIZE"
BATCH_SIZE = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
SCHEDULE_DELAY = "OTEL_BSP_SCHEDULE_DELAY"
EXPORT_TIMEOUT = "OTEL_BSP_EXPORT_TIMEOUT"

_LONGEST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many spans wait, and for how long.

    Attributes:
        queue: most spans that wait to be exported.
        batch: most spans of one export.
        delay: seconds until a batch is exported that is not full.
        timeout: seconds that one export may take.
    """

    queue: int = 2048
    batch: int = 512
    delay: float = 5.0
    timeout: float = 30.0


def read_pace(environ: Mapping[str, str]) -> Pace:
    """What the OTEL_BSP_... variables say; one that can't be used is logged, and left out."""
    usual = Pace()
    queue = read_count(environ, QUEUE_SIZE, usual.queue)
    batch = read_count(environ, BATCH_SIZE, min(usual.batch, queue))
    if batch > queue:
        LOG.warning("%s: a batch of %d is larger than the queue, %d", BATCH_SIZE, batch, queue)
        batch = queue
    return Pace(
        queue=queue,
        batch=batch,
        delay=read_count(environ, SCHEDULE_DELAY, int(usual.delay * 1000)) / 1000,
        timeout=read_count(environ, EXPORT_TIMEOUT, int(usual.timeout * 1000)) / 1000,
    )


def read_count(environ: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    """The whole number in a variable; ``default`` where it is unset, empty or can't be used."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_DIGITS:
        LOG.warning("%s: got %.40r, expected a whole number; it is %d", name, text, default)
        return default
    if int(text) < least:
        LOG.warning("%s: got %s, expected at least %d; it is %d", name, text, least, default)
        return default
    return int(text)
