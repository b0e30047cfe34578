"""A column that is read quickly is the one that a closer look gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.arrays import EXACT, build_column
from cellops.data.quick_columns import reader
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -0.0, 10**400, EXACT, EXACT + 1, -EXACT - 1, 1e308])
SCALARS = NUMBERS | st.none() | st.booleans() | st.text(max_size=3)
COLUMNS = (
    st.lists(SCALARS, max_size=5) | st.lists(NUMBERS | st.none(), max_size=5) | st.lists(st.integers(), max_size=5)
)


@pytest.mark.parametrize("kind", ColumnKind)
@pytest.mark.parametrize("nullable", [False, True])
@given(values=COLUMNS)
def test_it_is_the_same_or_left_to_a_closer_look(kind: ColumnKind, nullable: bool, values: list[object]) -> None:
    field = Field(name="column", kind=kind, dtype="float64", nullable=nullable)
    quick = reader(field)(values)
    if quick is None:
        return
    array, problems = build_column(field, values)
    assert problems == []
    assert array is not None
    assert array.dtype == quick.dtype
    assert array.shape == quick.shape
    assert [*map(repr, array.tolist())] == [*map(repr, quick.tolist())]


def test_common_columns_are_read() -> None:
    for kind, values in ((ColumnKind.NUMBER, [1, 2.5]), (ColumnKind.INTEGER, [3]), (ColumnKind.TEXT, ["a", "b"])):
        quick = reader(Field(name="column", kind=kind, dtype="float64", nullable=False))(values)
        assert isinstance(quick, np.ndarray)
