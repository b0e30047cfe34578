"""What Prometheus is told: to read the server's metrics, with the token that the server asks for."""

from typing import Any

from cellops.packaging.container.compose import SECRET, SECRETS
from cellops.packaging.container.image import METRICS, PORT, Image

INTERVAL = "15s"


def prometheus(image: Image) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
        "scrape_configs": [
            {
                "job_name": image.label,
                "metrics_path": METRICS,
                "authorization": {"type": "Bearer", "credentials_file": f"{SECRETS}/{SECRET}"},
                "static_configs": [{"targets": [f"server:{PORT}"]}],
            }
        ],
    }
