"""Arrays and frames that lie in one memory still do after they were handed on."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellops.pipeline.values.store import ValueStore, sharing_memory


@pytest.mark.parametrize(
    "view",
    [
        lambda whole: whole[2:],
        lambda whole: whole.T,
        lambda whole: whole[::-1, 1],
        lambda whole: [whole[1:], whole[:1]],
        lambda whole: whole.view("uint64"),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_in_one_memory_come_back_in_one(view: Callable[[Any], Any], order: Any, store: ValueStore) -> None:
    whole = np.asarray(np.arange(12).reshape(4, 3), order=order).copy(order=order)
    back = store.load(store.keep({"whole": whole, "view": view(whole)}))
    assert pickle.dumps(back["view"]) == pickle.dumps(view(back["whole"]))
    whole[:] = back["whole"][:] = 7
    assert pickle.dumps(back["view"]) == pickle.dumps(view(whole))


def test_a_frame_and_an_array_in_one_memory_come_back_in_one(store: ValueStore) -> None:
    array = np.zeros((3, 2))
    frame = pd.DataFrame(array, columns=["a", "b"], copy=False).assign(n=1)
    table = pd.DataFrame({"a": [1.0], "b": [2.0]})
    values = {"array": array, "frame": frame, "table": table, "column": table["b"].to_numpy()}
    stored = store.keep(values)
    assert [one.names for one in stored] == [("array", "frame"), ("table", "column")]
    back = store.load(stored)
    back["array"][0, 0] = 9
    assert back["frame"].iloc[0].tolist() == [9, 0, 1]
    assert np.shares_memory(back["column"], back["table"]["b"].to_numpy())


def test_frames_that_look_at_one_memory_are_kept_apart(store: ValueStore) -> None:
    whole = pd.DataFrame({"a": [1.0, 2.0]})
    assert len(store.keep({"train": whole[:1], "test": whole[1:], "array": np.zeros(2)})) == 3


def test_a_view_that_is_kept_alone_takes_no_more_than_itself(store: ValueStore) -> None:
    (stored,) = store.keep({"view": [np.zeros(1000)[:1]]})
    assert stored.size < 1000


def test_views_that_files_do_not_keep_are_told(store: ValueStore) -> None:
    array = np.arange(10)
    values = {"array": array, "view": array[2:], "copy": array.copy(), "n": 1}
    assert sharing_memory(values) == [("array", "view")]
    assert sharing_memory(values, store.keep(values)) == []
