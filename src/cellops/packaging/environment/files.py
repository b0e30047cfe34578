"""The files of a package that say in what its model answers."""

from pathlib import Path

from cellops.packaging.environment.mlflow_files import REQUIREMENTS, mlflow_files
from cellops.packaging.environment.pins import names_of, require_python
from cellops.packaging.environment.serving import serving_requirements
from cellops.packaging.layout import ENVIRONMENT, LOCK, SERVING
from cellops.records.package import Provenance
from cellops.records.run import Environment


def write_environment(folder: Path, environment: Environment, provenance: Provenance) -> None:
    """Write a run's environment: the record, the whole lock, what serving needs, and what MLflow reads.

    Raises
    ------
    PackageError
        When a part of it can be had from no index and the model or the server needs it, or when a name or a version
        is one that no installer could read.
    """
    require_python(environment)
    needed = names_of((folder / REQUIREMENTS).read_text(encoding="utf-8")) if (folder / REQUIREMENTS).is_file() else {}
    serving = serving_requirements(environment, needed, provenance.model_format, version=provenance.cellops)
    texts = {ENVIRONMENT: environment.to_pretty_json().decode(), LOCK: environment.lock(), SERVING: serving}
    for path, text in (texts | mlflow_files(environment, needed)).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(text.encode())
