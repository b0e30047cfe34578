"""What a package says of its server in a container, held against a real server."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest

from cellops.packaging.manifest import verify
from support.served import TOKEN, Running

COMMAND = re.compile(r"^CMD (\[.*\])$", re.MULTILINE)
PROBE = re.compile(r"^HEALTHCHECK .*CMD (\[.*\])$", re.MULTILINE)
METRIC = re.compile(r"cellops_\w+")
OF_A_FAMILY = re.compile(r"_(bucket|sum|count|total|created)$")


@pytest.fixture(scope="module")
def dockerfile(flights: Path) -> str:
    return (flights / "Dockerfile").read_text()


def test_every_metric_of_the_dashboard_is_one_that_the_server_exports_and_each_has_its_panel(flights, server: Running):
    dashboard = json.loads((flights / "deployment/grafana/dashboards/model.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in METRIC.findall(query)}
    server.client.get("/v2/health/ready").raise_for_status()
    text = server.client.get("/metrics").text
    exported = set(re.findall(r"^(cellops_\w+)", text, re.MULTILINE))
    announced = set(re.findall(r"^# TYPE (cellops_\w+)", text, re.MULTILINE))  # also those that have no sample yet
    assert asked <= exported | announced, asked - exported - announced
    families = {OF_A_FAMILY.sub("", name) for name in announced}
    assert {OF_A_FAMILY.sub("", name) for name in asked} == families
    conditions = {
        name for query in queries for given in re.findall(r"\{(.*?)\}", query) for name in re.findall(r"(\w+)=", given)
    }
    grouped = {name for query in queries for given in re.findall(r"by \((.*?)\)", query) for name in given.split(", ")}
    labels = set(re.findall(r'[{,](\w+)="', text)) | {"column", "rule", "severity", "handling", "of", "outcome"}
    assert conditions | grouped <= labels


def test_the_probe_of_the_image_says_whether_a_server_is_ready(dockerfile, server: Running):
    _python, *words = json.loads(PROBE.findall(dockerfile)[0])
    proxied = os.environ | {"http_proxy": "http://127.0.0.1:9"}

    def asked(address: str) -> int:
        there = [word.replace("http://127.0.0.1:8000", address) for word in words]
        return subprocess.run([sys.executable, *there], env=proxied, check=False, capture_output=True).returncode

    assert asked(str(server.client.base_url).rstrip("/")) == 0
    assert asked("http://127.0.0.1:9") == 1


@pytest.fixture(scope="module")
def image(flights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the distributions of serving.txt, as `pip install --no-deps` would leave them, and no other."""
    folder = tmp_path_factory.mktemp("image")
    for line in (flights / "environment/serving.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if name.startswith("#") or name == "cellops":
            continue
        found = distribution(name)
        assert found.version == version
        tops = {Path(str(file)).parts[0] for file in found.files or () if not str(file).startswith((".", "/"))}
        for top in tops - {"__pycache__"}:
            (folder / top).symlink_to(found.locate_file(top))
    return folder


def test_the_command_of_the_image_serves_with_nothing_but_the_requirements_of_serving(
    dockerfile, flights, image, tmp_path
):
    """It writes into its own folder, so that the package is the same at the next start."""
    command = json.loads(COMMAND.findall(dockerfile)[0])
    assert command[0] == "cellops"
    words = [str(flights) if word == "/package" else "0" if word == "8000" else word for word in command[1:]]
    source = Path(sys.modules["cellops"].__file__).parents[1]
    given = {"CELLOPS_SERVER_TOKEN": TOKEN, "CELLOPS_FOLDER": str(tmp_path / "data"), "PATH": os.environ["PATH"]}
    given |= {"PYTHONPATH": os.pathsep.join(map(str, (source, image)))}
    # Without `site`, no other folder of installed distributions is looked into.
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "cellops", *words],
        cwd=flights,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ready = process.stdout.readline()
        assert ready.startswith("Serving "), process.stderr.read()
        port = ready.partition(" on ")[2].split()[0].rpartition(":")[2]
        url = f"http://127.0.0.1:{port}"
        parity = json.loads((flights / "contract/parity.json").read_text())
        data = list(zip(*parity["inputs"].values(), strict=True))
        rows = {"dataframe_split": {"columns": list(parity["inputs"]), "data": data}}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{url}/invocations", json=rows, headers=headers, trust_env=False)
        assert answer.json()["predictions"] == parity["labels"]
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "data" / "log").is_dir()
    verify(flights)
