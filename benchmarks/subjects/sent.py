"""Where the spans of all ways go: an exporter that counts them, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

QUEUE = 100_000
"""Room for the spans of a whole run: none may be dropped."""


class Counting(SpanExporter):
    """Counts the spans of one name, and keeps the last one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: ReadableSpan | None = None
        self._count = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            if span.name == self._name:
                self._count += 1
                self._last = span
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """There is nothing to close."""

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002  # the interface's
        return True

    def take(self) -> int:
        """How many since it was last asked."""
        count, self._count = self._count, 0
        return count

    def said(self) -> dict[str, object]:
        """What the last span says."""
        assert self._last is not None
        return dict(sorted((self._last.attributes or {}).items()))


def batching(exporter: SpanExporter) -> BatchSpanProcessor:
    """The SDK's processor, with room for all."""
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE)
