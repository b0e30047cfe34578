"""What runs a package in a container: held against published schemas, against the server, and against itself."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cellops.packaging.build import build_package
from cellops.packaging.container.dockerfile import dockerfile
from cellops.packaging.container.image import LIVE, METRICS, READY, dns_label, image_of
from cellops.packaging.manifest import verify
from cellops.serving.routes import OPEN
from cellops.settings import Settings

LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


@pytest.fixture(scope="module")
def package(flights_folder, flights_contract, recorded, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("container") / "flights"
    return build_package(flights_folder, flights_contract, *recorded, folder, name="7.Late_Flights")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with their arguments, as its reference says they are read."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


@pytest.fixture(scope="module")
def stages(package: Path) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions((package / "Dockerfile").read_text()):
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def test_each_stage_begins_with_the_official_slim_image_of_the_runs_python(stages):
    bases = [rest.split()[0] for stage in stages for word, rest in stage if word == "FROM"]
    assert bases == ["python:3.11-slim"] * 2


def test_everything_that_is_copied_is_there_and_the_model_comes_last(stages, package):
    copied = [(stage, rest) for number, stage in enumerate(stages) for word, rest in stage if word in {"COPY", "ADD"}]
    sources = []
    for _, rest in copied:
        *words, _target = rest.split()
        if not any(word.startswith("--from") for word in words):
            sources += [word for word in words if not word.startswith("--")]
    assert sources == ["environment/serving.txt", "."]
    assert all((package / source).exists() for source in sources)
    order = [f"{word} {rest}" for word, rest in stages[-1]]
    places = [
        next(n for n, line in enumerate(order) if part in line)
        for part in ("useradd", "-r /libraries.txt", '"$CELLOPS"', "COPY --chmod=755 . /package", "CMD")
    ]
    assert places == sorted(places)


def test_nobody_is_root_and_no_word_is_a_secret(stages, package):
    users = [rest for word, rest in stages[-1] if word == "USER"]
    assert users == ["10001:10001"]
    words = [word for word, _ in stages[-1]]
    assert words.index("USER") > max(n for n, word in enumerate(words) if word in {"RUN", "COPY"})
    given = [rest for stage in stages for word, rest in stage if word in {"ENV", "ARG"}]
    assert not any("TOKEN" in rest for rest in given)
    assert "--no-cache-dir" in (package / "Dockerfile").read_text()


def test_system_libraries_are_installed_where_the_model_links_to_them(package, recorded, tmp_path):
    environment, provenance = recorded
    assert "apt-get" not in (package / "Dockerfile").read_text()
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment/serving.txt").write_text("lightgbm==4.6.0\nnumpy==2.4.6\n")
    text = dockerfile(image_of(tmp_path, "late", environment, provenance))
    order = [f"{word} {rest}" for word, rest in instructions(text)]
    installs = next(
        n for n, line in enumerate(order) if "apt-get install --yes --no-install-recommends libgomp1" in line
    )
    assert installs < next(n for n, line in enumerate(order) if "useradd" in line)


def test_the_image_starts_our_server_and_asks_whether_it_is_ready(stages, package):
    told = dict(stages[-1])
    command = json.loads(told["CMD"])
    assert command == ["cellops", "serve", "/package", "--host", "0.0.0.0", "--port", "8000"]
    probe = json.loads(told["HEALTHCHECK"].partition("CMD ")[2])
    assert probe[:2] == ["python", "-c"]
    assert "http://127.0.0.1:8000/v2/health/ready" in probe[2]
    compile(probe[2], "probe", "exec")
    assert {READY, LIVE} <= set(OPEN), "probes send no token"


def test_the_context_is_what_the_manifest_lists_and_nothing_else(package):
    """A `.env` with the token that lies beside docker-compose.yml stays out of the image."""
    lines = (package / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"

    def copied(path: str) -> bool:
        return any(fnmatch.fnmatch(path.partition("/")[0], rule[1:]) for rule in rules if rule.startswith("!"))

    listed = [file.path for file in verify(package).manifest.files]
    assert all(map(copied, [*listed, "manifest.json", "manifest.sig"]))
    assert not any(map(copied, [".env", "secrets.txt", ".git/config", "notes.ipynb"]))


def test_the_libraries_are_a_layer_that_a_new_cellops_leaves_as_it_is(stages, package, tmp_path):
    (command,) = [rest for word, rest in stages[0] if word == "RUN"]
    script = command.replace("/serving.txt", str(package / "environment/serving.txt"))
    script = script.replace("/libraries.txt", str(tmp_path / "libraries.txt"))
    subprocess.run(["sh", "-ec", script], check=True)
    serving = (package / "environment/serving.txt").read_text().splitlines()
    assert (tmp_path / "libraries.txt").read_text().splitlines() == [x for x in serving if x != "cellops==0.1.0"]
    assert len([line for line in serving if line.startswith("cellops==")]) == 1


def test_compose_has_the_server_prometheus_and_grafana_as_the_specification_says(package):
    checked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*checked, str(package / "docker-compose.yml")], check=True, capture_output=True)
    compose = yaml.safe_load((package / "docker-compose.yml").read_text())
    services = compose["services"]
    assert services.keys() == {"server", "prometheus", "grafana"}
    assert LABEL.fullmatch(compose["name"])
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"])
        assert not service["image"].endswith(":latest")
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (package / source).exists() if source.startswith(".") else source in compose["volumes"]


def test_compose_has_no_secret_of_its_own_and_does_not_start_without(package):
    compose = yaml.safe_load((package / "docker-compose.yml").read_text())
    assert compose["services"]["server"]["environment"]["CELLOPS_SERVER_TOKEN"].startswith("${CELLOPS_SERVER_TOKEN:?")
    assert compose["services"]["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith(
        "${GRAFANA_PASSWORD:?"
    )
    passed_on = [name for name, value in compose["services"]["server"]["environment"].items() if value is None]
    assert set(passed_on) <= {f"CELLOPS_{field.upper()}" for field in Settings.__struct_fields__}
    assert compose["secrets"] == {"cellops-token": {"environment": "CELLOPS_SERVER_TOKEN"}}


def test_prometheus_reads_the_metrics_with_the_token_of_the_server(package):
    config = yaml.safe_load((package / "deployment/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    compose = yaml.safe_load((package / "docker-compose.yml").read_text())
    assert METRICS not in OPEN
    assert job["metrics_path"] == METRICS
    (secret,) = compose["services"]["prometheus"]["secrets"]
    assert job["authorization"] == {"type": "Bearer", "credentials_file": f"/run/secrets/{secret}"}
    assert job["static_configs"] == [{"targets": ["server:8000"]}]
    promtool = shutil.which("promtool")
    if promtool:
        checked = [promtool, "check", "config", "--syntax-only", str(package / "deployment/prometheus.yml")]
        subprocess.run(checked, check=True, capture_output=True)


def test_the_dashboard_is_provisioned_and_finds_its_data(package):
    dashboard = json.loads((package / "deployment/grafana/dashboards/model.json").read_text())
    provisioning = package / "deployment/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    (provider,) = yaml.safe_load((provisioning / "dashboards/cellops.yml").read_text())["providers"]
    compose = yaml.safe_load((package / "docker-compose.yml").read_text())
    mounted = {v.split(":")[1]: v.split(":")[0] for v in compose["services"]["grafana"]["volumes"]}
    assert list((package / mounted[provider["options"]["path"]]).glob("*.json"))
    assert dashboard["templating"]["list"][0]["current"]["value"] == "7.Late_Flights"
    assert len(dashboard["uid"]) <= 40
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "name", ["flights", "Flights", "7", "a.b", "a-b", "a_b", "-x-", "x" * 128, "x" * 127 + "y", "fl-"]
)
def test_any_name_of_a_package_becomes_a_dns_label(name):
    assert LABEL.fullmatch(dns_label(name))
    assert len(dns_label(name)) <= 40


def test_names_that_differ_become_labels_that_differ():
    names = ["flights", "Flights", "a.b", "a-b", "a_b", "7", "model-7", "x" * 128, "x" * 127 + "y"]
    assert len(set(map(dns_label, names))) == len(names)
