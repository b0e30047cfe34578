"""One real server on a package of real flights, for all tests that leave it as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import Running, build, running


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("flights", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def server(flights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    limits = {"server_max_bytes": "200000", "server_max_rows": "1000", "log_flush_seconds": "0.05"}
    with running(flights, tmp_path_factory.mktemp("server"), **limits) as started:
        yield started
