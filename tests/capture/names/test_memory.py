"""A slice follows the memory that tables share, also where the source does not show it."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from cellops.capture.names.kinds import MOST_ITEMS, Kind, describe
from cellops.capture.names.memory import Memory, places_of
from support.trail import Trail

IMPORTS = "import numpy as np, pandas as pd, polars as pl, pyarrow as pa, scipy.sparse as sp"
ARRAY = "b = np.arange(4.0)"
SERIES = f"{ARRAY}\ns = pd.Series(b, copy=False)"
CHANGE = "b[0] = 50"
OPEN = "f = pd.DataFrame({'x': [1.0, 2.0], 'y': ['a', 'b']})\nv = f['x'].values\nv.flags.writeable = True"


@pytest.mark.parametrize(
    ("begin", "make", "change", "read"),
    [
        (ARRAY, "a = pa.table({'x': b}).select(['x'])", CHANGE, "a['x'].to_numpy().sum()"),
        (ARRAY, "a = pa.table({'x': b, 'y': b}).drop(['y']).combine_chunks()", CHANGE, "a['x'].to_numpy().sum()"),
        (ARRAY, "a = pl.DataFrame({'x': b}).select('x')", CHANGE, "a['x'].sum()"),
        (ARRAY, "a = pl.from_arrow(pa.table({'x': b})).with_columns(q=1)", CHANGE, "a['x'].sum()"),
        (ARRAY, "a = pl.DataFrame({'x': b}).lazy().collect()", CHANGE, "a['x'].sum()"),
        (ARRAY, "a = b.astype(float, copy=False)", CHANGE, "a.sum()"),
        (ARRAY, "a = b.astype(float, copy=False)", "a[0] = 50", "b.sum()"),
        ("m = sp.csr_matrix(np.eye(3))", "n = m.astype(float, copy=False)", "m.data[0] = 50", "n.sum()"),
        (SERIES, "g = s.astype(float)", CHANGE, "g.sum()"),
        (SERIES, "g = s.fillna(0)", CHANGE, "g.sum()"),
        (SERIES, "g = s.sort_index()", CHANGE, "g.sum()"),
        (SERIES, "g = s.drop_duplicates()", CHANGE, "g.sum()"),
        (SERIES, "g = s.clip()", CHANGE, "g.sum()"),
        (OPEN, "g = f.drop(columns='y')", "v[0] = 50", "g['x'].sum()"),
        (OPEN, "g = f.copy(deep=False)", "v[0] = 50", "g['x'].sum()"),
        ("f = pd.DataFrame({'x': [1.0, 2.0]})\ng = f.astype(float)\nv = f['x'].values", "v.flags.writeable = True",
         "v[0] = 50", "g['x'].sum()"),
        ("o = pd.Series([[1], [2]])", "g = o.max()", "g.append(9)", "len(o[1])"),
        ("o = pd.DataFrame({'x': [[1], [2]]})", "g = o.dropna()", "g['x'][0].append(9)", "len(o['x'][0])"),
        ("o = pd.DataFrame({'x': [[1], [2]]})", "g = o.to_dict()", "g['x'][0].append(9)", "len(o['x'][0])"),
        (ARRAY, "x = 1", "_ = np.add(b, x, b)", "b.sum()"),
        (ARRAY, "x = 1", "_ = np.negative(b, b)", "b.sum()"),
        (ARRAY, "x = 1", "_ = np.clip(b, 0, x, b)", "b.sum()"),
        (ARRAY, "x = 0", "_ = b.cumsum(x, float, b)", "b.sum()"),
    ],
)  # fmt: skip
def test_a_change_of_shared_memory_is_in_the_slice(begin: str, make: str, change: str, read: str) -> None:
    trail = Trail()
    for cell in (IMPORTS, begin, make):
        trail.run(cell)
    trail.run(f"first = float({read})")
    trail.run(change)
    trail.run(f"second = float({read})")
    assert trail.namespace["first"] != trail.namespace["second"]
    assert trail.replay()["second"] == trail.namespace["second"]


@pytest.mark.parametrize(
    ("begin", "make", "change"),
    [
        ("f = pd.DataFrame({'x': [1.0, 2.0], 'y': [1, 2]})", "g = f.drop(columns='y')", "f['x'] = 3.0"),
        ("f = pd.DataFrame({'x': [1.0, 2.0], 'y': [1, 2]})", "g = f.astype(float)", "f.loc[0, 'x'] = 3.0"),
        (ARRAY, "g = pd.DataFrame({'x': b.astype(int)})", CHANGE),
        (ARRAY, "g = b.astype('float32')", CHANGE),
        (ARRAY, "c = np.arange(4.0)\ng = c.astype(float, copy=False)", CHANGE),
        ("b = pd.DataFrame({'x': np.array(['p', 'q'], dtype=object)})", "g = b.dropna()", "b['x'] = 'z'"),
    ],
)
def test_what_copies_is_not_taken_to_share(begin: str, make: str, change: str) -> None:
    trail = Trail()
    for cell in (IMPORTS, begin, make, change, "seen = g.sum()"):
        trail.run(cell)
    assert {1, 3, 5} <= set(trail.slice().cells) <= {1, 2, 3, 5}


def test_names_that_are_bound_anew_share_nothing_any_more() -> None:
    memory, array = Memory(), np.arange(4.0)
    namespace = {"a": array, "b": array[1:], "c": pl.Series(array)}
    assert memory.learn(["a", "b", "c"], namespace) == {"b": ("a",), "c": ("a", "b")}
    namespace["a"] = np.arange(4.0)
    assert memory.learn(["a"], namespace) == {}
    del namespace["b"], namespace["c"]
    assert memory.learn(["b", "c"], namespace) == {}
    assert memory.learn(["d"], {"d": array}) == {}


class Bad:
    @property
    def flags(self) -> None:
        raise SystemExit

    def __getattr__(self, name: str) -> None:
        raise SystemExit


@pytest.mark.parametrize(
    "value",
    [
        Bad(), np.float64(1), np.random.default_rng(3), np.arange(0), pd.DataFrame(), pl.DataFrame({"a": ["x", None]}),
        pa.array([None, None]), pa.schema([]), sp.coo_matrix((2, 2)), sp.lil_matrix((2, 2)), pd.Index([1]), 7, "text",
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_every_value_can_be_looked_at(value: object) -> None:
    assert all(place.start < place.end for place in places_of(value))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["a", "b", None, 1.5], Kind.TABLE),
        ([["a"], "b"], Kind.BOX),
        (["a"] * (MOST_ITEMS + 1), Kind.BOX),
    ],
)
def test_a_frame_of_objects_that_can_change_is_a_container(column: list[object], kind: Kind) -> None:
    frame = pd.DataFrame({"x": pd.Series(column, dtype=object), "y": 1})
    assert describe(frame).kind is kind
    assert describe(frame["x"]).kind is kind
    assert describe(frame["y"]).kind is Kind.TABLE


@pytest.mark.parametrize(
    ("make", "change", "read"),
    [
        ("g = f + 1", "g.index.name = 'z'", "f.index.name"),
        ("g = f + 1", "f.index.name = 'z'", "g.index.name"),
        ("g = f > 1", "g.columns.name = 'z'", "f.columns.name"),
        ("g = f * 2", "g.index.rename('z', inplace=True)", "f.index.name"),
        ("g = f + 1\nh = g + 1\nk = h + 1", "k.index.names = ['z']", "f.index.name"),
        ("g = [f + 1]", "g[0].index.name = 'z'", "f.index.name"),
        ("g = {'x': f + 1}", "g['x'].columns.name = 'z'", "f.columns.name"),
        ("g = (f + 1).index", "g.name = 'z'", "f.index.name"),
        ("g = f.index", "g.name = 'z'", "f.index.name"),
        ("g = f.index\nh = f + 1", "g.name = 'z'", "h.index.name"),
        ("g = pd.DataFrame({'q': [1, 2]}, index=f.index)\nh = g * 2", "h.index.name = 'z'", "f.index.name"),
        ("g = pd.DataFrame({'q': [1, 2]})\ng.index = f.index", "g.index.name = 'z'", "f.index.name"),
        ("g = f.sum(axis=1)\nh = g > 2", "h.index.name = 'z'", "g.index.name"),
        ("def name(t): t.index.name = 'z'\ng = f + 1", "name(g)", "f.index.name"),
        ("def make():\n    g = f + 1\n    g.index.name = 'z'", "make()", "f.index.name"),
        ("x = 1", "(f + x).columns.name = 'z'", "f.columns.name"),
    ],
)
def test_a_name_given_to_an_index_is_in_the_slices_of_all_that_have_it(make: str, change: str, read: str) -> None:
    trail = Trail()
    for cell in ("import pandas as pd", "f = pd.DataFrame({'x': [1.0, 2.0], 'y': [1.0, 3.0]})", make, change):
        trail.run(cell)
    trail.run(f"seen = {read}")
    assert trail.namespace["seen"] == "z"
    assert trail.replay()["seen"] == "z"


def test_an_index_in_common_shares_nothing_else() -> None:
    trail = Trail()
    for cell in (
        "import pandas as pd",
        "f = pd.DataFrame({'x': [1.0, 2.0]})",
        "g = f + 1",
        "f['x'] = 3.0",
        "r = g.sum()",
    ):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3, 5)
