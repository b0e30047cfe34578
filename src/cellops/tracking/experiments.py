"""The MLflow experiment of a run: found by its name, or made."""

from itertools import chain, count
from typing import TYPE_CHECKING

from cellops.records.finding import Finding, Severity
from cellops.settings import Settings
from cellops.tracking.client import artifact_location
from cellops.tracking.names import shortened

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST = 490
"""MLflow refuses names of more than 500 characters; the rest is for a number."""


def experiment(client: "MlflowClient", settings: Settings, wanted: str) -> tuple[str, list[Finding]]:
    """The id of the experiment `wanted`, and a finding where it had to have another name.

    What someone has deleted stays deleted, and MLflow gives its name to no other; so the next free number is added.
    """
    short = shortened(wanted, LONGEST)
    names = chain([short], (f"{short}-{number}" for number in count(2)))
    found, name = next((found, name) for name in names if (found := _active(client, settings, name)) is not None)
    return found, [] if name == wanted else [_renamed(wanted, name, deleted=name != short)]


def _active(client: "MlflowClient", settings: Settings, name: str) -> str | None:
    """The id of the experiment, made where there is none; none for one that was deleted."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifact_location(settings)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            known = client.get_experiment_by_name(name)  # another writer has just made it
    return str(known.experiment_id) if known is not None and known.lifecycle_stage == "active" else None


def _renamed(wanted: str, name: str, *, deleted: bool) -> Finding:
    return Finding(
        code="experiment-renamed",
        severity=Severity.WARNING,
        where=f"experiment {wanted[:80]}",
        seen=f"{'it was deleted' if deleted else 'its name is too long for MLflow'}; the run is in {name[:80]}",
        remedy="Name another with --experiment, or bring a deleted one back with: mlflow experiments restore",
    )
