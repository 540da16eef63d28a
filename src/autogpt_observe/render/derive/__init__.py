"""The unit tests of typed conditions, derived from their numbers.

Each test is a story: series, and what must be seen of the alert at some moments. What must be seen
is worked out from the samples alone, by judges that know nothing of the PromQL that is rendered.

`story` says what a story is, and which ones every kind of condition has; `clock` is the way of an
alert from pending to firing and back; `samples` is what Prometheus makes of a window; `levels` are
the numbers beside a limit and `labels` the label sets. Each kind of condition has a module of its
own: a judge, which says when the condition holds, and a scene, which plays its series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import PromQL
from autogpt_observe.render.derive.absences import tell_absence
from autogpt_observe.render.derive.ages import age_scenes
from autogpt_observe.render.derive.burn import derive_burn_stories
from autogpt_observe.render.derive.clock import clock_of
from autogpt_observe.render.derive.events import event_scenes
from autogpt_observe.render.derive.gauges import gauge_scenes
from autogpt_observe.render.derive.quantiles import quantile_scenes
from autogpt_observe.render.derive.ratio import ratio_scenes
from autogpt_observe.render.derive.story import Labels, Printed, Story, tell
from autogpt_observe.render.derive.trends import trend_scenes
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import Alert, Spec

__all__ = ["Labels", "Printed", "Story", "derive_stories"]


def derive_stories(spec: Spec, alert: Alert, *, printed: Printed) -> Mapping[str, Story]:
    """The derived tests of ``alert`` by name; none for raw PromQL, which brings its own.

    ``printed`` gives what a firing alert shows for its labels and value. Raises ObserveError where
    no such tests exist: a limit that nothing passes, texts that print more digits than all versions
    of Prometheus agree on.
    """
    when, clock = alert.when, clock_of(spec, alert)
    match when:
        case PromQL():
            return {}
        case RatioCondition():
            return tell(ratio_scenes(spec, when, clock), clock, printed)
        case RateCondition() | IncreaseCondition():
            return tell(event_scenes(spec, when, clock), clock, printed)
        case ThresholdCondition():
            return tell(gauge_scenes(spec, when, clock), clock, printed)
        case QuantileCondition():
            return tell(quantile_scenes(spec, when, clock), clock, printed)
        case AbsentCondition():
            return tell_absence(spec, when, clock)
        case StaleCondition():
            return tell(age_scenes(spec, when, clock), clock, printed)
        case TrendCondition():
            return tell(trend_scenes(spec, when, clock), clock, printed)
        case BurnCondition():
            return derive_burn_stories(spec, alert, when, printed=printed)
        case _:
            assert_never(when)
