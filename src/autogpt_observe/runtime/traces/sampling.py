"""Head sampling: which traces are recorded, decided when they begin.

The rules and the arithmetic are those of OpenTelemetry's samplers, so that services which sample a
share of their traces agree on which these are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.runtime.incidents import LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import SpanContext

    from autogpt_observe.spec.model import Traces

    Decide = Callable[[int, SpanContext | None], bool]

SAMPLER = "OTEL_TRACES_SAMPLER"
SAMPLER_ARG = "OTEL_TRACES_SAMPLER_ARG"

_RANDOM_BITS = 64
RANDOM_PART = (1 << _RANDOM_BITS) - 1
"""The bits of a trace's id that decide."""

_ON, _OFF, _RATIO = "always_on", "always_off", "traceidratio"
_PARENT_BASED = "parentbased_"
_USUAL = _PARENT_BASED + _ON
_KNOWN = (_ON, _OFF, _RATIO, *(_PARENT_BASED + root for root in (_ON, _OFF, _RATIO)))


@dataclass(frozen=True, slots=True)
class Head:
    """A head sampler.

    Attributes:
        name: which rule it follows, for people.
        decide: whether to record a new span, from its trace's id and its parent, if that is valid.
    """

    name: str
    decide: Decide


def bound_of(share: float) -> int:
    """Below it lies the random part of the ids of ``share`` of the traces."""
    return round(share * (1 << _RANDOM_BITS))


def read_head(traces: Traces | None, environ: Mapping[str, str]) -> Head:
    """The sampler that OTEL_TRACES_SAMPLER names, else the spec's share of new traces."""
    name = environ.get(SAMPLER, "").strip().lower()
    if name in _KNOWN:
        return _head(name, _read_share(environ) if name.endswith(_RATIO) else 1.0)
    if name:
        LOG.warning("%s: got %.40r, expected one of %s", SAMPLER, name, ", ".join(_KNOWN))
    share = 1.0 if traces is None else float(traces.sample.value)
    return _head(_USUAL, share) if share >= 1 else _head(_PARENT_BASED + _RATIO, share)


def _head(name: str, share: float) -> Head:
    root = name.removeprefix(_PARENT_BASED)
    bound = bound_of({_ON: 1.0, _OFF: 0.0}.get(root, share))
    shown = f"{name}{{{share:g}}}" if root == _RATIO else name
    return Head(shown, _parent_based(bound) if name.startswith(_PARENT_BASED) else _flat(bound))


def _flat(bound: int) -> Decide:
    def decide(trace_id: int, _parent: SpanContext | None) -> bool:
        return trace_id & RANDOM_PART < bound

    return decide


def _parent_based(bound: int) -> Decide:
    def decide(trace_id: int, parent: SpanContext | None) -> bool:
        if parent is not None:
            return parent.trace_flags & 1 == 1  # its property `sampled` takes thrice as long
        return trace_id & RANDOM_PART < bound

    return decide


def _read_share(environ: Mapping[str, str]) -> float:
    text = environ.get(SAMPLER_ARG, "").strip()
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if 0 <= share <= 1:
        return share
    LOG.warning("%s: got %.40r, expected a share from 0 to 1; it is 1", SAMPLER_ARG, text)
    return 1.0
