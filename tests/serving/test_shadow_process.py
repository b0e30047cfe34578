"""A challenger's process that stands still in the middle of a message holds nobody up."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions
from cellops.serving.dataplane import Call
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.shadow import process as processes
from cellops.serving.shadow import shadow as shadows
from cellops.serving.shadow.process import EndedError, Process
from cellops.serving.shadow.shadow import Kind, Shadow
from support.loaded import loaded
from support.logs import until
from support.rollouts import importable

DIGEST = loaded().digest
ROWS = 200_000
"""More than fits between two processes."""


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    with importable():
        yield


def load(_path: Path) -> LoadedPackage:
    return loaded()


def columns(rows: int = 1) -> dict[str, Any]:
    values = {"carrier": np.full(rows, "UA", object), "hour": np.full(rows, 12), "night": np.full(rows, False)}
    return values | {"distance": np.full(rows, 700.0)}


def test_one_that_is_stopped_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STALLED", 0.5)
    process = Process(load, Path("delays"), DIGEST, 2**40)
    try:
        process.ready(60.0, threading.Event())
        assert process.ask(columns(), 1, 60.0, threading.Event()).predictions is not None
        os.kill(process._process.pid or 0, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(EndedError, match=r"it stood still for 0\.5 s"):
            process.ask(columns(ROWS), ROWS, 60.0, threading.Event())
        assert time.monotonic() - began < 10
    finally:
        process.kill()


class Unlucky:
    """A challenger's process that cannot be begun the first time, and then answers with what is none."""

    begun = 0

    def __init__(self, *_: object) -> None:
        Unlucky.begun += 1
        if Unlucky.begun == 1:
            raise OSError(11, "Resource temporarily unavailable")

    def ready(self, *_: object) -> None: ...

    def check_memory(self) -> None: ...

    def ask(self, *_: object) -> processes.Told:
        return processes.Told(Predictions(np.array([["no"], ["answer"]]), None))

    def kill(self) -> None: ...


def test_a_shadow_goes_on_whatever_befalls_its_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Log:
        def take(self, *_: object) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(shadows, "Process", Unlucky)
    monkeypatch.setattr(shadows, "PAUSE", 0.01)
    log: Any = Log()
    shadow = Shadow(Kind(load, Path("delays"), DIGEST, 1.0, 2**40, off_peak=False), Ledger(1.0), log, lambda _: None)
    call = Call(prediction_id="1", request_id="", time=0, received=0, protocol="test")
    try:
        until(lambda: Unlucky.begun == 2)
        shadow.show(columns(), call, Predictions(np.array([1.0]), None))
        until(lambda: Unlucky.begun >= 3)
    finally:
        shadow.close()
    said = [record.getMessage() for record in caplog.records if "is started again" in record.getMessage()]
    assert len(said) == 2
