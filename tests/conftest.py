"""A project of its own for each test, and a real kernel in it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kernel import Kernel


def pytest_configure() -> None:
    """Take signals as a terminal's program does: a background job ignores them, and all that it starts would too."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, in which nothing of the machine's own settings holds."""
    for name in list(os.environ):
        if name.startswith(("CELLOPS_", "MLFLOW_")):
            monkeypatch.delenv(name)
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
