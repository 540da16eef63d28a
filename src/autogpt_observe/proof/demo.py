"""The demo: an alert travels from exceptions in an agent to a receiver, and resolves."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.names import SETTING_PREFIX, Name, PromQL
from autogpt_observe.proof.play import NotSeenError, Play, Teller
from autogpt_observe.proof.stack import Blueprint, Endpoints, Stack, run_stack
from autogpt_observe.proof.timing import derive_timing
from autogpt_observe.proof.waiting import Interrupts
from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.model import Discovery, Notifications, Receiver, Webhook
from autogpt_observe.spec.scale import scale_spec
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from autogpt_observe.spec.model import Alert, Spec

TIME_SCALE = Fraction(1, 60)
"""Minutes become seconds."""

ALERT = Name("HighErrorRate")
RESEND_DELAY = Duration.parse("1m")
"""The default of Prometheus, which is scaled as the spec is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What to show.

    Attributes:
        spec: whose alert is shown; it declares :data:`ALERT` and notifications.
        spec_path: the file it was read from, for the agent; None is the packaged default spec.
        environment: the environment that was applied to it.
        fault: whether the agent's runs begin to fail; without it no alert may come.
        keep: leave everything running at the end, until Ctrl-C.
        time_scale: what the spec's durations are multiplied by.
    """

    spec: Spec
    spec_path: Path | None = None
    environment: str | None = None
    fault: bool = True
    keep: bool = False
    time_scale: Fraction = TIME_SCALE


def run_demo(demo: Demo, *, environ: Mapping[str, str], out: Callable[[str], None]) -> int:
    """Show the demo; ``out`` gets one line for each thing seen, and the payloads as JSON.

    Whatever ends it, all it started is stopped. Returns 0 when the alert arrived and resolved, 1
    when it did not. With ``demo.keep``, the interrupt that ends the keeping is a normal end.

    Raises:
        UsageError: the spec has nothing to show.
        ToolError: a program is missing, ended early or does not work.
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGHUP, after all was stopped.
    """
    spec = scale_spec(demo.spec, demo.time_scale)
    alert, notifications = _require_alert(spec), _require_notifications(spec)
    timing = derive_timing(alert, spec.prometheus, notifications)
    tell = Teller(out)
    tell.step(f"start an agent, Alertmanager and Prometheus{_format_pace(demo.time_scale)}")
    with Interrupts() as interrupts:
        blueprint = _build_blueprint(demo, spec, notifications, environ)
        with run_stack(blueprint, interrupts=interrupts, started=tell.part) as stack:
            if isinstance(alert.when, PromQL):
                tell.detail(f"{ALERT}: {alert.when} for {alert.for_}")
            play = Play(stack=stack, spec=spec, alert=ALERT, timing=timing, tell=tell)
            code = _play(play, fault=demo.fault)
            if demo.keep:
                _stay(stack, tell)
    out("all stopped")
    return code


def _play(play: Play, *, fault: bool) -> int:
    try:
        play.metrics_flow()
        if not fault:
            play.tell.step(f"not proven: {play.nothing_reaches_receiver()}")
            return 1
        came = play.fault_reaches_receiver()
        went = play.resolve_reaches_receiver()
    except NotSeenError as exc:
        play.tell.step(f"not proven: {exc}")
        play.tell.out(f"the programs last wrote:\n{play.stack.children.tails()}")
        return 1
    play.tell.step(
        f"proven: {ALERT} came {came:.1f} s after the fault and resolved {went:.1f} s after its end"
    )
    return 0


def _stay(stack: Stack, tell: Teller) -> None:
    tell.step(f"all runs on until Ctrl-C; look at {stack.prometheus.url}")
    try:
        stack.wait_for(lambda: None, within=float("inf"))
    except KeyboardInterrupt:
        return


def _build_blueprint(
    demo: Demo, spec: Spec, notifications: Notifications, environ: Mapping[str, str]
) -> Blueprint:
    argv = [sys.executable, "-P", "-m", "autogpt_observe.proof.agent"]
    if demo.spec_path is not None:
        argv += ["--spec", str(demo.spec_path)]
    if demo.environment is not None:
        argv += ["--env", demo.environment]

    def render(endpoints: Endpoints) -> dict[str, str]:
        pointed = _point_to(spec, notifications, endpoints)
        bundle = render_bundle(pointed, only=("prometheus", "alertmanager"))
        return {path: artifact.text for path, artifact in bundle.items()}

    return Blueprint(
        name="agent",
        argv=argv,
        # the settings of another service don't belong to this agent
        program_environ={
            name: value
            for name, value in environ.items()
            if not name.startswith(("OTEL_", SETTING_PREFIX))
        },
        render=render,
        resend_delay=RESEND_DELAY.scaled(demo.time_scale),
        environ=environ,
    )


def _point_to(spec: Spec, notifications: Notifications, endpoints: Endpoints) -> Spec:
    """``spec`` on this machine: nothing in it reaches beyond the stack."""
    receiver = Receiver(webhook=Webhook(url=endpoints.webhook))
    receivers = MappingProxyType(dict.fromkeys(notifications.receivers, receiver))
    return replace(
        spec,
        prometheus=replace(
            spec.prometheus,
            scrape=(endpoints.program,),
            discovery=Discovery.STATIC,
            alertmanagers=(endpoints.alertmanager,),
        ),
        notifications=replace(notifications, receivers=receivers),
    )


def _require_alert(spec: Spec) -> Alert:
    alert = spec.alerts.get(ALERT)
    if alert is None:
        raise UsageError(
            f"the demo shows the alert `{ALERT}`, which this spec does not declare;"
            " `include: [autogpt]` declares it"
        )
    return alert


def _require_notifications(spec: Spec) -> Notifications:
    if spec.notifications is None:
        raise UsageError(
            "the demo shows an alert's way to a receiver, and this spec has none;"
            " add `notifications` with a receiver"
        )
    return spec.notifications


def _format_pace(time_scale: Fraction) -> str:
    return "" if time_scale == 1 else f"; time runs {float(1 / time_scale):g} times as fast"
