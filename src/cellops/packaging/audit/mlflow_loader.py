"""What `mlflow.pyfunc.load_model` would run: it does as the package says, so what the package says is listed."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cellops.packaging.audit.yaml_file import read_yaml
from cellops.packaging.layout import MLMODEL
from cellops.records.audit import Piece, Trusted
from cellops.settings import BUILT_IN_TRUSTED_TYPES

NATIVE = frozenset({"mlflow.xgboost", "mlflow.lightgbm", "mlflow.onnx"})
"""Loaders of MLflow that read a library's own format."""
SKOPS = "skops"


def mlflow_pieces(content: bytes, trusted_types: Collection[str]) -> Iterator[Piece]:
    """What MLflow's description of the model has MLflow do; those that nobody trusts could run any code.

    Raises
    ------
    ValueError
        When it cannot be read.
    """
    flavors = read_yaml(content).get("flavors")
    if not isinstance(flavors, dict):
        text = "it names no flavors"
        raise ValueError(text)  # noqa: TRY004 - what is wrong is the file
    python = flavors.get("python_function")
    options: Mapping[str, Any] = python if isinstance(python, dict) else {}
    loader = str(options.get("loader_module", "nothing"))
    for flavor in flavors.values():
        for code in _texts(flavor.get("code") if isinstance(flavor, dict) else None):
            yield _piece("code", code, Trusted.NOBODY, "put on the path of modules, from which anything is imported")
    if loader == "mlflow.sklearn":
        yield from _of_sklearn(flavors.get("sklearn"), trusted_types)
    elif loader in NATIVE:
        yield _piece("loader", loader, Trusted.FORMAT, "reads the library's own format")
    else:
        yield _piece("loader", loader, Trusted.NOBODY, "imported, and told to load")


def _of_sklearn(flavor: Any, trusted_types: Collection[str]) -> Iterator[Piece]:
    options = flavor if isinstance(flavor, dict) else {}
    kept = str(options.get("serialization_format", "pickle"))
    if kept != SKOPS:
        yield _piece("loader", "mlflow.sklearn", Trusted.NOBODY, f"unpickles {options.get('pickled_model', 'a file')}")
        return
    yield _piece("loader", "mlflow.sklearn", Trusted.FORMAT, "reads skops with the types that the package lists")
    known = {*BUILT_IN_TRUSTED_TYPES, *trusted_types}
    for name in _texts(options.get("skops_trusted_types")):
        if name not in known:
            yield _piece("type", name, Trusted.NOBODY, "trusted by MLflow on the package's word")


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _piece(kind: str, name: str, trusted: Trusted, note: str) -> Piece:
    return Piece(kind=kind, name=name, path=MLMODEL, trusted=trusted, note=note)
