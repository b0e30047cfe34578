"""A project of its own for each test, and a real kernel in it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cellops.capture.secrets import KNOWN, KnownSecrets
from support.kernel import Kernel


def pytest_configure() -> None:
    """Let nothing of the machine's own settings hold; take signals as a terminal's program does.

    A background job ignores signals, and all that it starts would too. A property is not judged by how long it takes,
    and is held against the same examples each time.
    """
    settings.register_profile("same", deadline=None, derandomize=True, database=None)
    settings.load_profile("same")
    for name in _own_settings():
        del os.environ[name]
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _own_settings() -> list[str]:
    return [name for name in os.environ if name.startswith(("CELLOPS_", "MLFLOW_"))]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Take back what a test tells MLflow, which writes it to the environment, and the secrets of this process."""
    yield
    mlflow = sys.modules.get("mlflow")
    if mlflow is not None and mlflow.is_tracking_uri_set():
        mlflow.set_tracking_uri(None)
    for name in _own_settings():
        del os.environ[name]
    vars(KNOWN).update(vars(KnownSecrets()))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project to work in."""
    folder = tmp_path / "project"
    (folder / ".cellops").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def kernel(project: Path) -> Iterator[Kernel]:
    """A fresh kernel in the project, with no background writer."""
    started = Kernel(project, {"CELLOPS_WRITER": "false"})
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def loaded(kernel: Kernel) -> Kernel:
    """The same with cellops loaded."""
    done = kernel.run("%load_ext cellops")
    assert done.status == "ok", done
    return kernel
