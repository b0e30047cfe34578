"""Correlations from sums that merge, against those of pandas."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.summary.correlation import CoMoments, correlations
from cellops.errors import InputError
from cellops.records.summary import Correlations


def matrix(found: Correlations) -> np.ndarray:
    return np.array(found.coefficients, dtype=float)


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 400), st.integers(0, 2**32), st.floats(0, 0.6), st.integers(1, 200), st.sampled_from([0, 1e6]))
def test_coefficients_are_those_of_pandas_over_the_rows_of_each_pair(
    rows: int, seed: int, gone: float, cut: int, shift: float
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, 4)) @ generator.normal(size=(4, 4)) + shift
    values[generator.random(values.shape) < gone] = np.nan
    table = pd.DataFrame(values, columns=list("abcd"))
    found = correlations(table, rows=cut)

    counts = table.notna().astype(int)
    assert np.array_equal(np.array(found.rows), counts.T @ counts)
    enough = np.array(found.rows) > 3
    theirs = table.corr(min_periods=2).to_numpy()
    assert matrix(found)[enough] == pytest.approx(theirs[enough], abs=1e-6, nan_ok=True)


def test_the_order_of_parts_does_not_matter() -> None:
    values = np.random.default_rng(1).normal(size=(300, 3))
    parts = [CoMoments.of("abc", values[begin : begin + 100]) for begin in (0, 100, 200)]

    forward, backward = CoMoments.merged(parts).record(), CoMoments.merged(parts[::-1]).record()
    assert matrix(forward) == pytest.approx(matrix(backward), abs=1e-12)


def test_constants_infinities_booleans_and_words_are_told_apart() -> None:
    table = pd.DataFrame(
        {
            "x": [1.0, 2.0, 3.0, 4.0, np.inf],
            "constant": 0.1,
            "flag": [False, False, True, True, True],
            "word": list("abcde"),
        }
    )
    for source in (table, pa.Table.from_pandas(table)):
        found = correlations(source)
        assert found.columns == ("x", "constant", "flag")
        assert found.coefficients[0][1] is None
        assert found.coefficients[0][2] == pytest.approx(table["x"][:4].corr(table["flag"][:4].astype(float)))
        assert found.strongest(5)[0][:2] == ("flag", "x")
        assert found.rows[0] == (4, 4, 4)


def test_named_columns_are_taken_and_others_are_refused() -> None:
    table = pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1], "c": [1, 1, 2]})

    assert correlations(table, ["b", "a"]).columns == ("b", "a")
    with pytest.raises(InputError, match="not one column called d"):
        correlations(table, ["a", "d"])
