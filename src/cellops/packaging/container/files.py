"""All files of a package by which it runs in a container."""

from collections.abc import Mapping
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
from cellops.packaging.layout import MANIFEST, SIGNATURE
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.yaml_text import yaml_text


def write_container(folder: Path, name: str, environment: Environment, provenance: Provenance) -> None:
    """Write what runs a package in a container, when all other files of it are there."""
    image = image_of(folder, name, environment, provenance)
    dashboards = {f"{layout.DASHBOARDS}/model.json": _json(dashboard(image))}
    texts = {layout.DOCKERFILE: dockerfile(image)} | {p: yaml_text(d) for p, d in _data(image).items()} | dashboards
    entries = {path.name for path in folder.iterdir()} | {path.partition("/")[0] for path in texts}
    texts[layout.DOCKERIGNORE] = dockerignore({*entries, layout.DOCKERIGNORE, MANIFEST, SIGNATURE})
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


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
