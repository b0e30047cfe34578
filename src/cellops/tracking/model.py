"""A fitted estimator, from the spool file that the kernel wrote into an MLflow model."""

import contextlib
import hashlib
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cellops.errors import IntegrityError
from cellops.records.contract import Contract, Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.records.run import Environment, ModelSpool

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

MLFLOW_TYPES = {
    ColumnKind.NUMBER: "double",
    ColumnKind.INTEGER: "long",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.TEXT: "string",
    ColumnKind.DATETIME: "datetime",
}
ALWAYS_NEEDED = ("scikit-learn", "numpy", "scipy", "pandas", "joblib", "threadpoolctl", "skops", "cloudpickle")


class UnloggableError(Exception):
    """An estimator that cannot be logged, by no fault of the store: asking again would not help."""


@contextlib.contextmanager
def _by_its_own_fault() -> Iterator[None]:
    """What an estimator's own code raises; a disk that is full or read-only is not its fault."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {str(error)[:200]}"
        raise UnloggableError(text) from error


def read_spool(spool: ModelSpool) -> Any:
    """The estimator that the kernel handed over, once the file's digest is what the journal says."""
    import cloudpickle

    try:
        content = Path(spool.path).read_bytes()
    except FileNotFoundError as error:
        text = f"{spool.path} is gone"
        raise UnloggableError(text) from error
    with _by_its_own_fault():
        if hashlib.sha256(content).hexdigest() != spool.digest:
            fact = f"{spool.path} is not the file that the kernel wrote"
            raise IntegrityError(fact, remedy="Run the cell again", path=spool.path)
        try:
            return cloudpickle.loads(content)
        except OSError as error:
            raise UnloggableError(str(error)) from error


def log_model(
    client: "MlflowClient",
    run_id: str,
    spool: ModelSpool,
    *,
    contract: Contract | None,
    environment: Environment | None,
    trusted: Collection[str],
) -> str:
    """Log an estimator to a run, as skops where it is made of trusted types only, else as a pickle; give its URI.

    Raises
    ------
    UnloggableError
        When the estimator itself is the reason; every other error is the store's or the disk's.
    """
    from mlflow.models import Model

    estimator = read_spool(spool)
    run = client.get_run(run_id)
    # Made here, so that it stands in the run's experiment without the run being MLflow's active one, which can be the
    # person's own.
    logged = client.create_logged_model(
        run.info.experiment_id, name=spool.name, source_run_id=run_id, params=run.data.params
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        info = Model.log(
            artifact_path=None,
            name=spool.name,
            flavor=SimpleNamespace(__name__="mlflow.sklearn", save_model=_save),
            run_id=run_id,
            model_id=logged.model_id,
            sk_model=estimator,
            signature=None if contract is None else signature(contract.schema),
            pip_requirements=requirements(environment, estimator),
            **_format(estimator, trusted),
        )
    return str(info.model_uri)


def _save(**arguments: Any) -> None:
    """Write a model as MLflow's own scikit-learn flavor does; here the estimator's code runs."""
    import mlflow

    with _by_its_own_fault():
        mlflow.sklearn.save_model(**arguments)


def _format(estimator: Any, trusted: Collection[str]) -> dict[str, Any]:
    import skops.io

    try:
        untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    except Exception:  # noqa: BLE001 - skops refuses unknown objects in many ways
        return {"serialization_format": "cloudpickle"}
    if set(untrusted) <= set(trusted):
        return {"serialization_format": "skops", "skops_trusted_types": untrusted}
    return {"serialization_format": "cloudpickle"}


def signature(schema: Schema) -> "ModelSignature":
    """MLflow's signature of a contract's schema; integers that may be missing are doubles there."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, TensorSpec
    from mlflow.types import Schema as MlflowSchema

    inputs: list[ColSpec | TensorSpec] = [ColSpec(_mlflow_type(field), field.name) for field in schema.inputs]
    label = "string" if any(isinstance(c, str) for c in schema.classes) else "long"
    output = label if schema.task is Task.CLASSIFICATION else "double"
    return ModelSignature(MlflowSchema(inputs), MlflowSchema([ColSpec(output)]))


def _mlflow_type(field: Field) -> str:
    if field.kind is ColumnKind.INTEGER and field.nullable:
        return "double"
    return MLFLOW_TYPES[field.kind]


def requirements(environment: Environment | None, estimator: Any) -> list[str]:
    """The distributions that the model needs, pinned to what it was trained with."""
    if environment is None:
        return list(ALWAYS_NEEDED)
    roots = {type(part).__module__.partition(".")[0] for part in _parts(estimator)}
    wanted = {*ALWAYS_NEEDED, *(root.replace("_", "-") for root in roots)}
    return [f"{n}=={v}" for n, v in environment.distributions.items() if n in wanted]


def _parts(estimator: Any) -> list[Any]:
    return [estimator, *estimator.get_params(deep=True).values()]
