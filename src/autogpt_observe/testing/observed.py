"""What a test asks: which metrics moved, which spans there were, what was logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.testing.failures import NotObservedError
from autogpt_observe.testing.tree import format_tree, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from autogpt_observe.runtime.events import Event
    from autogpt_observe.spec.model import Spec
    from autogpt_observe.testing.clock import FakeClock
    from autogpt_observe.testing.logs import Lines
    from autogpt_observe.testing.metrics import Metrics
    from autogpt_observe.testing.recording import RecordingProvider, RecordingSink
    from autogpt_observe.testing.spans import ObservedSpan, Reading


class Observed:
    """All that was observed. It stays readable when the test's observation is over.

    Attributes:
        spec: the spec in force.
        registry: where the metrics are.
        clock: what time it is; it stands still until `clock.advance` is called.
    """

    def __init__(  # noqa: PLR0913  # made in one place
        self,
        *,
        spec: Spec,
        registry: CollectorRegistry,
        clock: FakeClock,
        metrics: Metrics,
        provider: RecordingProvider,
        reading: Callable[[], Reading],
        sink: RecordingSink,
        lines: Lines,
    ) -> None:
        self.spec = spec
        self.registry = registry
        self.clock = clock
        self._metrics = metrics
        self._begun = provider.begun
        self._make_reading = reading
        self._reading: Reading | None = None
        self._sink = sink
        self._lines = lines

    def metric(self, name: str, /, **labels: str) -> float:
        """The value of a metric: of a counter the sum of the series that have these labels.

        Of a histogram ask for `NAME_count`, `NAME_sum`, or `NAME_bucket` with `le`.

        Raises:
            UsageError: the spec has no such metric, label or value.
            NotObservedError: a gauge has no such series, or several.
        """
        __tracebackhide__ = True
        return self._metrics.value(name, labels)

    def moved(self, *names: str) -> dict[str, float]:
        """The series that changed, as Prometheus writes them: counted since the start, or set.

        Of these metrics, or of all but those read from the operating system; of histograms count
        and sum.

        Raises:
            UsageError: the spec has no such metric.
        """
        __tracebackhide__ = True
        return self._metrics.moved(names)

    @property
    def spans(self) -> list[ObservedSpan]:
        """The spans, in the order they began; those that are open too."""
        if self._reading is None:  # loads OpenTelemetry's SDK, which many a test does without
            self._reading = self._make_reading()
        return self._reading.read(self._begun)

    def span(self, name: str, /, attributes: Mapping[str, object] | None = None) -> ObservedSpan:
        """The one span of this name, and with these attributes.

        Raises:
            NotObservedError: there is no such span, or there are several.
        """
        __tracebackhide__ = True
        spans, wanted = self.spans, (attributes or {}).items()
        found = [each for each in spans if each.name == name and wanted <= each.attributes.items()]
        if len(found) == 1:
            return found[0]
        raise NotObservedError(_not_one_span(name, dict(wanted), len(found), spans))

    def tree(self, *attributes: str) -> str:
        """The spans as a text, a line for each, with these of their attributes."""
        return format_tree(self.spans, attributes)

    @property
    def events(self) -> list[Event]:
        """What happened, in order, as `testing.events` has it; `trace` is left to the spans."""
        return list(self._sink.events)

    @property
    def logs(self) -> list[dict[str, object]]:
        """The lines that were logged, as their JSON says.

        Timestamps are the test's clock's. What differs from run to run is left out: the ids of the
        line and the process, the thread's name.
        """
        return list(self._lines.records)

    def clear(self) -> None:
        """Forget what was observed so far, such as what prepares a test; the clock goes on."""
        self._metrics.clear()
        self._begun.clear()
        self._sink.events.clear()
        self._lines.records.clear()

    def __repr__(self) -> str:
        return (
            f"<Observed: {len(self._begun)} spans, {len(self._sink.events)} events,"
            f" {len(self._lines.records)} log lines>"
        )


def _not_one_span(
    name: str, wanted: Mapping[str, object], count: int, spans: Sequence[ObservedSpan]
) -> str:
    shown = f"`{one_line(name)}`" + (f" with {wanted}" if wanted else "")
    if not spans:
        return f"there is no span {shown}, nor any other"
    names = tuple(dict.fromkeys(span.name for span in spans))
    if count:
        head = f"there are {count} spans {shown}; say which by its `attributes`, or see `spans`"
    elif name in names:
        head = f"there is no span {shown}"
    else:
        from autogpt_observe.diagnostics import suggest  # noqa: PLC0415  # loads difflib

        near = suggest(name, names)
        hint = "" if near is None else f"; did you mean `{one_line(near)}`?"
        head = f"there is no span {shown}{hint}"
    tree = format_tree(spans, tuple(wanted))
    return "\n".join(
        [
            f"{head}{'' if head.endswith('?') else '.'} There are:",
            *(f"  {line}" for line in tree.split("\n")),
        ]
    )
