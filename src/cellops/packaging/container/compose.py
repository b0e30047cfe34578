"""The server with Prometheus and Grafana beside it, on one machine: `docker compose up`."""

from typing import Any

from cellops.packaging.container.image import DATA, GRACE, PORT, TOKEN, Image
from cellops.packaging.container.layout import DASHBOARDS, PROMETHEUS, PROVISIONING

PROMETHEUS_IMAGE = "prom/prometheus:v3.5.0"
GRAFANA_IMAGE = "grafana/grafana:12.1.0"
SECRET = "cellops-token"  # noqa: S105 - the name of the secret
SECRETS = "/run/secrets"
TRUST = ("CELLOPS_TRUSTED_KEYS", "CELLOPS_TRUSTED_TYPES", "CELLOPS_ALLOW_PICKLE", "CELLOPS_ALLOW_CODE")
"""What the operator trusts is told to the server as it is set where compose is called, or not at all."""
PASSWORD = "GRAFANA_PASSWORD"  # noqa: S105 - the name of the variable


def compose(image: Image) -> dict[str, Any]:
    """The services as the Compose Specification has them; nothing of them is reached from other machines."""
    return {
        "name": image.label,
        "services": {"server": _server(image), "prometheus": _prometheus(), "grafana": _grafana()},
        "secrets": {SECRET: {"environment": TOKEN}},
        "volumes": {"log": {}, "metrics": {}, "grafana": {}},
    }


def _server(image: Image) -> dict[str, Any]:
    return {
        "build": {"context": "."},
        "image": image.name,
        "environment": {
            TOKEN: _required(TOKEN, "a token that clients have to send"),
            **dict.fromkeys(TRUST),
        },
        "ports": [f"127.0.0.1:{PORT}:{PORT}"],
        "volumes": [f"log:{DATA}"],
        "tmpfs": ["/tmp"],  # noqa: S108 - the container's own
        "stop_grace_period": f"{GRACE}s",
        "mem_limit": f"{image.memory}m",
        "read_only": True,
        **_confined(),
    }


def _prometheus() -> dict[str, Any]:
    # Not read-only: compose copies a secret that comes from a variable into the container's own files.
    return {
        "image": PROMETHEUS_IMAGE,
        "volumes": [f"./{PROMETHEUS}:/etc/prometheus/prometheus.yml:ro", "metrics:/prometheus"],
        "secrets": [SECRET],
        "ports": ["127.0.0.1:9090:9090"],
        "depends_on": ["server"],
        **_confined(),
    }


def _grafana() -> dict[str, Any]:
    return {
        "image": GRAFANA_IMAGE,
        "environment": {
            "GF_SECURITY_ADMIN_PASSWORD": _required(PASSWORD, "the password of the user admin"),
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
        },
        "volumes": [
            f"./{PROVISIONING}:/etc/grafana/provisioning:ro",
            f"./{DASHBOARDS}:/var/lib/grafana/dashboards:ro",
            "grafana:/var/lib/grafana",
        ],
        "ports": ["127.0.0.1:3000:3000"],
        "depends_on": ["prometheus"],
        **_confined(),
    }


def _confined() -> dict[str, Any]:
    return {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "restart": "unless-stopped"}


def _required(name: str, what: str) -> str:
    """A variable without which compose stops, and says so."""
    return f"${{{name}:?Set {name} to {what}}}"
