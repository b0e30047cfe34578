"""What `mlflow.pyfunc.load_model` would run: it does as the package says, so what the package says is listed."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cellops.packaging.audit.yaml_file import read_yaml
from cellops.packaging.layout import MLMODEL
from cellops.records.audit import Piece, Trusted
from cellops.settings import BUILT_IN_TRUSTED_TYPES

WRAPPED = ("XGBClassifier", "XGBModel", "XGBRanker", "XGBRegressor")
XGBOOST = frozenset({"xgboost.core.Booster", *(f"xgboost.sklearn.{name}" for name in WRAPPED)})
NATIVE = {
    "mlflow.lightgbm": ("lightgbm", "lightgbm.basic.Booster", frozenset({"lightgbm.basic.Booster"})),
    "mlflow.onnx": ("onnx", "", frozenset({""})),
    "mlflow.xgboost": ("xgboost", "xgboost.core.Booster", XGBOOST),
}
"""Loaders of MLflow for a library's own format: flavor, the class where it names none, and those that are harmless."""
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
    loader = str(_options(flavors, "python_function").get("loader_module", "nothing"))
    for flavor in flavors.values():
        for code in _texts(flavor.get("code") if isinstance(flavor, dict) else None):
            yield _piece("code", code, Trusted.NOBODY, "put on the path of modules, from which anything is imported")
    if loader == "mlflow.sklearn":
        yield from _of_sklearn(loader, _options(flavors, "sklearn"), trusted_types)
    elif loader in NATIVE:
        flavor, default, harmless = NATIVE[loader]
        yield from _of_library(loader, _options(flavors, flavor), default, harmless, trusted_types)
    else:
        yield _piece("loader", loader, Trusted.NOBODY, "imported, and told to load")


def _options(flavors: Mapping[str, Any], flavor: str) -> Mapping[str, Any]:
    found = flavors.get(flavor)
    return found if isinstance(found, dict) else {}


def _of_library(
    loader: str, options: Mapping[str, Any], default: str, harmless: Collection[str], trusted_types: Collection[str]
) -> Iterator[Piece]:
    """MLflow imports whatever class an xgboost model names, and reads other classes of lightgbm as of scikit-learn."""
    kind = str(options.get("model_class", default))
    if kind in harmless:
        yield _piece("loader", loader, Trusted.FORMAT, "reads the library's own format")
    elif loader == "mlflow.lightgbm":
        yield from _of_sklearn(loader, {"serialization_format": "cloudpickle", **options}, trusted_types)
    else:
        yield _piece("loader", kind, Trusted.NOBODY, "imported and called")


def _of_sklearn(loader: str, options: Mapping[str, Any], trusted_types: Collection[str]) -> Iterator[Piece]:
    kept = str(options.get("serialization_format", "pickle"))
    if kept != SKOPS:
        file = options.get("pickled_model", options.get("data", "a file"))
        yield _piece("loader", loader, Trusted.NOBODY, f"unpickles {file}")
        return
    yield _piece("loader", loader, Trusted.FORMAT, "reads skops with the types that the package lists")
    known = {*BUILT_IN_TRUSTED_TYPES, *trusted_types}
    for name in _texts(options.get("skops_trusted_types")):
        if name not in known:
            yield _piece("type", name, Trusted.NOBODY, "trusted by MLflow on the package's word")


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _piece(kind: str, name: str, trusted: Trusted, note: str) -> Piece:
    return Piece(kind=kind, name=name, path=MLMODEL, trusted=trusted, note=note)
