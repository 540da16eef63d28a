"""What a registry shows, as the work that a way has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Shown:
    """Tells how much was counted and observed since it was last asked."""

    def __init__(self, registry: CollectorRegistry, counter: str, histogram: str) -> None:
        self._registry = registry
        self._counter = counter
        self._histogram = histogram
        self._before = (0.0, 0.0)

    def take(self) -> dict[str, object]:
        counted, observed = 0.0, 0.0
        # The buckets follow each other; a full one counts more than that before it.
        below, full, exemplars = 0.0, 0, 0
        for family in self._registry.collect():
            for sample in family.samples:
                if sample.name == self._counter:
                    counted += sample.value
                elif sample.name == f"{self._histogram}_count":
                    observed += sample.value
                    below = 0.0
                elif sample.name == f"{self._histogram}_bucket":
                    full += sample.value > below
                    below = sample.value
                    if sample.exemplar is not None:
                        exemplars += set(sample.exemplar.labels) == {"trace_id", "span_id"}
        before, self._before = self._before, (counted, observed)
        return {
            "counted": counted - before[0],
            "observed": observed - before[1],
            "an exemplar in each full bucket": full == exemplars > 0,
        }
