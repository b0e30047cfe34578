"""Values come back from the store as they went in: equal, of the same type, sharing what they shared."""

import enum
import pickle
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cellops.capture.content.fingerprint import fingerprint
from cellops.errors import StepError
from cellops.pipeline.values.store import FORMATS, ValueStore


class Colour(enum.Enum):
    RED = 1


FRAMES: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "numbers": ("pandas", lambda: pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": [True, False]})),
    "small numbers": ("pandas", lambda: pd.DataFrame({"a": np.array([1], "int8"), "b": np.array([1.5], "float32")})),
    "times": ("pandas", lambda: pd.DataFrame({"t": pd.Series(["2020-01-01", None], dtype="datetime64[s]")})),
    "times with zones": ("pandas", lambda: pd.DataFrame({"t": pd.to_datetime(["2020-01-01"]).tz_localize("Asia/Tokyo")})),  # noqa: E501
    "durations": ("pandas", lambda: pd.DataFrame({"t": pd.to_timedelta([1, None], unit="D")})),
    "categories": ("pandas", lambda: pd.DataFrame({"k": pd.Categorical(["b", None], ["c", "b"], ordered=True)})),
    "nullable": ("pandas", lambda: pd.DataFrame({"n": pd.array([1, None], "Int16"), "b": pd.array([True, None], "boolean")})),  # noqa: E501
    "nullable floats": ("pickle", lambda: pd.DataFrame({"n": pd.array([0.5, None], "Float64")})),
    "an index of numbers": ("pandas", lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 3], name="key"))),
    "a range": ("pandas", lambda: pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 0, -2, name="r"))),
    "no rows": ("pandas", lambda: pd.DataFrame({"a": pd.Series([], dtype="float64")})),
    "an index of times": ("pickle", lambda: pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2, freq="D"))),  # noqa: E501
    "a deep index": ("pickle", lambda: pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")]))),
    "objects": ("pickle", lambda: pd.DataFrame({"a": pd.Series([None, np.nan, (1, 2)], dtype=object)})),
    "columns twice": ("pickle", lambda: pd.DataFrame([[1, 2]], columns=["a", "a"])),
    "columns of numbers": ("pickle", lambda: pd.DataFrame([[1, 2]])),
    "a name for the columns": ("pickle", lambda: pd.DataFrame({"a": [1]}).rename_axis(columns="kind")),
    "an index named as a column": ("pickle", lambda: pd.DataFrame({"a": [1]}, index=pd.Index([2], name="a"))),
}  # fmt: skip
VALUES: dict[str, tuple[str, Any]] = {
    "nothing": ("scalar", None),
    "a number": ("scalar", 0.1),
    "not a number": ("scalar", float("inf")),
    "a negative zero": ("scalar", -0.0),
    "a text": ("scalar", "é\ud800\n"),
    "a large number": ("pickle", 2**60),
    "a numpy number": ("pickle", np.float64(0.1)),
    "bytes": ("pickle", b"\x00"),
    "a date": ("pickle", date(2020, 1, 1)),
    "a list": ("pickle", [1, [2]]),
    "a set": ("pickle", {"a", 1}),
    "an enum": ("pickle", Colour.RED),
    "an array": ("numpy", np.arange(6.0).reshape(2, 3)),
    "a column-major array": ("numpy", np.asfortranarray(np.arange(6).reshape(2, 3))),
    "times of numpy": ("numpy", np.array(["2020-01-01"], "datetime64[D]")),
    "texts of numpy": ("numpy", np.array(["a", "bc"])),
    "objects of numpy": ("pickle", np.array([1, "a", None], dtype=object)),
    "fields of numpy": ("pickle", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])),
    "a matrix with a mask": ("pickle", np.ma.masked_array([1, 2], mask=[True, False])),
    "a series": ("pickle", pd.Series([1, 2], name="y")),
    "a table of arrow": ("arrow", pa.table({"a": [1, None], "b": [[1], []]})),
    "a frame of polars": ("polars", pl.DataFrame({"a": [1, None], "k": pl.Series(["x", "y"], dtype=pl.Categorical)})),
    "a generator": ("pickle", np.random.default_rng(3)),
}


def test_every_format_has_a_value_here() -> None:
    assert {kind for kind, _ in VALUES.values()} | {kind for kind, _ in FRAMES.values()} == set(FORMATS)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back(store: ValueStore, name: str) -> None:
    kind, make = FRAMES[name]
    frame = make()
    (stored,) = store.keep({"frame": frame})
    loaded = store.load([stored])["frame"]
    assert stored.format == kind
    pd.testing.assert_frame_equal(loaded, frame, check_exact=True, check_freq=True, check_flags=True)
    assert type(loaded.index) is type(frame.index)
    assert fingerprint("frame", "used", loaded).digest == fingerprint("frame", "used", frame).digest
    if len(loaded.columns.unique()) == loaded.shape[1] and len(loaded):
        loaded.iloc[0, 0] = loaded.iloc[-1, 0]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back(store: ValueStore, name: str) -> None:
    kind, value = VALUES[name]
    (stored,) = store.keep({"value": value})
    loaded = store.load([stored])["value"]
    assert stored.format == kind
    assert type(loaded) is type(value)
    assert pickle.dumps(loaded) == pickle.dumps(value) or repr(loaded) == repr(value)
    if isinstance(value, np.ndarray):
        assert (loaded.dtype, loaded.flags.f_contiguous) == (value.dtype, value.flags.f_contiguous)
        assert loaded.flags.writeable


