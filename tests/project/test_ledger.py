"""The ledger of metrics that are declared but that nothing emits yet. It may only shrink."""

from __future__ import annotations

from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.exporter import OBSERVED
from autogpt_observe.runtime.feeds import MOVED
from autogpt_observe.runtime.readings import READINGS
from autogpt_observe.spec.load import load_spec

_HEALTH = "needs health checks"
_SCALING = "needs the scaling signal"
UNEMITTED = {
    "autogpt_health_check_passing": _HEALTH,
    "autogpt_scaling_wanted_replicas": _SCALING,
    "autogpt_scaling_signal_age_seconds": _SCALING,
    "autogpt_scaling_blocked": _SCALING,
}
NOT_OURS = (MetricSource.CODE, MetricSource.EXTERNAL)


def test_the_ledger_names_exactly_what_nothing_emits() -> None:
    emitted = MOVED | READINGS.keys() | OBSERVED
    declared = load_spec().metrics
    silent = {n for n, m in declared.items() if m.from_ not in (*emitted, *NOT_OURS)}
    assert silent == set(UNEMITTED)
