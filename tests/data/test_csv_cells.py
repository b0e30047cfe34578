"""A column of cells is read as each of its cells is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.csv_cells import cell_value, cell_values
from cellops.data.decoder import Decoder
from cellops.errors import InputError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

NUMBERS = st.integers().map(str) | st.floats().map(str) | st.sampled_from(["", "+.5e3", "7.", "1e999", "-0", "1" * 30])
CELLS = st.lists(NUMBERS, max_size=8) | st.lists(st.integers(-9, 9).map(str)) | st.lists(st.text("0.1e-+_\n ٣a"))


@pytest.mark.parametrize("kind", ColumnKind)
@pytest.mark.parametrize("nullable", [False, True])
@given(cells=CELLS)
def test_a_column_is_decoded_as_its_cells_are(kind: ColumnKind, nullable: bool, cells: list[str]) -> None:
    field = Field(name="a", kind=kind, dtype="float64", nullable=nullable)
    decoder = Decoder(Schema(inputs=(field,), task=Task.REGRESSION, target="b"))
    told = []
    for column in (cell_values(field, cells), [cell_value(field, cell) for cell in cells]):
        try:
            array = decoder.columns({"a": column})["a"]
            told.append((str(array.dtype), repr(array.tolist())))
        except InputError as error:
            told.append((str(error), ""))
    assert told[0] == told[1]
