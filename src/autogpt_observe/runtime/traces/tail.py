"""Tail sampling: which traces are exported, decided when the work in this process has ended.

A trace that its id puts into the share `sample` is exported as it goes, and so is one as soon as
there is a reason to keep it. Held back are only the spans of a trace that would be dropped if it
ended now, in case that a reason comes up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from opentelemetry.trace import StatusCode

from autogpt_observe.runtime.traces.sampling import RANDOM_PART, bound_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autogpt_observe.runtime.traces.spans import Span
    from autogpt_observe.spec.model import Tail

CUT_SPANS = "autogpt.trace.cut_spans"
"""Attribute of a local root: how many spans of its trace were let go before it was kept."""

REMEMBERED = 10_000
"""Traces of which it is remembered what was decided, for spans that end late."""

_FULL, _CUT = "tail_full", "trace_full"


@dataclass(slots=True)
class _Trace:
    """What is known of a trace that is not in the share.

    Attributes:
        started: when the earliest of its spans started, nanoseconds since the epoch.
        since: when the first of the spans came that are held, on the sampler's clock.
        held: the spans that wait for a reason.
        cut: spans let go while there was none.
        is_kept: a reason came up.
        is_over: its local root ended without one.
    """

    started: int
    since: float = 0.0
    held: list[Span] = field(default_factory=list)
    cut: int = 0
    is_kept: bool = False
    is_over: bool = False


class TailSampler:
    """Holds spans back until there is a reason to export their trace, within bounds.

    Where a trace holds its most, its further spans go; where all hold their most, those go that the
    trace holds which has held some for longest. A trace whose spans went can still be kept for a
    reason that comes up later, from then on; its local root tells how many are gone. Not
    thread-safe: it belongs to the exporter thread.

    ``on_drop`` is told the reason and the number of spans that a bound cost.
    """

    def __init__(
        self,
        tail: Tail,
        *,
        on_drop: Callable[[str, int], None],
        clock: Callable[[], float] = time.monotonic,
        remembered: int = REMEMBERED,
    ) -> None:
        self._bound = bound_of(float(tail.sample.value))
        self._errors = tail.errors
        self._slow = None if tail.slow is None else tail.slow.ms * 1_000_000
        self._longest = tail.decide_after.ms / 1000
        self._most_of_trace = tail.max_trace_spans
        self._most = tail.max_spans
        self._on_drop = on_drop
        self._clock = clock
        self._remembered = remembered
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._traces: dict[int, _Trace] = {}  # the one that a span came of least recently first
        self._holding: dict[int, _Trace] = {}  # the one that has held spans for longest first
        self._held = 0
        self._lost: dict[str, int] = {}

    def take(self, spans: Sequence[Span], /) -> Sequence[Span]:
        """Take spans that ended; gives those to export, earlier ones of their traces included."""
        passed: list[Span] = []
        over: list[tuple[int, _Trace]] = []
        self._judge_old(passed)
        for span in spans:
            self._take(span, passed, over)
        for trace_id, trace in over:  # only now: what ended with the root may come just behind it
            if not trace.is_kept:
                trace.is_over = True
                self._let_go(trace_id, trace)
        for trace_id in [*islice(self._traces, max(0, len(self._traces) - self._remembered))]:
            self._lose(_FULL, self._let_go(trace_id, self._traces.pop(trace_id)))
        for reason, lost in self._lost.items():
            self._on_drop(reason, lost)
        self._lost.clear()
        return passed

    @property
    def held(self) -> int:
        """How many spans are held."""
        return self._held

    def _take(self, span: Span, passed: list[Span], over: list[tuple[int, _Trace]]) -> None:
        trace_id = span.context.trace_id
        if trace_id & RANDOM_PART < self._bound:
            passed.append(span)
            return
        trace = self._traces.pop(trace_id, None) or _Trace(span.started)
        self._traces[trace_id] = trace
        is_root = span.parent is None or span.parent.is_remote
        trace.started = min(trace.started, span.started)
        if not trace.is_kept and self._is_worth_it(span, trace):
            self._keep(trace_id, trace, passed)
        if trace.is_kept:
            if is_root and trace.cut:
                span.attributes = {**(span.attributes or {}), CUT_SPANS: trace.cut}
            passed.append(span)
        elif not trace.is_over:
            self._hold(span, trace_id, trace)
            if is_root:
                over.append((trace_id, trace))

    def _is_worth_it(self, span: Span, trace: _Trace) -> bool:
        if span.keep or (self._slow is not None and span.ended - trace.started > self._slow):
            return True
        status = span.status
        return self._errors and status is not None and status.status_code is StatusCode.ERROR

    def _keep(self, trace_id: int, trace: _Trace, passed: list[Span]) -> None:
        passed += trace.held
        trace.is_kept = True
        cut = trace.cut
        self._let_go(trace_id, trace)
        trace.cut = cut

    def _hold(self, span: Span, trace_id: int, trace: _Trace) -> None:
        if len(trace.held) >= self._most_of_trace:
            trace.cut += 1
            self._lose(_CUT, 1)
            return
        if not trace.held:
            trace.since = self._clock()
            self._holding[trace_id] = trace
        trace.held.append(span)
        self._held += 1
        if self._held > self._most:
            self._lose(_FULL, self._let_go(*next(iter(self._holding.items()))))

    def _let_go(self, trace_id: int, trace: _Trace) -> int:
        lost = len(trace.held)
        self._held -= lost
        trace.cut += lost
        trace.held = []
        self._holding.pop(trace_id, None)
        return lost

    def _lose(self, reason: str, lost: int) -> None:
        if lost:
            self._lost[reason] = self._lost.get(reason, 0) + lost

    def _judge_old(self, passed: list[Span]) -> None:
        """Decide on the spans that were held for as long as they may be."""
        limit = self._clock() - self._longest
        old = list(takewhile(lambda item: item[1].since <= limit, self._holding.items()))
        for trace_id, trace in old:
            if self._slow is None:
                self._let_go(trace_id, trace)
            else:  # so long is slow: a check of the spec sees to that
                self._keep(trace_id, trace, passed)
