"""The runtime's histogram where values are kept in files."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import prometheus_client as prom

from autogpt_observe.runtime.atomic import format_context, without_created
from autogpt_observe.runtime.multiprocess.exemplars import put_exemplar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client.metrics_core import Metric as Family

    from autogpt_observe.runtime.atomic import Context


class SharedHistogram(prom.Histogram):
    """A histogram that other processes read; the counterpart of `AtomicHistogram`.

    Its count is always that of its buckets. Its sum may be ahead by the observations that are
    being made: the library's file has no place for both at once.
    """

    def observe(self, amount: float, exemplar: Mapping[str, str] | Context | None = None) -> None:
        """Count one observation; one that is not finite is dropped."""
        if amount - amount != 0.0:  # true of NaN and the infinities alone
            return
        bucket = self._buckets[bisect_left(self._upper_bounds, amount)]
        self._sum.inc(amount)
        bucket.inc(1)
        if exemplar is not None:
            labels = format_context(exemplar) if isinstance(exemplar, tuple) else exemplar
            put_exemplar(bucket._key, labels, amount)  # noqa: SLF001  # what names it in the files

    def observe_in(self, amount: float, context: Context | None) -> None:
        """Count one observation, made in the sampled span of ``context`` if there is one."""
        self.observe(amount, context)

    def collect(self) -> Iterable[Family]:
        """As the client has it, without creation times."""
        return without_created(super().collect())
