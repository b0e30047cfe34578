"""Packages of one model, servers that divide its traffic, and clients that ask them all the time."""

import json
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from cellops.monitoring import prediction_log
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.records.rollout import RolloutState, RolloutView
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from support.moody import TRUSTED, Moody
from support.provenance import PROVENANCE
from support.served import TOKEN, Running, running

NAME = "moody"
PATH = f"/v2/models/{NAME}/infer"
WAIT = 60
CHAMPION, CHALLENGER = 1.0, 2.0
"""What they answer."""


def package(folder: Path, answer: float, *, moods: bool = False, columns: tuple[str, ...] = ("x", "user")) -> Path:
    """A package that answers one number; with moods it misbehaves on rows that ask for it."""
    import mlflow.sklearn

    inputs = pd.DataFrame({name: np.arange(40.0) for name in columns})
    target = pd.Series(np.linspace(0.0, 10.0, 40), name="y")
    model = Moody(answer, moods).fit(inputs, target)
    contract = build_contract(model, (inputs[:20], target[:20]), (inputs[20:], target[20:]), parity_rows=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            folder / "model",
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=[*BUILT_IN_TRUSTED_TYPES, TRUSTED],
        )
    return build_package(
        folder / "model", contract, ENVIRONMENT, PROVENANCE, folder / NAME, name=NAME, trusted_types=[TRUSTED]
    )


@contextmanager
def importable() -> Iterator[None]:
    """Let servers find the models of tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
        yield


ENVIRONMENT = Environment(
    python="3.11.7", implementation="CPython", platform="Linux", machine="x86_64", cpu="", cores=2, local=()
)


def question(x: float = 0.0, user: float = 0.0, rows: int = 1) -> dict[str, Any]:
    values = {"x": x, "user": user}
    return {
        "inputs": [
            {"name": name, "shape": [rows], "datatype": "FP64", "data": [value] * rows}
            for name, value in values.items()
        ]
    }


@dataclass(frozen=True)
class Answer:
    """What a client was told."""

    status: int
    version: str
    value: float | None
    prediction_id: str


def ask(
    client: httpx.Client, x: float = 0.0, *, user: str | None = None, path: str = PATH, column: float = 0.0
) -> Answer:
    headers = {} if user is None else {"X-User-Key": user}
    reply = client.post(path, json=question(x, column), headers=headers)
    said = reply.json()
    value = said["outputs"][0]["data"][0] if reply.status_code == 200 else None
    version = reply.headers.get("x-model", "").rpartition("/")[2]
    if value is not None:
        assert said["model_version"] == version
    return Answer(reply.status_code, version, value, reply.headers.get("x-prediction-id", ""))


@dataclass
class Site:
    """A server with a rollout."""

    server: Running
    admin: httpx.Client
    log: Path

    def view(self) -> RolloutView:
        reply = self.admin.get(f"/v2/repository/models/{NAME}/rollout")
        assert reply.status_code == 200, reply.text
        return RolloutView.from_json(reply.content)

    def order(self, action: str, **more: Any) -> httpx.Response:
        return self.admin.post(f"/v2/repository/models/{NAME}/rollout", json={"action": action, **more})

    def state(self) -> RolloutState:
        return RolloutState.from_file(self.log / "rollout.json")

    def decisions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.log / "decisions.jsonl").read_text().splitlines()]


@contextmanager
def site(champion: Path, folder: Path, *words: str, **settings: str) -> Iterator[Site]:
    """A server on free ports; the log stays in the folder when it ends."""
    given = {"trusted_types": TRUSTED, "log_flush_seconds": "0.05", **settings}
    with running(champion, folder, "--admin-port", "0", *words, **given) as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=server.admin, headers=headers, timeout=WAIT, trust_env=False) as admin:
            yield Site(server, admin, folder / "log")


@dataclass
class Load:
    """Clients that ask all the time, each of them another user."""

    answers: list[Answer] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __len__(self) -> int:
        return len(self.answers)


@contextmanager
def load(server: Running, clients: int = 3, mood: Callable[[], float] = float, pause: float = 0) -> Iterator[Load]:
    """Ask meanwhile."""
    asked = Load()

    def go_on(number: int) -> None:
        with httpx.Client(
            base_url=server.client.base_url, headers=dict(server.client.headers), timeout=WAIT, trust_env=False
        ) as client:
            while not asked.ended.wait(pause):
                asked.answers.append(ask(client, mood(), user=f"user {number} {len(asked.answers) % 50}"))

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        asked.ended.set()
        for thread in threads:
            thread.join()


def require_as_logged(answers: list[Answer], log: Path) -> None:
    """Each answer was given, by the version that said so, with that version's answer, and logged so."""
    assert {answer.status for answer in answers} == {200}
    frame = prediction_log.read(log)
    logged = dict(zip(frame["prediction_id"], frame["package"], strict=True))
    for answer in answers:
        assert logged[f"{answer.prediction_id}:0"].startswith(answer.version)
