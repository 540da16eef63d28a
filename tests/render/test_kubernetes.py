from __future__ import annotations

from dataclasses import replace
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_specs import assert_golden, autoscaling, deployment, render_elsewhere, small_spec

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import EnvName, Name, ObjectName
from autogpt_observe.render.kubernetes import object_name, render
from autogpt_observe.spec.model import SecretReference, Service, Spec, Targets
from autogpt_observe.units import Ratio, Version

OPENAI = {
    EnvName("OPENAI_API_KEY"): SecretReference(
        secret=ObjectName("autogpt-secrets"), key="OPENAI_API_KEY"
    )
}
CHECKED_VERSIONS = ("1.25", "1.31", "1.37")


def seed_case() -> Spec:
    return small_spec(deployment=deployment(secrets=OPENAI), autoscaling=autoscaling())


def own_settings_case() -> Spec:
    own = deployment(
        namespace=ObjectName("agents"),
        port=9000,
        public_port=443,
        metrics_port=9001,
        env={
            EnvName("AUTOGPT_OBSERVE_HOST"): "127.0.0.1",
            EnvName("GREETING"): 'say "hi": # no',
            EnvName("YES"): "yes",
        },
        secrets={
            **OPENAI,
            EnvName("AUTOGPT_OBSERVE_PORT"): SecretReference(secret=ObjectName("p"), key="p"),
        },
    )
    return small_spec(service="Web_Crawler-", deployment=own)


def autoscaling_alone_case() -> Spec:
    return small_spec(autoscaling=autoscaling(cpu=None))


CASES = [seed_case, own_settings_case, autoscaling_alone_case]


def manifests(spec: Spec) -> dict[str, Any]:
    """Every object of the bundle, by kind and name."""
    return {
        f"{one['kind']}/{one['metadata']['name']}": one
        for text in render(spec).values()
        for one in yaml.safe_load_all(text)
    }


@pytest.mark.parametrize("case", CASES)
def test_golden(case: Any) -> None:
    assert_golden(f"kubernetes_{case.__name__.removesuffix('_case')}", render(case()))


def test_neither_deployment_nor_autoscaling_no_files() -> None:
    assert render(small_spec()) == {}


@pytest.mark.parametrize("version", CHECKED_VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_manifests_fit_the_published_schemas(case: Any, version: str) -> None:
    made = manifests(case())
    assert made
    for one in made.values():
        assert kubernetes_validate.validate(one, version, strict=True) == version


def test_the_published_schemas_are_strict() -> None:
    (service,) = [one for key, one in manifests(seed_case()).items() if key == "Service/crawler"]
    service["spec"]["portz"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, "1.31", strict=True)


def test_the_seed_deployment() -> None:
    (container,) = manifests(seed_case())["Deployment/crawler"]["spec"]["template"]["spec"][
        "containers"
    ]
    assert manifests(seed_case())["Deployment/crawler"]["spec"]["replicas"] == 3
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi"},
        "limits": {"cpu": "1000m", "memory": "4Gi"},
    }
    assert container["env"] == [
        {"name": "AUTOGPT_OBSERVE_HOST", "value": "0.0.0.0"},  # noqa: S104 - what must be there
        {"name": "AUTOGPT_OBSERVE_PORT", "value": "9464"},
        {
            "name": "OPENAI_API_KEY",
            "valueFrom": {"secretKeyRef": {"name": "autogpt-secrets", "key": "OPENAI_API_KEY"}},
        },
    ]


@pytest.mark.parametrize("case", [seed_case, own_settings_case])
def test_the_public_service_leads_to_the_services_own_port_alone(case: Any) -> None:
    spec = case()
    made = manifests(spec)
    name = object_name(spec.service)
    ports = made[f"Deployment/{name}"]["spec"]["template"]["spec"]["containers"][0]["ports"]
    numbers = {port["name"]: port["containerPort"] for port in ports}
    reached = {
        key: [numbers[port["targetPort"]] for port in one["spec"]["ports"]]
        for key, one in made.items()
        if one["kind"] == "Service"
    }
    assert reached == {
        f"Service/{name}": [spec.deployment.port],
        f"Service/{name}-metrics": [spec.deployment.metrics_port],
    }
    assert made[f"Service/{name}"]["spec"]["type"] == "LoadBalancer"
    assert made[f"Service/{name}-metrics"]["spec"]["clusterIP"] == "None"


def test_prometheus_is_told_where_the_metrics_are() -> None:
    assert manifests(seed_case())["Service/crawler-metrics"]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9464",
        "prometheus.io/path": "/metrics",
    }


