"""A store of values."""

from pathlib import Path

import pytest

from cellops.pipeline.values.store import ValueStore


@pytest.fixture
def store(tmp_path: Path) -> ValueStore:
    return ValueStore(tmp_path / "values")
