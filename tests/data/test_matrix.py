"""Matrices of numbers by their columns."""

import numpy as np
import pytest

from cellops.data.decoder import Decoder
from cellops.data.matrix import FEW, FOLDED, SOME, UNFOLDED, Matrix, corners, finite, transposed
from cellops.errors import InputError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

FIELDS = tuple(Field(name=name, kind=ColumnKind.NUMBER, dtype="float64", nullable=True) for name in "abc")
DECODER = Decoder(Schema(inputs=FIELDS, task=Task.REGRESSION, target="y"))


@pytest.mark.parametrize("rows", [1, FOLDED - 1, FOLDED, FOLDED + 1, UNFOLDED + 1, 10 * FOLDED + 7])
def test_the_corners_are_the_least_and_the_largest(rows: int) -> None:
    array = np.random.default_rng(rows).normal(size=(rows, 3))
    assert np.array_equal(corners(array), [array.min(axis=0), array.max(axis=0)])


@pytest.mark.parametrize("rows", [1, 2, 50])
@pytest.mark.parametrize("width", [3, FEW + 1])
def test_rows_of_finite_numbers_become_one_array_that_a_model_may_write_to(rows: int, width: int) -> None:
    numbers = np.random.default_rng(rows).normal(size=(rows, width))
    array = finite(numbers.tolist(), width)
    assert array is not None
    assert np.array_equal(array, numbers)
    assert array.flags.writeable
    for strange in (np.inf, -np.inf, np.nan):
        numbers[-1, -1] = strange
        assert finite(numbers.tolist(), width) is None


@pytest.mark.parametrize("table", [[[1.0]], [[1.0, 2.0, 3.0]], [[1.0, 2.0], [3.0]], [[1.0], [2.0, 3.0, 4.0]]])
def test_rows_of_another_width_become_no_array(table: list[list[float]]) -> None:
    assert finite(table, 2) is None


@pytest.mark.parametrize("count", [1, 3, SOME + 1])
def test_matrices_below_one_another_are_turned_over(count: int) -> None:
    generator = np.random.default_rng(count)
    matrices = [generator.normal(size=(generator.integers(1, 700), 3)) for _ in range(count)]
    columns = transposed(matrices)
    assert np.array_equal(columns, np.concatenate(matrices).T)
    assert columns.flags.c_contiguous


def test_arrays_of_finite_numbers_become_one_matrix() -> None:
    table = {"c": np.array([2**53 + 1, 2]), "a": np.array([0.5, 1], dtype="f2"), "b": np.array([1, 255], dtype="u1")}
    decoded = DECODER.columns(table)
    assert isinstance(decoded, Matrix)
    assert {name: column.tolist() for name, column in decoded.items()} == {
        "a": [0.5, 1.0],
        "b": [1.0, 255.0],
        "c": [2.0**53, 2.0],
    }


def test_arrays_that_are_no_such_numbers_are_looked_at_one_by_one() -> None:
    numbers = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
    missing = DECODER.columns({**numbers, "c": np.array([np.nan, 5.0])})
    assert type(missing) is dict
    assert np.isnan(missing["c"][0])
    assert np.isnan(DECODER.columns(numbers)["c"]).all()
    for wrong, said in (
        (np.array([np.inf, 1.0]), "Column c, row 0"),
        (np.array([1.0]), "differ in length"),
        (np.array([True, False]), "Column c"),
    ):
        with pytest.raises(InputError, match=said):
            DECODER.columns({**numbers, "c": wrong})
