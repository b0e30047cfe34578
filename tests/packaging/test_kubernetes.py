"""The manifests of a package for Kubernetes and KServe, held against the published schemas and classes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from cellops.packaging.build import build_package

ROOT = Path(__file__).parents[2]
KSERVE = ROOT / ".peers" / "kserve"
"""KServe's own classes, without what KServe needs besides: `make .peers/kserve`."""
READ = """
import json, re, sys, types

for name in ("kserve", "kubernetes"):
    # What stands in front of them starts servers and reads configurations; the classes need none of it.
    package = types.ModuleType(name)
    package.__path__ = [f"{sys.argv[1]}/{name}"]
    sys.modules[name] = package

import kubernetes.client
from kserve import models

def read(value, kind):
    inner = re.fullmatch(r"(list|dict)[\\[(](?:str, )?(.*)[\\])]", kind, re.IGNORECASE)
    if inner and inner[1].lower() == "list":
        return [read(one, inner[2]) for one in value]
    if inner:
        return {name: read(one, inner[2]) for name, one in value.items()}
    known = getattr(models, kind, None) or getattr(kubernetes.client, kind, None)
    if known is None:
        return value
    types = {known.attribute_map[name]: (name, of) for name, of in known.openapi_types.items()}
    return known(**{types[name][0]: read(one, types[name][1]) for name, one in value.items()})

read(json.load(sys.stdin), "V1beta1InferenceService")
"""


@pytest.fixture(scope="module")
def manifests(flights_folder, flights_contract, recorded, tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("kubernetes") / "flights"
    build_package(flights_folder, flights_contract, *recorded, folder, name="Late_Flights.2")
    found = [yaml.safe_load(path.read_text()) for path in sorted((folder / "deployment").glob("k*/*.yaml"))]
    return {one["kind"]: one for one in found}


def pod(manifests) -> dict:
    return manifests["Deployment"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("kind", ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"])
def test_each_manifest_is_what_kubernetes_takes(manifests, kind, version):
    kubernetes_validate.validate(manifests[kind], version, strict=True)


def test_a_manifest_with_a_field_that_kubernetes_does_not_have_is_refused(manifests):
    wrong = manifests["Deployment"] | {"spec": manifests["Deployment"]["spec"] | {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def read_by_kserve(document: dict) -> "subprocess.CompletedProcess[str]":
    """Build KServe's own objects of a document: a field that a class does not have, or lacks, ends it."""
    assert KSERVE.is_dir(), "make .peers/kserve"
    command = [sys.executable, "-c", READ, str(KSERVE)]
    given = os.environ | {"PYTHONPATH": str(KSERVE)}
    return subprocess.run(command, input=json.dumps(document), env=given, capture_output=True, text=True, check=False)


def test_the_inference_service_is_what_kserves_own_classes_take(manifests):
    document = manifests["InferenceService"]
    done = read_by_kserve(document)
    assert done.returncode == 0, done.stderr
    (container,) = document["spec"]["predictor"]["containers"]
    assert container["ports"][0]["name"] == "http1"
    assert {"name": "PROTOCOL", "value": "v2"} in container["env"]


def test_an_inference_service_that_kserve_does_not_take_is_seen(manifests):
    predictor = manifests["InferenceService"]["spec"]["predictor"]
    (container,) = predictor["containers"]
    nameless = {name: value for name, value in container.items() if name != "name"}
    for wrong in (nameless, container | {"imagePullPolice": "Always"}):
        spec = {"predictor": predictor | {"containers": [wrong]}}
        assert read_by_kserve(manifests["InferenceService"] | {"spec": spec}).returncode == 1


def test_all_of_a_model_find_each_other(manifests):
    names = {manifest["metadata"]["name"] for manifest in manifests.values()}
    (name,) = names
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        manifests["Deployment"]["spec"]["selector"]["matchLabels"],
        manifests["Service"]["spec"]["selector"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        pod(manifests)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == name
    (container,) = pod(manifests)["containers"]
    (port,) = manifests["Service"]["spec"]["ports"]
    assert port["targetPort"] in {given["name"] for given in container["ports"]}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod(manifests)["volumes"]}


@pytest.mark.parametrize("kind", ["Deployment", "InferenceService"])
def test_the_server_has_no_rights_that_it_does_not_need(manifests, kind):
    spec = pod(manifests) if kind == "Deployment" else manifests[kind]["spec"]["predictor"]
    (container,) = spec["containers"]
    held = container["securityContext"]
    assert held["runAsNonRoot"]
    assert held["runAsUser"] > 0
    assert held["readOnlyRootFilesystem"]
    assert held["allowPrivilegeEscalation"] is False
    assert held["capabilities"] == {"drop": ["ALL"]}
    assert held["seccompProfile"] == {"type": "RuntimeDefault"}
    (token,) = [given for given in container["env"] if given["name"] == "CELLOPS_SERVER_TOKEN"]
    assert token["valueFrom"]["secretKeyRef"]["key"] == "token"
    assert "value" not in token
    assert not container["image"].endswith(":latest")
    assert "memory" in container["resources"]["limits"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"


def test_a_pod_that_goes_is_given_the_time_that_the_server_takes_to_drain(manifests):
    from cellops.serving.running import DRAINING

    (container,) = pod(manifests)["containers"]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod(manifests)["terminationGracePeriodSeconds"] > waits + DRAINING


def test_a_large_model_is_given_more_memory(flights_folder, flights_contract, recorded, tmp_path):
    from cellops.packaging.container.image import image_of

    folder = build_package(flights_folder, flights_contract, *recorded, tmp_path / "small", name="small")
    small = image_of(folder, "small", *recorded).memory
    with (folder / "large").open("wb") as file:
        file.truncate(2**30)
    assert small == 576
    assert image_of(folder, "small", *recorded).memory > 4 * 1024 + 512
