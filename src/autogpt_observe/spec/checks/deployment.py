"""Checks of `deployment`, `autoscaling` and `logs`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import looks_secret

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context


_TIMESTAMP = re.compile(r"%\{\w+:timestamp[:}]|\(\?<timestamp>", re.ASCII)
"""How grok captures `timestamp`: with a named pattern, or with a group of its own."""


def check_deployment(context: Context) -> None:
    """Check the ports and resources of the deployment."""
    deployment = context.spec.deployment
    if deployment is None:
        return
    if deployment.port == deployment.metrics_port:
        message = f"the service and its metrics share the port {deployment.port}"
        fix = "give `metrics_port` another number: /metrics must not be public"
        context.error("deploy/ports", message, ("deployment", "metrics_port"), fix=fix)
    requests, limits = deployment.resources.requests, deployment.resources.limits
    for kind in ("cpu", "memory"):
        asked, most = getattr(requests, kind), getattr(limits, kind)
        if asked.value > most.value:
            message = f"the request for {kind}, {asked}, is above its limit, {most}"
            path = ("deployment", "resources", "requests", kind)
            context.error("deploy/resources", message, path)
    for name, value in deployment.env.items():
        if looks_secret(f"{name}: {value}") and value:
            message = f"the environment variable `{name}` is given what looks like a secret"
            fix = f"keep it in a Kubernetes Secret: `secrets: {{{name}: {{secret: .., key: ..}}}}`"
            context.error("deploy/secret", message, ("deployment", "env", name), fix=fix)


def check_autoscaling(context: Context) -> None:
    """Check the range of replicas and what it is scaled by."""
    scaling = context.spec.autoscaling
    if scaling is None:
        return
    if scaling.min > scaling.max:
        message = f"`min` is {scaling.min}, above `max`, {scaling.max}"
        context.error("autoscaling/range", message, ("autoscaling", "min"))
    for kind, share in (("cpu", scaling.cpu), ("memory", scaling.memory)):
        if share is not None and share.value == 0:
            message = f"no replica holds its {kind} at 0%"
            fix = "write a share above 0%"
            context.error("autoscaling/range", message, ("autoscaling", kind), fix=fix)
    if scaling.cpu is None and scaling.memory is None:
        message = "nothing is measured to scale by"
        context.error("autoscaling/range", message, ("autoscaling",), fix="add `cpu: 70%`")
    if not context.declares("deployment"):
        message = "there is no `deployment` to scale"
        context.error("autoscaling/range", message, ("autoscaling",), fix="add a `deployment:`")


def check_logs(context: Context) -> None:
    """Check that the line pattern gives what the date filter reads."""
    logs = context.spec.logs
    if logs is None:
        return
    if _TIMESTAMP.search(logs.pattern) is None:
        message = "the pattern captures no `timestamp`, so events would carry the time of arrival"
        fix = "write `%{TIMESTAMP_ISO8601:timestamp}` where the time stands"
        context.error("logs/pattern", message, ("logs", "pattern"), fix=fix)
