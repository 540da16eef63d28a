"""Checks of `traces`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context
    from autogpt_observe.spec.model import Tail
    from autogpt_observe.units import Ratio


def check_traces(context: Context) -> None:
    """Check the shares and the limits of sampling."""
    traces = context.spec.traces
    if traces is None:
        return
    head_fits = _check_share(context, traces.sample, ("traces", "sample"))
    tail = traces.tail
    if tail is None:
        return
    tail_fits = _check_share(context, tail.sample, ("traces", "tail", "sample"))
    if head_fits and tail_fits and tail.sample >= traces.sample:
        share = tail.sample.percent
        message = f"{share} of all traces are exported in any case, and no more are recorded"
        fix = "write a smaller share, or leave `tail` out"
        context.error("traces/share", message, ("traces", "tail", "sample"), fix=fix)
    _check_limits(context, tail)


def _check_share(context: Context, share: Ratio, path: tuple[str, ...]) -> bool:
    """Report a share of more than everything."""
    if share.value <= 1:
        return True
    message = f"{share.percent} is more than all traces"
    context.error("traces/share", message, path, fix="write a share from `0%` to `100%`")
    return False


def _check_limits(context: Context, tail: Tail) -> None:
    path = ("traces", "tail")
    if tail.slow is not None and tail.slow.ms == 0:
        message = "every trace takes longer than 0s, so none is dropped"
        fix = "write how long a trace usually takes at the most"
        context.error("traces/limit", message, (*path, "slow"), fix=fix)
    if tail.slow is not None and tail.slow > tail.decide_after:
        message = (
            f"a trace that takes longer than {tail.slow} loses the spans that were held for"
            f" {tail.decide_after}"
        )
        fix = f"write `decide_after: {tail.slow}` or more"
        context.error("traces/limit", message, (*path, "slow"), fix=fix)
    if tail.max_trace_spans > tail.max_spans:
        message = (
            f"one trace may hold {tail.max_trace_spans} spans, and all together {tail.max_spans}"
        )
        fix = "raise `max_spans`, or lower `max_trace_spans`"
        context.error("traces/limit", message, (*path, "max_trace_spans"), fix=fix)
