"""Where spans leave the process: they are made readable, and given to each exporter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.traces.spans import Span

TRACES = "traces"
"""The signal, in the runtime's metrics about itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch.

    Attributes:
        failure: why it did not arrive, without a secret in it; None if it did.
        rejected: how many spans of a batch that arrived were refused there.
        reason: why they were.
    """

    failure: str | None = None
    rejected: int = 0
    reason: str = ""


DELIVERED = Outcome()


class Destination(Protocol):
    """One exporter.

    Attributes:
        name: what messages call it.
    """

    name: str

    def export(self, spans: Sequence[ReadableSpan], /) -> Outcome:
        """Export a batch."""

    def hurry(self, seconds: float, /) -> None:
        """The process ends, in so many seconds. Returns at once."""

    def close(self) -> None:
        """Let go of connections."""


class Given:
    """An exporter of the SDK's kind."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.name = type(exporter).__qualname__
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan], /) -> Outcome:
        """Export a batch."""
        result = self._exporter.export(spans)
        failed = getattr(result, "name", "SUCCESS") != "SUCCESS"
        return Outcome("it reported a failure") if failed else DELIVERED

    def hurry(self, seconds: float, /) -> None:
        """It can't be told."""

    def close(self) -> None:
        """Shut it down."""
        self._exporter.shutdown()


@dataclass(frozen=True, slots=True)
class Way:
    """The way out, set up for one process.

    Attributes:
        read: the SDK's form of a span.
        destinations: where it goes.
    """

    read: Callable[[Span], ReadableSpan]
    destinations: tuple[Destination, ...]


class SpanOutlet:
    """Sends spans to every destination; a failure of one is none of the others.

    ``prepare`` sets up the way out: once at the start, and again in a forked child.
    """

    def __init__(self, prepare: Callable[[], Way], incidents: Incidents) -> None:
        self._prepare = prepare
        self._incidents = incidents
        self._failing: set[str] = set()
        self._way: Way | None = prepare()

    def send(self, spans: Sequence[Span], /) -> bool:
        """Send a batch; whether it arrived everywhere."""
        try:
            way = self._way = self._way or self._prepare()
        except Exception as error:  # noqa: BLE001  # only in a forked child: nothing breaks its host
            self._incidents.note("traces", error)
            self._drop("export_failed", len(spans), "spans are dropped: their exporter failed")
            return False
        readable = self._read_all(spans, way)
        if not readable:
            return not spans
        sent = [self._send_to(destination, readable) for destination in way.destinations]
        return all(sent) and len(readable) == len(spans)

    def hurry(self, seconds: float, /) -> None:
        """The process ends, in so many seconds."""
        if self._way is not None:
            for destination in self._way.destinations:
                destination.hurry(seconds)

    def close(self) -> None:
        """Let go of connections."""
        if self._way is not None:
            for destination in self._way.destinations:
                try:
                    destination.close()
                except Exception as error:  # noqa: BLE001  # as above; the others are closed too
                    self._incidents.note("traces", error)

    def renew(self) -> None:
        """In a forked child: the connections are the parent's, and so is what was found out."""
        self._way = None
        self._failing = set()

    def _read_all(self, spans: Sequence[Span], way: Way) -> list[ReadableSpan]:
        readable = []
        for span in spans:
            try:
                readable.append(way.read(span))
            except Exception as error:  # noqa: BLE001  # as above; it may hold a secret still
                self._incidents.note("traces", error)
                self._drop("unreadable", 1, "a span is dropped: it could not be made ready")
        return readable

    def _send_to(self, destination: Destination, spans: Sequence[ReadableSpan]) -> bool:
        name = destination.name
        try:
            outcome = destination.export(spans)
        except Exception as error:  # noqa: BLE001  # as above
            outcome = Outcome(
                f"{type(error).__name__} in the exporter"
            )  # its text may hold secrets
        if outcome.failure is not None:
            self._failing.add(name)
            self._incidents.fail_export(TRACES, name, outcome.failure)
            message = "spans are dropped: they could not be exported"
            self._drop("export_failed", len(spans), message)
            return False
        if name in self._failing:
            self._failing.discard(name)
            self._incidents.recover_export(TRACES, name)
        if outcome.rejected:
            message = f"{name} refuses spans: {outcome.reason or 'it does not say why'}"
            self._drop("rejected", outcome.rejected, message)
        return not outcome.rejected

    def _drop(self, reason: str, count: int, message: str) -> None:
        self._incidents.drop(TRACES, reason, count, message)
