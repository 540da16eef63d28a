"""Kubernetes manifests: the Deployment, its two Services and the HorizontalPodAutoscaler.

The public Service exposes the service's own port alone; /metrics has a headless Service of its own,
so that its name stands for every replica (a ClusterIP would hand each scrape to one of them by
chance); it carries the ``prometheus.io`` annotations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import SETTING_PREFIX
from autogpt_observe.render.emit import Document, format_yaml, format_yaml_documents
from autogpt_observe.units import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import (
        Autoscaling,
        ComputeResources,
        Deployment,
        Service,
        Spec,
    )
    from autogpt_observe.units import Ratio

FOLDER = "deploy/kubernetes"
METRICS_PATH = "/metrics"
HTTP, METRICS = "http", "metrics"
"""Names of the container's ports, which the Services refer to."""

OLDEST = Version((1, 23, 0))
"""The first Kubernetes with ``autoscaling/v2``."""

Manifest = dict[str, Document]

_LONGEST_NAME = 63 - len(f"-{METRICS}")
_NON_ROOT = (
    "The container must run as a user other than root: give the image a numeric `USER`.\n"
    "/metrics is reachable inside the cluster only, through the Service `{name}-metrics`."
)
_SCALED = (
    "`replicas` is where the service starts; from then on the autoscaler keeps it between {min}\n"
    "and {max}. Applying this file again sets it back until the autoscaler's next look, seconds\n"
    "later."
)


def render(spec: Spec) -> Mapping[str, str]:
    """The manifests under ``deploy/kubernetes/``; none without a deployment or autoscaling.

    Raises ObserveError for values that Kubernetes can't take or that would publish /metrics.
    """
    files: dict[str, str] = {}
    if spec.deployment is not None:
        files[f"{FOLDER}/deployment.yaml"] = format_yaml(
            _deployment(spec.service, spec.deployment), header=_header(spec)
        )
        files[f"{FOLDER}/service.yaml"] = format_yaml_documents(
            [
                _public_service(spec.service, spec.deployment),
                _metrics_service(spec.service, spec.deployment),
            ]
        )
    if spec.autoscaling is not None:
        files[f"{FOLDER}/hpa.yaml"] = format_yaml(_autoscaler(spec, spec.autoscaling))
    return files


def object_name(service: Service) -> str:
    """The service's name as an RFC 1123 label, short enough for ``-metrics`` to follow it."""
    return re.sub("[^a-z0-9-]", "-", service.name.lower())[:_LONGEST_NAME].rstrip("-")


def _header(spec: Spec) -> str:
    text = _NON_ROOT.format(name=object_name(spec.service))
    if spec.autoscaling is None:
        return text
    scaled = _SCALED.format(min=spec.autoscaling.min, max=spec.autoscaling.max)
    return f"{text}\n{scaled}"


def _selector(service: Service) -> dict[str, str]:
    return {"app.kubernetes.io/name": object_name(service)}


def _labels(service: Service) -> dict[str, str]:
    return _selector(service) | {"app.kubernetes.io/managed-by": "autogpt-observe"}


def _metadata(service: Service, deployment: Deployment | None, *, suffix: str = "") -> Manifest:
    metadata: Manifest = {"name": object_name(service) + suffix}
    if deployment is not None and deployment.namespace is not None:
        metadata["namespace"] = deployment.namespace
    return metadata | {"labels": _labels(service)}


def _deployment(service: Service, deployment: Deployment) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(service, deployment),
        "spec": {
            "replicas": deployment.replicas,
            "selector": {"matchLabels": _selector(service)},
            "template": {
                "metadata": {"labels": _labels(service)},
                "spec": {
                    "securityContext": {
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [_container(service, deployment)],
                },
            },
        },
    }


def _container(service: Service, deployment: Deployment) -> Manifest:
    if deployment.metrics_port == deployment.port:
        raise ObserveError(
            f"deployment.metrics_port: {deployment.port} is `port` too, so the public Service"
            " would expose /metrics; give one of them another port"
        )
    return {
        "name": object_name(service),
        "image": deployment.image,
        "ports": [
            {"name": HTTP, "containerPort": deployment.port},
            {"name": METRICS, "containerPort": deployment.metrics_port},
        ],
        "env": _environment(deployment),
        "resources": {
            "requests": _amounts(deployment.resources.requests),
            "limits": _amounts(deployment.resources.limits),
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _environment(deployment: Deployment) -> list[Document]:
    """The runtime's address first, unless the spec sets it; then the spec's own variables."""
    twice = sorted(deployment.env.keys() & deployment.secrets.keys())
    if twice:
        raise ObserveError(
            f"deployment: `{twice[0]}` is both in `env` and in `secrets`; keep one of them"
        )
    ours = {
        f"{SETTING_PREFIX}HOST": "0.0.0.0",  # noqa: S104  inside the pod's own network
        f"{SETTING_PREFIX}PORT": str(deployment.metrics_port),
    }
    theirs = {str(name): value for name, value in deployment.env.items()}
    variables: list[Document] = [
        {"name": name, "value": value}
        for name, value in (ours | theirs).items()
        if name not in deployment.secrets
    ]
    for name, reference in deployment.secrets.items():
        source = {"secretKeyRef": {"name": reference.secret, "key": reference.key}}
        variables.append({"name": name, "valueFrom": source})
    return variables


def _amounts(resources: ComputeResources) -> dict[str, str]:
    return {"cpu": str(resources.cpu), "memory": str(resources.memory)}


def _public_service(service: Service, deployment: Deployment) -> Manifest:
    port: Manifest = {"name": HTTP, "port": deployment.public_port, "targetPort": HTTP}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(service, deployment),
        "spec": {"type": "LoadBalancer", "selector": _selector(service), "ports": [port]},
    }


def _metrics_service(service: Service, deployment: Deployment) -> Manifest:
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(deployment.metrics_port),
        "prometheus.io/path": METRICS_PATH,
    }
    metadata = _metadata(service, deployment, suffix=f"-{METRICS}")
    port: Manifest = {"name": METRICS, "port": deployment.metrics_port, "targetPort": METRICS}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata | {"annotations": annotations},
        "spec": {"clusterIP": "None", "selector": _selector(service), "ports": [port]},
    }


def _autoscaler(spec: Spec, autoscaling: Autoscaling) -> Manifest:
    if spec.targets.kubernetes < OLDEST:
        raise ObserveError(
            f"targets.kubernetes: {spec.targets.kubernetes} is older than {OLDEST}, the first"
            " with `autoscaling/v2`; name the version that the cluster runs"
        )
    goals = (("cpu", autoscaling.cpu), ("memory", autoscaling.memory))
    metrics = [_utilization(name, share) for name, share in goals if share is not None]
    if not metrics:
        raise ObserveError(
            "autoscaling: neither `cpu` nor `memory` is set, so there is nothing to scale by; add"
            " `cpu: 70%`"
        )
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(spec.service, spec.deployment),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": object_name(spec.service),
            },
            "minReplicas": autoscaling.min,
            "maxReplicas": autoscaling.max,
            "metrics": metrics,
        },
    }


def _utilization(resource: str, share: Ratio) -> Manifest:
    percent = share.value * 100
    if percent != int(percent) or percent < 1:
        raise ObserveError(
            f"autoscaling.{resource}: {share.percent} is no whole percentage of at least 1%,"
            f" which Kubernetes needs; write `{max(1, round(percent))}%`"
        )
    target: Manifest = {"type": "Utilization", "averageUtilization": int(percent)}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}