def test_an_array_that_cannot_be_written_to_stays_so(store: ValueStore) -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    (stored,) = store.keep({"array": array})
    loaded = store.load([stored])["array"]
    np.testing.assert_array_equal(loaded, array)
    assert not loaded.flags.writeable


@given(
    hnp.arrays(
        st.sampled_from(["i1", "u4", "f2", "f8", "c16", "?", "<U3", "S2", "M8[ms]", "m8[s]"]),
        hnp.array_shapes(min_side=0),
    )
)
def test_any_array_comes_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray[Any, Any]) -> None:
    store = ValueStore(tmp_path_factory.getbasetemp() / "arrays")
    (stored,) = store.keep({"array": array})
    loaded = store.load([stored])["array"]
    assert stored.format == "numpy"
    assert (loaded.dtype, loaded.shape, loaded.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_an_estimator_predicts_the_same(store: ValueStore) -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(X, X[:, 0] > 0)
    loaded = store.load(store.keep({"model": model}))["model"]
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_what_is_shared_stays_shared(store: ValueStore) -> None:
    inner = [1]
    frame = pd.DataFrame({"a": [1.0]})
    values = {"a": {"x": inner}, "n": 5, "frame": frame, "b": [inner], "holder": [frame], "alone": [[1]], "same": frame}
    stored = store.keep(values)
    assert [one.names for one in stored] == [("a", "b"), ("n",), ("frame", "holder", "same"), ("alone",)]
    loaded = store.load(stored)
    assert loaded["a"]["x"] is loaded["b"][0]
    assert loaded["holder"][0] is loaded["frame"] is loaded["same"]


def test_plain_data_shares_what_it_holds_however_deep(store: ValueStore) -> None:
    inner, circle = {1}, list[object]()
    circle.append(circle)
    values = {"deep": ({"k": [(inner,)]},), "flat": [inner], "circle": circle, "fixed": (1, ("a",)), "other": [("a",)]}
    stored = store.keep(values)
    assert [one.names for one in stored] == [("deep", "flat"), ("circle",), ("fixed",), ("other",)]
    loaded = store.load(stored)
    assert loaded["deep"][0]["k"][0][0] is loaded["flat"][0]
    assert loaded["circle"][0] is loaded["circle"]


def test_what_is_not_shared_is_kept_apart(store: ValueStore) -> None:
    values: dict[str, object] = {
        f"v{i}": ({"a": [i], "t": (1, "x"), "d": np.dtype("f8")}, Colour.RED, None) for i in range(20)
    }
    values |= {f"s{i}": pd.Series([float(i)], name="y") for i in range(5)}
    assert all(len(one.names) == 1 for one in store.keep(values))


def test_only_what_is_wanted_is_read(store: ValueStore) -> None:
    stored = store.keep({"a": [1], "b": [2]})
    store.path(stored[0]).unlink()
    assert store.load(stored, ["b"]) == {"b": [2]}
    with pytest.raises(StepError, match="value of a is gone"):
        store.load(stored)


def test_the_same_content_is_one_file(store: ValueStore) -> None:
    first, second = store.keep({"a": np.arange(5)}), store.keep({"b": np.arange(5)})
    assert first[0].digest == second[0].digest
    assert len([path for path in store.folder.rglob("*") if path.is_file()]) == 1


def test_a_file_that_was_changed_is_not_opened(store: ValueStore, tmp_path: Path) -> None:
    (stored,) = store.keep({"a": [1]})

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    store.path(stored).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(StepError, match="not what was written"):
        store.load([stored])
    assert not (tmp_path / "ran").exists()


def test_what_cannot_be_written_is_named(store: ValueStore) -> None:
    with pytest.raises(StepError, match="gate cannot be handed to another step: TypeError") as caught:
        store.keep({"fine": [1], "gate": [Lock()], "other": [2]})
    assert caught.value.data["names"] == ["gate"]
    assert not list(store.folder.rglob("*.part"))


def test_all_that_cannot_be_written_is_named_at_once_each_with_its_remedy(store: ValueStore, tmp_path: Path) -> None:
    with (tmp_path / "log.txt").open("w") as log, pytest.raises(StepError) as caught:
        store.keep({"log": log, "fine": 1, "rows": (n for n in [1]), "gate": Lock()})
    error = caught.value
    assert error.data["names"] == ["log", "rows", "gate"]
    assert error.fact.startswith("log, rows and gate cannot be handed to another step: log: ")
    assert "Open log in the step that uses it. Hand on a list of what rows gives" in error.remedy
    assert "Make gate in the step that uses it" in error.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="the bits of a mode are those of POSIX")
def test_only_the_owner_reads_the_values(store: ValueStore) -> None:
    (stored,) = store.keep({"a": 1})
    assert store.path(stored).parent.stat().st_mode & 0o077 == 0
    assert store.folder.stat().st_mode & 0o077 == 0


def test_sets_of_texts_come_back_and_are_shared_as_they_were(store: ValueStore) -> None:
    texts = {"a", "b", "c"}
    back = store.load(store.keep({"x": [texts, texts, frozenset(texts), {1, "a"}]}))["x"]
    assert back == [texts, texts, frozenset(texts), {1, "a"}]
    assert back[0] is back[1]
    assert [type(one) for one in back] == [set, set, frozenset, set]
