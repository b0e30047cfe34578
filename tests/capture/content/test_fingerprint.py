"""A change anywhere in a table changes its fingerprint; a copy does not."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cellops.capture.content.fingerprint import fingerprint, is_data, is_table
from cellops.capture.content.rows import row_hashes
from cellops.capture.content.tokens import UnhashableError

SCALARS = {
    "int": st.integers(-1000, 1000),
    "float": st.floats(allow_nan=True, allow_infinity=True),
    "text": st.text(max_size=5),
    "bool": st.booleans(),
    "time": st.datetimes(min_value=dt.datetime(2000, 1, 1), max_value=dt.datetime(2030, 1, 1)),  # noqa: DTZ001
    "mixed": st.one_of(st.none(), st.integers(0, 9), st.text(max_size=2), st.booleans()),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 6))
    columns = draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=4))
    data = [draw(st.lists(SCALARS[kind], min_size=rows, max_size=rows)) for kind in columns]
    frame = pd.concat(
        [
            pd.Series(values, dtype=object if kind == "mixed" else None)
            for kind, values in zip(columns, data, strict=True)
        ],
        axis=1,
    )
    frame.columns = [f"c{i % 3}" for i in range(len(columns))]
    return frame


def digest(table: object) -> str:
    found = fingerprint("t", "table", table)
    assert found.method == "full"
    return found.digest


@settings(max_examples=60, deadline=None)
@given(frames())
def test_a_copy_has_the_same_fingerprint(frame: pd.DataFrame) -> None:
    assert digest(frame) == digest(frame.copy(deep=True))


@settings(max_examples=100, deadline=None)
@given(frames(), st.data())
def test_another_value_in_any_cell_has_another_fingerprint(frame: pd.DataFrame, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(frame) - 1))
    column = data.draw(st.integers(0, frame.shape[1] - 1))
    changed = frame.copy(deep=True).astype(object)
    original = frame.astype(object)
    changed.iloc[row, column] = "a value that is not there"
    assert digest(changed) != digest(original)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"a": "b"}),
        lambda f: f.iloc[::-1],
        lambda f: f.astype({"a": float}),
        lambda f: f.set_index(pd.Index([5, 6, 7])),
        lambda f: f.assign(t=f.t.dt.tz_localize("UTC")),
        lambda f: f.assign(k=f.k.cat.rename_categories({"x": "z"})),
        lambda f: f.assign(n=f.n.fillna(0)),
        lambda f: f[["k", "a", "t", "n"]],
    ],
)
def test_names_types_order_and_missing_values_count(change: object) -> None:
    frame = pd.DataFrame(
        {
            "a": [1, 2, 3],
            "t": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "k": pd.Categorical(["x", "y", "x"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    assert digest(change(frame)) != digest(frame)  # type: ignore[operator]


def test_a_change_beyond_the_first_rows_counts() -> None:
    values = np.zeros((200_000, 3))
    before = digest(values)
    values[-1, -1] = 1e-300
    assert digest(values) != before


def test_one_string_and_one_number_differ() -> None:
    assert digest(pd.Series([1, "1"], dtype=object)) != digest(pd.Series(["1", 1], dtype=object))


def test_what_cannot_be_hashed_says_so() -> None:
    found = fingerprint("t", "table", pd.Series([object(), 1], dtype=object))
    assert (found.method, found.rows) == ("metadata-only", 2)
    assert "builtins.object have no content" in str(found.reason)


def test_tables_are_known() -> None:
    assert all(map(is_table, (pd.DataFrame(), pd.Series(dtype=float), np.zeros(2))))
    assert not any(map(is_table, ([1], {"a": 1}, 3.0, np.float64(3), pd)))


def test_data_of_other_libraries_and_numbers_in_lists_are_known() -> None:
    known = (pl.DataFrame(), pl.Series([1]), pa.table({}), pa.array([1]), sparse.csr_matrix((2, 2)), [1, 2.0], (1,))
    assert all(map(is_data, known))
    assert not any(map(is_data, ([], ["a"], [True], [[1]], {1: 2}, 3.0, pl, pa, sparse, pl.col("a"))))


TIME = dt.datetime(2020, 1, 1)  # noqa: DTZ001
VALUES: dict[str, tuple[object, list[object], object]] = {
    "integers": (pl.Int64, [1, 2, 3], 4),
    "small integers": (pl.UInt8, [1, None, 3], 4),
    "floats": (pl.Float64, [1.0, float("nan"), None], 2.0),
    "truth": (pl.Boolean, [True, None, False], None),
    "text": (pl.String, ["a", None, "\N{SNOWMAN}"], ""),
    "bytes": (pl.Binary, [b"a", None, b""], b"b"),
    "categories": (pl.Categorical, ["a", "b", "a"], "b"),
    "times": (pl.Datetime("us", "Europe/Berlin"), [TIME, None, TIME], TIME + dt.timedelta(microseconds=1)),
    "dates": (pl.Date, [TIME.date(), None, TIME.date()], dt.date(2021, 1, 1)),
    "durations": (pl.Duration("ms"), [dt.timedelta(1), None, dt.timedelta(2)], dt.timedelta(3)),
    "decimals": (pl.Decimal(10, 2), [Decimal("1.10"), None, Decimal(2)], Decimal("1.11")),
    "lists": (pl.List(pl.Int64), [[1, 2], None, []], [1]),
    "structs": (pl.Struct({"a": pl.Int64}), [{"a": 1}, {"a": None}, {"a": 3}], {"a": 4}),
    "arrays": (pl.Array(pl.Int8, 2), [[1, 2], None, [3, 4]], [1, 1]),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    "library", [pl.DataFrame, pl.DataFrame.to_arrow, lambda f: f.to_pandas(use_pyarrow_extension_array=True)]
)
def test_any_cell_of_any_type_counts_and_a_copy_does_not(kind: str, place: int, library: object) -> None:
    dtype, values, other = VALUES[kind]
    changed = [other if at == place and value != other else value for at, value in enumerate(values)]
    frames = [library(pl.DataFrame({"a": pl.Series(v, dtype=dtype)})) for v in (values, list(values), changed)]  # type: ignore[operator, arg-type]
    first, same, different = map(digest, frames)
    assert first == same
    assert (first != different) == (values != changed)


@pytest.mark.parametrize("kind", VALUES)
def test_how_a_table_is_cut_into_pieces_does_not_count(kind: str) -> None:
    dtype, values, _ = VALUES[kind]
    table = pl.DataFrame({"a": pl.Series(values * 3, dtype=dtype)}).to_arrow()  # type: ignore[arg-type]
    pieces = pa.concat_tables([table.slice(0, 4), table.slice(4, 1), table.slice(5)])
    assert digest(pieces) == digest(table)
    assert digest(table.slice(1)) != digest(table)


NUMPY = st.sampled_from(
    ["bool", "int8", "uint64", "float16", "float64", "longdouble", "complex128", "M8[s]", "U3", "S2"]
)


@settings(max_examples=150, deadline=None)
@given(NUMPY, st.integers(1, 700), st.integers(1, 40), st.data())
def test_arrays_count_by_value_and_not_by_how_they_lie_in_memory(
    dtype: str, rows: int, columns: int, data: st.DataObject
) -> None:
    array = np.arange(rows * columns).reshape(rows, columns).astype(dtype)
    place = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    assert digest(array) == digest(np.asfortranarray(array)) == digest(np.repeat(array, 2, axis=0)[::2])
    changed = array.copy()
    changed[place] = 0 if array[place] else 1
    assert (digest(changed) != digest(array)) == (changed[place] != array[place])
    if array.dtype.kind not in "US" and dtype != "longdouble":
        frame = pd.DataFrame(np.asfortranarray(array))
        assert digest(frame) == digest(pd.DataFrame(array, copy=False))
        assert digest(pd.DataFrame(changed, copy=False)) != digest(frame) or changed[place] == array[place]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5), st.integers(0, 4), st.sampled_from(["csr", "csc", "coo", "dok", "lil", "bsr", "dia"]))
def test_sparse_matrices_count_by_value(row: int, column: int, form: str) -> None:
    matrix = sparse.random_array((6, 5), density=0.4, rng=np.random.default_rng(1)).tolil()
    changed = matrix.copy()
    changed[row, column] += 1
    assert digest(matrix.asformat(form)) == digest(matrix.copy().asformat(form)) != digest(changed.asformat(form))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2, 3], [1, 2, 4]),
        ([1, 2], [1.0, 2]),
        ([1, 2], (1, 2)),
        (np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [0, 0])),
        (np.array([("a", 1)], "O,i4"), np.array([("b", 1)], "O,i4")),
        (np.array(["a"], np.dtypes.StringDType()), np.array(["b"], np.dtypes.StringDType())),
        (pd.Series([0.0]), pd.Series([-0.0])),
        (pd.Series(["\ud800"], dtype=object), pd.Series(["\ud801"], dtype=object)),
        (pd.Series([["a", "b"]]), pd.Series([["a", ["b"]]])),
        (pd.Series([{"a": {1, 2}}]), pd.Series([{"a": {1, 3}}])),
        (pd.Series([None, 1], dtype=object), pd.Series([np.nan, 1], dtype=object)),
        (
            pd.Series(pd.period_range("2020", periods=2, freq="M")),
            pd.Series(pd.period_range("2020", periods=2, freq="Q")),
        ),
        (pd.Series(pd.interval_range(0, 3)), pd.Series(pd.interval_range(0, 3, closed="left"))),
        (pd.Series(pd.arrays.SparseArray([0, 1])), pd.Series(pd.arrays.SparseArray([1, 0]))),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[2, 1]], columns=["a", "a"])),
        (pd.DataFrame(index=range(3)), pd.DataFrame(index=range(4))),
        (pd.DataFrame({"a": []}), pd.DataFrame({"b": []})),
        (pd.DataFrame({"a": []}), pd.DataFrame()),
        (pd.Index([1, 2]), pd.Index([1, 2], name="a")),
        (pd.MultiIndex.from_tuples([(1, "a")]), pd.MultiIndex.from_tuples([(1, "b")])),
        (pd.DataFrame({1: [1]}), pd.DataFrame({"1": [1]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}).rename_axis(columns="x")),
    ],
)
def test_these_differ(one: object, other: object) -> None:
    assert digest(one) != digest(other)


class Hostile:
    """Fails at every touch; it must never be touched."""

    def _refuse(self, *_: object) -> object:
        raise AssertionError("user code was called")

    __repr__ = __str__ = __hash__ = __eq__ = __len__ = __reduce_ex__ = __iter__ = __bool__ = _refuse  # type: ignore[assignment]


class HostileZone(dt.tzinfo):
    def utcoffset(self, _: object) -> dt.timedelta:
        return dt.timedelta(0)

    dst = utcoffset

    def __str__(self) -> str:
        raise AssertionError("user code was called")

    __repr__ = __str__


class Text(str):
    __slots__ = ()

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        raise AssertionError("user code was called")


def _recursive() -> list[object]:
    inside: list[object] = [1]
    inside.append(inside)
    return inside


@pytest.mark.parametrize(
    "value",
    [
        Hostile(),
        [Hostile()],
        {"a": Hostile()},
        Text("a"),
        dt.datetime(2020, 1, 1, tzinfo=HostileZone()),
        _recursive(),
        pd.DataFrame(),
        np.array([Hostile()]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_of_unknown_types_are_never_touched(value: object) -> None:
    column = np.empty(2, object)
    column[0] = value
    for table in (
        pd.DataFrame({"a": pd.Series(column, dtype=object)}),
        column,
        pl.DataFrame({"a": pl.Series([value, 1], dtype=pl.Object)}),
    ):
        found = fingerprint("t", "table", table)
        assert found.method == "metadata-only"
        assert found.reason


def test_a_name_of_an_unknown_type_is_never_touched() -> None:
    class Name:
        def __repr__(self) -> str:
            raise AssertionError("user code was called")

    assert fingerprint("t", "table", pd.DataFrame({Name(): [1]})).method == "metadata-only"


def test_a_table_too_large_for_passing_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellops.capture.content.fingerprint.LARGEST", 1000)
    array = np.zeros((250_000, 2))
    for table in (
        array,
        pd.DataFrame(array),
        pd.Series(array[:, 0]),
        pl.DataFrame(array),
        pa.table({"a": array[:, 0]}),
    ):
        found = fingerprint("t", "table", table)
        assert (found.method, found.rows) == ("sampled", 250_000)
        assert found.reason == "100000 of 250000 rows were hashed: the table is too large to read in passing"
        assert found.digest == fingerprint("t", "table", table).digest


def test_many_python_objects_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellops.capture.content.fingerprint.MOST_OBJECTS", 1000)
    assert fingerprint("t", "table", pd.Series([1] * 150_000, dtype=object)).method == "sampled"


def _shared(depth: int) -> list[object]:
    """Lists that hold the same one twice, each: two to the power of `depth` numbers."""
    found: list[object] = [1]
    for _ in range(depth):
        found = [found, found]
    return found


@pytest.mark.parametrize("make", [list, tuple, lambda held: {"a": held}], ids=["list", "tuple", "dict"])
def test_a_cell_that_leads_to_too_much_is_told_and_not_read(make: Callable[[list[object]], object]) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": pd.Series([make(_shared(40)), None], dtype=object)})
    for table in (frame, frame["b"], frame.to_numpy(), frame["b"].to_numpy()):
        found = fingerprint("t", "training", table)
        assert found.method == "metadata-only"
        assert found.reason is not None
        assert "lead to more than 2,000,000 objects" in found.reason
    with pytest.raises(UnhashableError, match="lead to more than"):
        row_hashes([frame])


def test_what_is_shared_a_few_times_is_read_whole() -> None:
    one, other = ([_shared(5)], [_shared(6)])
    assert digest(pd.DataFrame({"b": one})) != digest(pd.DataFrame({"b": other}))
