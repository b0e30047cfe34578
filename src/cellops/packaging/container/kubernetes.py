"""The server on Kubernetes: several of them, confined, replaced without losing a request."""

from typing import Any

from cellops.packaging.container.image import DATA, GRACE, LIVE, PORT, READY, TOKEN, USER, Image

LEAST, MOST = 2, 10
"""Servers of a model."""
BUSY = 70
"""Percent of the processor time that was asked for, above which there are more servers."""
PASSING_ON = 5
"""Seconds for which a server that is to stop still answers: so long routers may send requests to it."""
KEY = "token"


def deployment(image: Image) -> dict[str, Any]:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": _selector(image),
    }
    stopping = {"preStop": {"exec": {"command": ["sleep", str(PASSING_ON)]}}}
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE + PASSING_ON,
        "securityContext": {**nobody(), "fsGroup": USER},
        "topologySpreadConstraints": [spread],
        "containers": [{"name": "server", **container(image), "lifecycle": stopping}],
        "volumes": volumes(),
    }
    template = {"metadata": {"labels": _labels(image)}, "spec": pod}
    spec = {
        # Without a number of replicas: applying it again would undo what the autoscaler has decided.
        "selector": _selector(image),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": template,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(image), "spec": spec}


def service(image: Image) -> dict[str, Any]:
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    spec = {"selector": _selector(image)["matchLabels"], "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(image), "spec": spec}


def autoscaler(image: Image) -> dict[str, Any]:
    busy = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": BUSY}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": image.label},
        "minReplicas": LEAST,
        "maxReplicas": MOST,
        "metrics": [{"type": "Resource", "resource": busy}],
    }
    kind = "HorizontalPodAutoscaler"
    return {"apiVersion": "autoscaling/v2", "kind": kind, "metadata": _metadata(image), "spec": spec}


def disruption_budget(image: Image) -> dict[str, Any]:
    """One server stays while nodes are emptied."""
    spec = {"minAvailable": 1, "selector": _selector(image)}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _metadata(image), "spec": spec}


def container(image: Image) -> dict[str, Any]:
    """The server in a pod, but for its name."""
    needed = {"cpu": "500m", "memory": f"{image.memory}Mi"}
    return {
        "image": image.name,
        "env": [{"name": TOKEN, "valueFrom": {"secretKeyRef": {"name": f"{image.label}-token", "key": KEY}}}],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "securityContext": {
            **nobody(),
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": {**_probe(READY), "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {**_probe(READY), "periodSeconds": 5},
        "livenessProbe": {**_probe(LIVE), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "resources": {"requests": needed, "limits": {"memory": needed["memory"]}},
        "volumeMounts": [{"name": "log", "mountPath": DATA}, {"name": "temporary", "mountPath": "/tmp"}],  # noqa: S108
    }


def volumes() -> list[dict[str, Any]]:
    return [{"name": name, "emptyDir": {}} for name in ("log", "temporary")]


def nobody() -> dict[str, Any]:
    """A user without rights, and the system calls that the container's engine allows to everybody."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}}


def _metadata(image: Image) -> dict[str, Any]:
    return {"name": image.label, "labels": _labels(image)}


def _selector(image: Image) -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/name": image.label}}


def _labels(image: Image) -> dict[str, str]:
    managed = {"app.kubernetes.io/version": image.tag, "app.kubernetes.io/part-of": "cellops"}
    return {"app.kubernetes.io/name": image.label, **managed}
