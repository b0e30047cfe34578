"""The server as an InferenceService of KServe: a predictor of its own, over the Open Inference Protocol V2."""

from typing import Any

from cellops.packaging.container.image import PORT, Image
from cellops.packaging.container.kubernetes import LEAST, MOST, container, volumes

PREDICTOR = "kserve-container"
"""What KServe calls the container that answers."""


def inference_service(image: Image) -> dict[str, Any]:
    server = container(image)
    # Not every Knative takes a probe of the start; this one waits for it.
    starting = server.pop("startupProbe")
    server["livenessProbe"]["initialDelaySeconds"] = starting["periodSeconds"] * starting["failureThreshold"]
    server["env"] = [{"name": "PROTOCOL", "value": "v2"}, *server["env"]]
    # The name of a port says its protocol here, and no other name is taken.
    server["ports"] = [{"name": "http1", "containerPort": PORT, "protocol": "TCP"}]
    for probe in ("readinessProbe", "livenessProbe"):
        server[probe]["httpGet"]["port"] = PORT
    predictor = {
        "minReplicas": LEAST,
        "maxReplicas": MOST,
        "containers": [{"name": PREDICTOR, **server}],
        "volumes": volumes(),
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": image.label},
        "spec": {"predictor": predictor},
    }
