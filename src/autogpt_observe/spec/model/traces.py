"""Which traces are kept."""

from __future__ import annotations

from autogpt_observe.spec.keys import key, part
from autogpt_observe.units import Duration, Ratio

_MOST_SPANS = 10_000_000


@part
class Tail:
    """Which traces are exported, decided when the work in this process has ended.

    Exported is the share `sample`; further every trace of a run that failed, was stuck or went
    over its budget, and what `errors` and `slow` ask for. This share and that of `traces.sample`
    are both of all traces, and the smaller lies inside the larger.
    """

    sample: Ratio = key("Share of all traces that is exported in any case")
    errors: bool = key(
        "Export also traces in which anything failed, if only a tool call", default=True
    )
    slow: Duration | None = key("Export also traces that take longer", default=None)
    decide_after: Duration = key(
        "Longest time that the spans of a trace are held, waiting for a reason to export it",
        default=Duration(2 * 3_600_000),
    )
    max_trace_spans: int = key(
        "Most spans that are held of one trace", default=1000, bounds=(1, _MOST_SPANS)
    )
    max_spans: int = key("Most spans that are held in all", default=20_000, bounds=(1, _MOST_SPANS))


@part
class Traces:
    """Which traces are recorded and exported."""

    sample: Ratio = key(
        "Share of new traces that is recorded; of those that another service began, it decides",
        default=Ratio.parse("100%"),
    )
    tail: Tail | None = key(
        "Export only a part of what was recorded, and what is worth it", default=None
    )
