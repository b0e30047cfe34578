"""A folder that machines share, on file systems of two kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ftp import ftp_server


@pytest.fixture
def served(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    return tmp_path / "served"


@pytest.fixture(params=["file", "ftp"])
def address(request: pytest.FixtureRequest, served: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{served}/steps"
    else:
        with ftp_server(served) as found:
            yield found
