"""Whom a request is of: the same user whatever the type of the cell, and nobody where it says none."""

from typing import Any

import numpy as np
import pytest

from cellops.errors import InputError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.serving.rollout.user_key import UserKey


def user(values: Any, kind: ColumnKind = ColumnKind.TEXT) -> str | None:
    field = Field(name="user", kind=kind, dtype=str(values.dtype), nullable=True)
    return UserKey("user", Schema(inputs=(field,), task=Task.CLASSIFICATION, target="y")).of({}, {"user": values})


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (np.array(["ada"], object), ColumnKind.TEXT, "ada"),
        (np.array([7]), ColumnKind.INTEGER, "7"),
        (np.array([None], object), ColumnKind.TEXT, None),
        (np.array([""], object), ColumnKind.TEXT, None),
        (np.array([np.nan]), ColumnKind.NUMBER, None),
        (np.array(["NaT"], "datetime64[ns]"), ColumnKind.DATETIME, None),
    ],
)
def test_rows_of_one_user_or_of_nobody(values: Any, kind: ColumnKind, said: str | None, rows: int) -> None:
    assert user(np.repeat(values, rows), kind) == said


def test_a_user_and_nobody_are_two() -> None:
    with pytest.raises(InputError, match="the rows are of several users"):
        user(np.array(["ada", None], object))
