"""The manifests of deploy/: as strict as Kubernetes reads them, and agreeing with what the service really is.

Kinds of Kubernetes are checked against its own schemas (kubernetes-validate, unknown fields refused), those of KubeRay
against the fields that its reference (docs/reference/api.md) lists for ray.io/v1 as far as they are used
here, what is in them (pods, the configuration of Ray Serve) by the schemas of Kubernetes and Ray. No cluster is asked.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import ray
import yaml
from fastapi.routing import iter_route_contexts

import lookalike
from lookalike.cli import main as cli
from lookalike.cli.serving import named
from lookalike.errors import InputError
from lookalike.service import gateway
from lookalike.service.app import create_app
from lookalike.service.replica_routing import ENCODERS, JOBS, JOBS_PREFIX, REPLICAS
from lookalike.service.settings import ServiceSettings
from lookalike.store.sharing import is_shared

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray Serve is written for an older pydantic
    from ray.serve.schema import ServeDeploySchema

    from lookalike.service.replica_applications import read

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
DOCS = DEPLOY.parent / "docs" / "kubernetes.md"
MANIFESTS = sorted([*(KUBERNETES / "service").glob("*.yaml"), *(KUBERNETES / "ray").glob("*.yaml")])
VERSION = kubernetes_validate.latest_version()

POD, TEXT, FLAG, NUMBER, WORDS, ANY = "pod", str, bool, int, dict, object
GROUP = {"rayStartParams": WORDS, "template": POD}
CLUSTER: dict[str, Any] = {
    "rayVersion": TEXT,
    "enableInTreeAutoscaling": FLAG,
    "autoscalerOptions": {"upscalingMode": TEXT, "idleTimeoutSeconds": NUMBER, "securityContext": ANY},
    "headGroupSpec": {**GROUP, "serviceType": TEXT},
    "workerGroupSpecs": [
        {**GROUP, "groupName": TEXT, "replicas": NUMBER, "minReplicas": NUMBER, "maxReplicas": NUMBER}
    ],
}
KUBERAY: dict[str, dict[str, Any]] = {
    "RayCluster": CLUSTER,
    "RayJob": {
        "entrypoint": TEXT,
        "submissionMode": TEXT,
        "shutdownAfterJobFinishes": FLAG,
        "ttlSecondsAfterFinished": NUMBER,
        "rayClusterSpec": CLUSTER,
    },
    "RayService": {"serveConfigV2": TEXT, "rayClusterConfig": CLUSTER},
}
"""Fields of ray.io/v1 that are used here, and what each is."""


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for each in yaml.safe_load_all(path.read_text()):
            yield f"{path.parent.name}/{path.name}", each


ALL = list(documents())
OF_KUBERNETES = [
    (n, d) for n, d in ALL if "kustomize" not in d["apiVersion"] and "ray.io" not in d["apiVersion"]
]
OF_KUBERAY = [(n, d) for n, d in ALL if "ray.io" in d["apiVersion"]]


def ids(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in cases]


def check(value: Any, schema: Any, place: str) -> None:
    """Refuse what KubeRay does not know."""
    if schema is POD:
        pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "pod"}, "template": value}
        kubernetes_validate.validate(pod, VERSION, strict=True)
    elif isinstance(schema, list):
        for number, each in enumerate(value):
            check(each, schema[0], f"{place}.{number}")
    elif isinstance(schema, dict):
        unknown = set(value) - set(schema)
        assert not unknown, f"{place}: {sorted(unknown)} are no fields"
        for name, each in value.items():
            check(each, schema[name], f"{place}.{name}")
    elif schema is not ANY:
        assert isinstance(value, schema), f"{place}: {value!r} is no {schema.__name__}"
        if schema is WORDS:
            assert all(isinstance(each, str) for each in value.values()), f"{place}: values have to be quoted"


def one(kind: str) -> dict[str, Any]:
    (found,) = [each for _, each in ALL if each["kind"] == kind]
    return found


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """Every container of a document, wherever it is."""
    if isinstance(value, dict):
        yield from value.get("containers", [])
        for each in value.values():
            yield from containers(each)
    elif isinstance(value, list):
        for each in value:
            yield from containers(each)


def parsed(words: list[str]) -> argparse.Namespace:
    """What our own command line makes of a command."""
    assert words[0] == "lookalike"
    return cli._parser().parse_args(words[1:])


def routes() -> set[str]:
    return {context.path for context in iter_route_contexts(create_app({}).routes)}


@pytest.mark.parametrize("document", [d for _, d in OF_KUBERNETES], ids=ids(OF_KUBERNETES))
def test_kubernetes_knows_every_field(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("document", [d for _, d in OF_KUBERAY], ids=ids(OF_KUBERAY))
def test_kuberay_knows_every_field(document: dict[str, Any]) -> None:
    assert document["apiVersion"] == "ray.io/v1"
    assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
    check(document["spec"], KUBERAY[document["kind"]], "spec")


def test_a_misspelt_field_is_found_in_both() -> None:
    deployment, cluster = one("Deployment"), one("RayCluster")
    wrong = yaml.safe_load(yaml.safe_dump(deployment).replace("readinessProbe", "readynessProbe"))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)
    for right, misspelt, error in (
        ("maxReplicas", "maxReplica", AssertionError),
        ("volumeMounts", "volumeMount", kubernetes_validate.ValidationError),
        ("num-cpus: '0'", "num-cpus: 0", AssertionError),
    ):
        text = yaml.safe_dump(cluster)
        assert right in text
        with pytest.raises(error):
            check(yaml.safe_load(text.replace(right, misspelt))["spec"], CLUSTER, "spec")


def test_kustomize_lists_every_manifest_beside_it() -> None:
    kustomization = one("Kustomization")
    beside = {path.name for path in (KUBERNETES / "service").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == beside
    assert set(kustomization) == {"apiVersion", "kind", "namespace", "resources", "images"}
    assert kustomization["namespace"] == one("Namespace")["metadata"]["name"]
    assert {each["metadata"]["namespace"] for _, each in OF_KUBERAY} == {kustomization["namespace"]}


def test_every_image_has_the_tag_of_this_version() -> None:
    images = {each["image"] for _, document in ALL for each in containers(document)}
    assert {image.rpartition(":")[2] for image in images} == {lookalike.__version__}
    (override,) = one("Kustomization")["images"]
    assert override["newTag"] == lookalike.__version__
    assert {image.rpartition(":")[0] for image in images} == {override["name"], override["newName"]}
    assert f":{lookalike.__version__}" in (DEPLOY / "Dockerfile").read_text()


def test_ray_is_the_version_that_is_tested() -> None:
    for _, document in OF_KUBERAY:
        spec = document["spec"]
        cluster = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
        assert cluster["rayVersion"] == ray.__version__


def test_the_service_is_started_by_a_command_that_is_one() -> None:
    (container,) = containers(one("Deployment"))
    values = one("ConfigMap")["data"]
    words = [re.sub(r"\$\((\w+)\)", lambda each: values[each[1]], word) for word in container["args"]]
    options = parsed([*container["command"], *words])
    assert options.command == "serving:serve"
    assert named(options.collections) == {"shop": values["COLLECTION"]}
    assert is_shared(values["COLLECTION"])
    assert options.host == "0.0.0.0"
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "keys"]
    assert options.keys == f"{mount['mountPath']}/keys.json"
    grace = one("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert grace > options.drain + pause


def test_ports_and_probes_are_those_of_the_service() -> None:
    (container,) = containers(one("Deployment"))
    options = parsed([*container["command"], *container["args"]])
    (port,) = container["ports"]
    assert port["containerPort"] == options.port
    probes = [container[each] for each in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/live", "/ready"} <= routes()
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert {probe["httpGet"]["port"] for probe in probes} == {port["name"]}
    assert one("Service")["spec"]["ports"][0]["targetPort"] == port["name"]


def test_what_selects_pods_finds_them() -> None:
    labels = one("Deployment")["spec"]["template"]["metadata"]["labels"]
    name = one("Deployment")["metadata"]["name"]
    assert one("Service")["spec"]["selector"] == labels
    assert one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == name
    (rule,) = one("Ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == (
        one("Service")["metadata"]["name"],
        one("Service")["spec"]["ports"][0]["name"],
    )
    assert rule["host"] == one("ConfigMap")["data"]["HOST_NAME"]
    assert one("Ingress")["spec"]["tls"][0]["hosts"] == [rule["host"]]


def test_the_uploads_that_the_service_takes_pass_the_ingress() -> None:
    megabytes = ServiceSettings().max_upload_bytes // 2**20
    annotations = one("Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == f"{megabytes}m"
    assert float(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > ServiceSettings().time_limit


def test_pods_run_as_nobody_and_write_only_where_there_is_a_volume() -> None:
    pod = one("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert {environment["LOOKALIKE_CACHE"], "/tmp"} <= mounts
    for _, document in ALL:
        for each in containers(document):
            assert each["securityContext"]["allowPrivilegeEscalation"] is False
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in each["resources"]["limits"]


def test_variables_are_ones_that_something_reads() -> None:
    ours = "\n".join(path.read_text() for path in (Path(lookalike.__file__).parent).rglob("*.py"))
    known_of_others = {"AWS_DEFAULT_REGION", "RAY_USAGE_STATS_ENABLED"}
    for _, document in ALL:
        for container in containers(document):
            for each in container.get("env", []):
                assert each["name"] in known_of_others or f'"{each["name"]}"' in ours, each["name"]


def test_secrets_and_volumes_are_named_alike_everywhere() -> None:
    secrets = {
        word
        for _, document in ALL
        for word in re.findall(r"(?:secretName|name): (lookalike-(?:s3|keys)\b)", yaml.safe_dump(document))
    }
    made = set(
        re.findall(r"create secret generic (\S+)", (KUBERNETES / "service/configmap.yaml").read_text())
    )
    assert secrets == made == {"lookalike-s3", "lookalike-keys"}


def test_the_job_indexes_and_builds_the_index_by_commands_that_are_ones() -> None:
    words = shlex.split(one("RayJob")["spec"]["entrypoint"])
    first, second = (at for at, word in enumerate(words) if word == "lookalike")
    index = parsed(words[first : words.index("||")])
    build = parsed(words[second:])
    assert (index.command, build.command) == ("filling:index", "index_building:build_index")
    assert (index.on, build.on) == ("ray", "ray")
    assert is_shared(index.to)
    assert build.collection == index.to
    (group,) = one("RayJob")["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    (container,) = group["template"]["spec"]["containers"]
    assert index.workers == group["maxReplicas"] * int(container["resources"]["requests"]["cpu"])


@pytest.mark.parametrize(("indexed", "code", "built"), [(0, 0, True), (3, 0, True), (1, 1, False)])
def test_the_job_goes_on_where_only_pictures_failed(
    tmp_path: Path, indexed: int, code: int, built: bool
) -> None:
    pretended = tmp_path / "lookalike"
    pretended.write_text(
        f'#!/bin/sh\necho "$1" >> {tmp_path}/told\n[ "$1" = build-index ] || exit {indexed}\n'
    )
    pretended.chmod(0o755)
    done = subprocess.run(
        one("RayJob")["spec"]["entrypoint"],
        shell=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )
    assert done.returncode == code
    assert ("build-index" in (tmp_path / "told").read_text().split()) == built


def commands() -> Iterator[str]:
    """Every command of the page and of the manifests' comments, which indent it."""
    for block in re.findall(r"^```\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", "").splitlines()
    for path in (DEPLOY / "Dockerfile", *sorted(KUBERNETES.rglob("*.yaml"))):
        text = re.sub(r"\\\n#", "", path.read_text())
        yield from (line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#   "))


OURS = sorted({line for line in commands() if line.startswith("lookalike ")})


@pytest.mark.parametrize("line", OURS)
def test_commands_of_the_page_and_the_comments_are_ones(line: str) -> None:
    assert parsed(shlex.split(line, comments=True)).command


def test_there_are_commands_of_all_steps() -> None:
    assert {line.split()[1] for line in OURS} == {"index", "serve", "copy", "keys"}


def test_paths_and_services_of_the_page_and_the_comments_are_there() -> None:
    files = (DOCS, DEPLOY / "Dockerfile", *sorted(KUBERNETES.rglob("*.yaml")))
    text = "\n".join(path.read_text() for path in files)
    paths = set(re.findall(r"\bdeploy/[\w./-]+\w", text))
    assert {"deploy/Dockerfile", "deploy/kubernetes/service", "deploy/kubernetes/ray/service.yaml"} <= paths
    for path in paths:
        assert (DEPLOY.parent / path).exists(), path
    services = {one("Service")["metadata"]["name"]}
    for kind, kinds in (("RayCluster", ["head"]), ("RayService", ["head", "serve"])):
        services |= {f"{one(kind)['metadata']['name']}-{each}-svc" for each in kinds}
    named_services = set(re.findall(r"(?:svc/|ray://)(lookalike[\w-]*)", text))
    assert named_services <= services
    assert f"{one('RayService')['metadata']['name']}-serve-svc" in named_services
    assert re.findall(r"wait rayjob/(\S+)", text) == [one("RayJob")["metadata"]["name"]]


def test_what_kuberay_makes_for_one_manifest_is_not_in_the_way_of_another() -> None:
    names = [document["metadata"]["name"] for _, document in OF_KUBERAY]
    assert len(set(names)) == len(names)  # its Services are named NAME-head-svc and NAME-serve-svc


def test_every_secret_is_made_on_the_page() -> None:
    (tls,) = one("Ingress")["spec"]["tls"]
    made = re.findall(r"create secret (?:generic|tls) (\S+)", DOCS.read_text())
    assert sorted(made) == ["lookalike-keys", "lookalike-s3", tls["secretName"]]


def test_ray_serve_reads_the_configuration_and_so_do_we() -> None:
    config = yaml.safe_load(one("RayService")["spec"]["serveConfigV2"])
    schema = ServeDeploySchema.model_validate(config)
    assert {each.name: each.route_prefix for each in schema.applications} == {
        ENCODERS: None,
        JOBS: JOBS_PREFIX,
        REPLICAS: "/",
    }
    seen = []
    for application in schema.applications:
        module, _, name = application.import_path.partition(":")
        assert callable(getattr(import_module(module), name))
        paths, settings, scale = read(application.args)
        assert all(map(is_shared, paths.values()))
        assert (settings.host, settings.port) == (schema.http_options.host, schema.http_options.port)
        seen.append((paths, settings, scale))
    assert seen[0] == seen[1] == seen[2]
    assert set(config["applications"][0]["args"]["settings"]) <= {
        each.name for each in fields(ServiceSettings)
    }


def test_every_proxy_has_the_gateway_and_the_keys() -> None:
    paths, settings, _ = read(
        yaml.safe_load(one("RayService")["spec"]["serveConfigV2"])["applications"][0]["args"]
    )
    assert paths
    for container in containers(one("RayService")):
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert environment[gateway.VARIABLE] == gateway.CALLBACK
        assert settings.port in {each["containerPort"] for each in container["ports"]}
        assert str(settings.keys) in {f"{each['mountPath']}/keys.json" for each in container["volumeMounts"]}
    module, _, name = gateway.CALLBACK.rpartition(".")
    assert len(getattr(import_module(module), name)()) == 2


def test_the_image_installs_extras_that_there_are() -> None:
    project = (DEPLOY.parent / "pyproject.toml").read_text()
    extras = re.search(r"'\.\[([^]]+)\]'", (DEPLOY / "Dockerfile").read_text())
    assert extras is not None
    for extra in extras[1].split(","):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


def test_the_image_runs_as_the_user_of_the_pods() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    user = re.search(r"^USER (\d+)$", dockerfile, re.MULTILINE)
    assert user is not None
    assert int(user[1]) == one("Deployment")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    copied = re.findall(r"^COPY ([^-].*) \S+$", dockerfile, re.MULTILINE)
    for path in " ".join(copied).split():
        assert (DEPLOY.parent / path).exists(), path


def test_the_address_of_milvus_is_that_of_its_chart() -> None:
    values = yaml.safe_load((KUBERNETES / "milvus" / "values.yaml").read_text())
    assert set(values) == {"cluster", "service", "minio", "externalS3", "queryNode", "extraConfigFiles"}
    assert yaml.safe_load(values["extraConfigFiles"]["user.yaml"]).keys() == {"queryNode"}
    assert values["service"]["type"] == "ClusterIP"
    assert values["minio"]["enabled"] is not values["externalS3"]["enabled"]
    release = re.search(
        r"helm install (\S+) zilliztech/milvus", (KUBERNETES / "milvus" / "values.yaml").read_text()
    )
    assert release is not None
    for path in (KUBERNETES / "milvus/values.yaml", KUBERNETES / "service/configmap.yaml"):
        assert f"milvus://{release[1]}:19530/" in path.read_text()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "expected collections"),
        ({"collections": {"shop": "s3://b/shop.lance"}, "setting": {}}, "expected collections"),
        ({"collections": {"shop": "s3://b/shop.lance"}, "settings": {"ports": 1}}, "ports"),
        ({"collections": {"shop": "s3://b/shop.lance"}, "scale": {"replicas": "8-2"}}, "replicas '8-2'"),
    ],
)
def test_arguments_that_nobody_knows_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(wrong)
