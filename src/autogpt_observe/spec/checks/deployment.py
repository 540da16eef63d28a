"""Checks of `deployment`, `autoscaling` and `logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context


def check_deployment(context: Context) -> None:
    """Check ports and resources, and the range of replicas."""
    deployment, scaling = context.spec.deployment, context.spec.autoscaling
    if deployment is not None:
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
    if scaling is None:
        return
    if scaling.min > scaling.max:
        message = f"`min` is {scaling.min}, above `max`, {scaling.max}"
        context.error("autoscaling/range", message, ("autoscaling", "min"))
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
    if ":timestamp}" not in logs.pattern and ":timestamp:" not in logs.pattern:
        message = "the pattern captures no `timestamp`, so events would carry the time of arrival"
        fix = "write `%{TIMESTAMP_ISO8601:timestamp}` where the time stands"
        context.error("logs/pattern", message, ("logs", "pattern"), fix=fix)
