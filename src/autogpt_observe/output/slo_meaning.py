"""What a change of an objective means: one number in the spec changes many rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.render.slo import BUDGET_LEFT, OBJECTIVE
from autogpt_observe.units import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OBJECTIVE_FILES = re.compile(r"rules/slo-(.+)\.rules\.yml")
_RECORDED = "recording rule "
_COUNTED = (f"{_RECORDED}slo:bad_events:", f"{_RECORDED}slo:total_events:")
_PROMISED = re.compile(rf"record: {re.escape(OBJECTIVE)}\s+expr: vector\(([0-9.]+)\)")
_PERIOD = re.compile(rf"record: {re.escape(BUDGET_LEFT)}\s+expr: .*slo:sli_error:ratio_rate(\w+)")


def describe_objective(slo: str, old: str, new: str, changes: Sequence[str]) -> Iterator[str]:
    """The changes of an objective's rules, each told once, and what they follow from first.

    Args:
        slo: the objective's name.
        old: its rules as they were.
        new: its rules as they will be.
        changes: every difference of the two, rule by rule.
    """
    promised = [_promise(text) for text in (old, new)]
    if promised[0] != promised[1] and None not in promised:
        yield f"objective {slo}: {promised[0]} -> {promised[1]}"
    kept = [line for line in changes if not line.startswith(_RECORDED)]
    recorded = [line for line in changes if line.startswith(_RECORDED)]
    if promised[0] == promised[1]:
        counted = [line for line in recorded if line.startswith(_COUNTED)]
        kept = [*(counted or recorded), *kept]
    else:
        kept = [line for line in kept if " annotations " not in line]
    yield from dict.fromkeys(kept)


def _promise(text: str) -> str | None:
    share, period = _PROMISED.search(text), _PERIOD.search(text)
    if share is None or period is None:
        return None
    return f"{Ratio.parse(share[1]).percent} over {period[1]}"