@pytest.mark.parametrize("case", [seed_case, own_settings_case])
def test_selectors_find_the_pods_and_the_autoscaler_finds_the_deployment(case: Any) -> None:
    made = manifests(case())
    (deployed,) = [one for one in made.values() if one["kind"] == "Deployment"]
    labels = deployed["spec"]["template"]["metadata"]["labels"]
    chosen = [deployed["spec"]["selector"]["matchLabels"]]
    chosen += [one["spec"]["selector"] for one in made.values() if one["kind"] == "Service"]
    assert len(chosen) == 3
    assert all(selector.items() <= labels.items() for selector in chosen)
    scaled = [
        one["spec"]["scaleTargetRef"]["name"]
        for one in made.values()
        if one["kind"] == "HorizontalPodAutoscaler"
    ]
    assert set(scaled) <= {deployed["metadata"]["name"]}


def test_own_variables_win_over_ours() -> None:
    (container,) = manifests(own_settings_case())["Deployment/web-crawler"]["spec"]["template"][
        "spec"
    ]["containers"]
    named = {variable["name"]: variable for variable in container["env"]}
    assert len(named) == len(container["env"])
    assert named["AUTOGPT_OBSERVE_HOST"]["value"] == "127.0.0.1"
    assert named["AUTOGPT_OBSERVE_PORT"] == {
        "name": "AUTOGPT_OBSERVE_PORT",
        "valueFrom": {"secretKeyRef": {"name": "p", "key": "p"}},
    }
    assert named["YES"]["value"] == "yes"


def test_the_autoscaler_scales_by_use() -> None:
    spec = manifests(seed_case())["HorizontalPodAutoscaler/crawler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    assert {
        metric["resource"]["name"]: metric["resource"]["target"] for metric in spec["metrics"]
    } == {
        "cpu": {"type": "Utilization", "averageUtilization": 70},
        "memory": {"type": "Utilization", "averageUtilization": 80},
    }


def test_the_deployment_says_what_the_autoscaler_does_to_its_replicas() -> None:
    text = render(seed_case())["deploy/kubernetes/deployment.yaml"]
    assert "the autoscaler keeps it between 2\n# and 10." in text
    alone = render(replace(seed_case(), autoscaling=None))["deploy/kubernetes/deployment.yaml"]
    assert "autoscaler" not in alone


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            small_spec(deployment=deployment(metrics_port=8000)),
            (
                "deployment.metrics_port: 8000 is `port` too, so the public Service would expose"
                " /metrics; give one of them another port"
            ),
        ),
        (
            small_spec(deployment=deployment(env={EnvName("OPENAI_API_KEY"): "x"}, secrets=OPENAI)),
            "deployment: `OPENAI_API_KEY` is both in `env` and in `secrets`; keep one of them",
        ),
        (
            small_spec(autoscaling=autoscaling(cpu=None, memory=None)),
            (
                "autoscaling: neither `cpu` nor `memory` is set, so there is nothing to scale by;"
                " add `cpu: 70%`"
            ),
        ),
        (
            small_spec(autoscaling=autoscaling(cpu=Ratio.parse("72.5%"))),
            (
                "autoscaling.cpu: 72.5% is no whole percentage of at least 1%, which Kubernetes"
                " needs; write `72%`"
            ),
        ),
        (
            small_spec(autoscaling=autoscaling(memory=Ratio.parse("0"))),
            (
                "autoscaling.memory: 0% is no whole percentage of at least 1%, which Kubernetes"
                " needs; write `1%`"
            ),
        ),
        (
            small_spec(
                autoscaling=autoscaling(), targets=Targets(kubernetes=Version.parse("1.22"))
            ),
            (
                "targets.kubernetes: 1.22 is older than 1.23, the first with `autoscaling/v2`;"
                " name the version that the cluster runs"
            ),
        ),
    ],
)
def test_what_kubernetes_cannot_take_is_refused(spec: Spec, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(spec)
    assert str(caught.value) == message


@given(st.from_regex(Name.PATTERN, fullmatch=True))
def test_every_service_has_object_names(name: str) -> None:
    service = Service(name=Name.parse(name), owner=Name("o"))
    mapped = object_name(service)
    assert ObjectName.parse(mapped) == mapped
    assert ObjectName.parse(f"{mapped}-metrics")
    assert mapped[0].isalpha()


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_in_every_process(case: Any) -> None:
    assert repr(render(case())) == render_elsewhere("kubernetes", case.__name__)


def test_the_longest_service_name_leaves_room_for_the_name_of_its_metrics() -> None:
    spec = small_spec(service="a" * 63, deployment=deployment())
    named = {doc.partition("/")[2] for doc in manifests(spec)}
    assert named == {"a" * 55, "a" * 55 + "-metrics"}
