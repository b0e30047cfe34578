"""Numbers are kept so that a difference can be measured: as they are, by name, and no more than there is room for."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis.extra import numpy as of_numpy

from cellops.capture.blobs import Blobs
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import LARGEST, Room, numbers_of, pack, unpack

ARRAYS = of_numpy.arrays(
    of_numpy.integer_dtypes() | of_numpy.unsigned_integer_dtypes() | of_numpy.floating_dtypes(),
    of_numpy.array_shapes(max_dims=3, max_side=4, min_side=0),
)


@given(array=ARRAYS)
def test_numbers_come_back_as_they_were(array: Any) -> None:
    found = unpack(pack({"a": array, "": array[:0]}))
    assert list(found) == ["a", ""]
    assert found["a"].dtype == array.dtype
    np.testing.assert_array_equal(found["a"], array)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (np.ones(3), [""]),
        (np.zeros(LARGEST // 8), [""]),
        (np.zeros(LARGEST // 8 + 1), []),
        (np.array(["a"]), []),
        (pd.DataFrame({"a": [1], "b": ["c"]}), ["a"]),
        (pd.DataFrame({"a": [1.0], "b": [2.0]}), ["a", "b"]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), []),
        (pd.Series([1.5]), ["(values)"]),
        ("text", []),
    ],
)
def test_the_numbers_of_a_value_have_the_names_of_its_parts(value: Any, names: list[str]) -> None:
    assert list(numbers_of(value)) == names


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b"[1]\n",
        b'[["a", "O", [1]]]\n12345678',
        b'[["a", "(2,", [1]]]\n12345678',
        b'[["a", ["<f8"], [1]]]\n12345678',
        b'[[["a"], "<f8", [1]]]\n12345678',
        b'[["a", "<f8", [9]]]\n1234',
        b'[["a", "<f8", [-1]]]\n12345678',
        b'[["a", "<f8", ["a"]]]\n1234',
        b'[["a", "<f8", [1e400]]]\n1234',
        b'[["a", "<f8", [%d]]]\n1234' % 10**30,
    ],
)
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="the kept numbers are damaged"):
        unpack(content)


def test_a_session_keeps_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    room = Room(Blobs(tmp_path), 2_000)
    arrays = [np.full(100, n, float) for n in range(5)]
    kept = [look_at("x", array, Allowance(1), room).numbers for array in (*arrays, arrays[0])]
    assert [name is not None for name in kept] == [True, True, False, False, False, True]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2_000
    assert kept[0] == kept[-1]
