"""All files of a package by which it runs in a container."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cellops.packaging.container import layout
from cellops.packaging.container.compose import compose
from cellops.packaging.container.dockerfile import dockerfile, dockerignore
from cellops.packaging.container.grafana import dashboard, datasource, provider
from cellops.packaging.container.image import Image, image_of
from cellops.packaging.container.kserve import inference_service
from cellops.packaging.container.kubernetes import autoscaler, deployment, disruption_budget, service
from cellops.packaging.container.prometheus import prometheus
from cellops.packaging.layout import MANIFEST, SERVING, SIGNATURE
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.yaml_text import yaml_text

NAMES = frozenset({layout.DOCKERFILE, layout.DOCKERIGNORE, layout.COMPOSE})
IGNORED = ".dockerignore"
"""docker also looks for one that begins with the name of its file."""
OTHERS = frozenset(
    {
        ".env",
        "Containerfile",
        "compose.override.yaml",
        "compose.override.yml",
        "compose.yaml",
        "compose.yml",
        "docker-compose.override.yaml",
        "docker-compose.override.yml",
        "docker-compose.yaml",
    }
)
"""Files that docker and its kin would take beside ours or in their place, and that no package has."""


def is_container_file(path: str) -> bool:
    """Whether a file of a package is one by which it runs in a container."""
    name = path.rpartition("/")[2]
    return path.startswith(f"{layout.DEPLOYMENT}/") or name in OTHERS or name in NAMES or name.endswith(IGNORED)


def write_container(folder: Path, name: str, environment: Environment, provenance: Provenance) -> None:
    """Write what runs a package in a container, when all other files of it are there."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    serving = (folder / SERVING).read_text(encoding="utf-8")
    image = image_of(size, serving, name, environment, provenance)
    for path, content in container_files(image, (path.name for path in folder.iterdir())).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def container_files(image: Image, entries: Iterable[str]) -> dict[str, bytes]:
    """The files by their paths.

    Parameters
    ----------
    entries
        What else stands at the top of the package's folder.
    """
    dashboards = {f"{layout.DASHBOARDS}/model.json": _json(dashboard(image))}
    texts = {layout.DOCKERFILE: dockerfile(image)} | {p: yaml_text(d) for p, d in _data(image).items()} | dashboards
    tops = {*entries, *(path.partition("/")[0] for path in texts)}
    texts[layout.DOCKERIGNORE] = dockerignore({*tops, layout.DOCKERIGNORE, MANIFEST, SIGNATURE})
    return {path: text.encode() for path, text in texts.items()}


def _data(image: Image) -> Mapping[str, dict[str, Any]]:
    """What is written as YAML."""
    return {
        layout.COMPOSE: compose(image),
        layout.PROMETHEUS: prometheus(image),
        f"{layout.PROVISIONING}/datasources/prometheus.yml": datasource(),
        f"{layout.PROVISIONING}/dashboards/cellops.yml": provider(),
        f"{layout.KUBERNETES}/deployment.yaml": deployment(image),
        f"{layout.KUBERNETES}/service.yaml": service(image),
        f"{layout.KUBERNETES}/autoscaler.yaml": autoscaler(image),
        f"{layout.KUBERNETES}/disruption-budget.yaml": disruption_budget(image),
        f"{layout.KSERVE}/inference-service.yaml": inference_service(image),
    }


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
