"""What the demo does with a running stack, step by step, and what it tells of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autogpt_observe.names import MetricName, MetricSource, Name
from autogpt_observe.promql import Expression, aggregate, rate, selector
from autogpt_observe.proof.faults import FAULT, FAULT_OFF, FAULT_ON
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autogpt_observe.proof.stack import Stack
    from autogpt_observe.proof.timing import Timing
    from autogpt_observe.proof.webhook import Delivery
    from autogpt_observe.spec.model import Spec

MARGIN_SECONDS = 20.0
"""What every wait adds to the time that the rule itself needs, for slow machines."""

SPARE_SECONDS = 3.0
"""How much longer than an alert needs nothing must come before none is said to have come."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Numbers the steps, and puts the seconds since its making in front of every line."""

    out: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)
    steps: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        """Begin the next step."""
        self.steps.append(text)
        self._line(f"{len(self.steps)}. {text}")

    def detail(self, text: str) -> None:
        """Add to the step."""
        self._line(f"   {text}")

    def part(self, name: str, url: str) -> None:
        """Say where a part of the stack is found."""
        self.detail(f"{name:<14}{url}")

    def _line(self, text: str) -> None:
        self.out(f"{time.monotonic() - self.started:5.1f}s  {text}")


class NotSeenError(Exception):
    """What should have been seen was not, in its time. The message says what was seen instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """The steps of the demo; each raises NotSeenError when what it waits for does not come."""

    stack: Stack
    spec: Spec
    alert: Name
    timing: Timing
    tell: Teller

    def metrics_flow(self) -> None:
        """Show live values as Prometheus has them."""
        self.tell.step("metrics flow; Prometheus has:")
        window = Duration(4 * self.spec.prometheus.scrape_interval.ms)
        readings = tuple(_build_readings(self.spec, window))
        seen: dict[str, float | None] = {}

        def flowing() -> bool | None:
            seen.update({r.metric: self.stack.prometheus.value(r.expr) for r in readings})
            return all(r.is_flowing(seen[r.metric]) for r in readings) or None

        if not self.stack.wait_for(flowing, within=MARGIN_SECONDS + float(window.seconds)):
            found = ", ".join(f"{metric} is {value}" for metric, value in seen.items())
            raise NotSeenError(f"metrics did not flow in {MARGIN_SECONDS:.0f} s: {found}")
        self.stack.wait_for(lambda: None, within=float(window.seconds))
        self.stack.wait_for(flowing, within=MARGIN_SECONDS)  # once more, over a full window
        for reading in readings:
            self.tell.detail(f"{reading.metric:<30}{reading.format(seen[reading.metric] or 0)}")

    def fault_reaches_receiver(self) -> float:
        """Break the agent and show the notification; returns the seconds in between."""
        self.tell.step(f"fault on: {FAULT}")
        self.stack.program.send(FAULT_ON)
        return self._await("firing", within=self.timing.reach)

    def resolve_reaches_receiver(self) -> float:
        """Mend the agent and show the notification; returns the seconds in between."""
        self.tell.step("fault off: the agent works again")
        self.stack.program.send(FAULT_OFF)
        return self._await("resolved", within=self.timing.fade)

    def nothing_reaches_receiver(self) -> str:
        """Wait for as long as the alert would need; returns what came of it."""
        within = self.timing.reach + SPARE_SECONDS
        self.tell.step(f"no fault: wait {within:.1f} s, longer than {self.alert} needs to arrive")
        if self.stack.wait_for(lambda: self._delivery("firing"), within=within):
            return f"{self.alert} arrived, though there was no fault"
        return f"no alert arrived; {self.alert} needs a fault"

    def _await(self, status: str, *, within: float) -> float:
        began = time.monotonic()
        states: list[str] = []

        def delivered() -> Delivery | None:
            state, value = self._state()
            if state not in states[-1:]:
                states.append(state)
                self.tell.detail(f"{self.alert} is {state}{value}")
            return self._delivery(status)

        delivery = self.stack.wait_for(delivered, within=within + MARGIN_SECONDS)
        if delivery is None:
            waited = f"{within + MARGIN_SECONDS:.1f} s"
            state = states[-1] if states else "unknown"
            raise NotSeenError(f"{self.alert} {status} did not arrive in {waited}: it is {state}")
        took = time.monotonic() - began
        self.tell.step(f"{self.alert} {status} arrived at the receiver after {took:.1f} s:")
        self.tell.out(delivery.text)
        return took

    def _delivery(self, status: str) -> Delivery | None:
        return self.stack.webhook.find(self.alert, status=status)

    def _state(self) -> tuple[str, str]:
        """The highest state of the alert in Prometheus, and its value if it has one."""
        active = [found for found in self.stack.prometheus.alerts() if found.name == self.alert]
        for state in ("firing", "pending"):
            for found in active:
                if found.state == state:
                    return state, f", its value {found.value:.3g}"
        return "inactive", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A value that is shown, and how; a value that ``moves`` is above zero once metrics flow."""

    metric: MetricName
    expr: Expression
    moves: bool
    format: Callable[[float], str]

    def is_flowing(self, value: float | None) -> bool:
        return value is not None and (value > 0 or not self.moves)


def _build_readings(spec: Spec, window: Duration) -> Iterator[_Reading]:
    for name, metric in spec.metrics.items():
        if metric.from_ is MetricSource.FAILURE and metric.attributes:
            continue  # such a one may have no series before the first failure
        if metric.from_ in (MetricSource.RUN_START, MetricSource.RUN_END, MetricSource.FAILURE):
            yield _Reading(
                metric=name,
                expr=aggregate("sum", rate(selector(name, {}, window=window))),
                moves=metric.from_ is not MetricSource.FAILURE,
                format=lambda value: f"{value:.1f} per second",
            )
        elif metric.from_ is MetricSource.PROCESS_MEMORY:
            yield _Reading(
                metric=name,
                expr=selector(name, {}),
                moves=True,
                format=lambda value: f"{value / 1e6:.1f} MB",
            )
