"""The slice of a run: executing it alone gives the run's values, and it is not simply everything."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.trail import Trail

NAME = st.sampled_from(["a", "b", "c", "d"])
FUNCTION = st.sampled_from(["f", "g"])
ANY = st.one_of(NAME, NAME, FUNCTION)
NUMBER = st.integers(0, 3)


def _template(text: str) -> st.SearchStrategy[str]:
    """A statement with names in the place of letters: n, m, k are names, f a function, x either, i a number."""
    parts = {"n": NAME, "m": NAME, "k": NAME, "f": FUNCTION, "x": ANY, "i": NUMBER}
    return st.fixed_dictionaries(parts).map(lambda given: text.format(**given))


CLOSURE = """def {f}(*v):
    kept = [{m}]
    def inner(*w):
        kept.append({k})
        return kept
    return inner"""
CLASS = """class Box:
    items = {m}
    def __init__(self, value=0):
        self.value = value
    def add(self):
        {k}.append(self.value)
{n} = Box({m})"""
STATEMENTS = st.one_of(
    *map(
        _template,
        [
            "{n} = {i}",
            "{n} = [{i}]",
            "{n} = [{i}, {i}]",
            "{n} = {m}",
            "{n} = [{m}, {k}]",
            "{n} = {{'key': {m}}}",
            "{n} = ({m}, {i})",
            "{n}, {m} = {m}, {n}",
            "{n} = {m} + {k}",
            "{n} = {m}[0]",
            "{n} = {m}['key']",
            "{n} = len({m})",
            "{n} = list({m})",
            "{n} = sorted({m}, key=lambda v: {k})",
            "{n} = [{k} for v in {m}]",
            "{n} = [{m} for {m} in {k}]",
            "{n} = [{n} for {n} in {n}[:2]]",
            "{n} = [v.append({i}) for v in {m}[:3]]",
            "{n} = (v for v in {m})",
            "{n} = (v + {k} for v in {m})",
            "{n} = iter({m})",
            "{n} = zip({m}, {k})",
            "{n} = next({m})",
            "{n} = max({m}, {k}, key=bool)",
            "{n} = lambda: {m}",
            "{n} = [lambda: {m}]",
            "{n} = {x}()",
            "{n} = {x}({m})",
            "{n} = {m}[0]()",
            "{x}({m})",
            "{x}()",
            "{n}.append({m})",
            "{n}.append({i})",
            "{n}[0].append({i})",
            "{n}.extend({m}[:2])",
            "{n}.reverse()",
            "{n}[0] = {m}",
            "{n}['key'] = {m}",
            "{n} += [{i}]",
            "{n} += {m}[:2]",
            "{n} *= 2",
            "del {n}",
            "del {n}[0]",
            "add = {n}.append\nadd({i})",
            "for {n} in {m}[:3]:\n    {n}.append({i})",
            "for {n} in {m}:\n    {k} = {n}",
            "for v in {m}[:3]:\n    {n} = v\n    {n} += [1]",
            "while {n}:\n    {m} = {n}.pop()",
            "if {m}:\n    {n} = {k}",
            "if {m}:\n    {n} = {i}\nelse:\n    del {n}",
            "try:\n    {n} = {m}[0]\nexcept Exception as {k}:\n    {n} = {i}",
            "try:\n    {n} = {m}\nexcept NameError:\n    {n} = [{i}]",
            "match {m}:\n    case [{n}, *{k}]:\n        pass\n    case _:\n        {n} = {i}",
            "if ({n} := {m}):\n    {n}.append({i})",
            "print({m}, {n})",
            "def {f}(*v):\n    return {m}",
            "def {f}(*v):\n    {m}.append({i})\n    return {k}",
            "def {f}(*v):\n    for each in v:\n        each.append({i})\n    return v",
            "def {f}(*v):\n    global {m}\n    {m} = {k}",
            "def {f}(v={m}, *w):\n    v.append({i})\n    return v",
            "def {f}(*v):\n    local = {m}\n    local.append({i})\n    return local",
            "def {f}(*v):\n    return {x}()",
            "def {f}(*v):\n    {m}.append(v)\n    return len({m})",
            "def {f}(*v):\n    yield {m}\n    yield {k}",
            CLOSURE,
            CLASS,
            "{n}.value = {m}",
            "{n} = {m}.value",
            "{n}.value.append({i})",
            "{n}.items.append({i})",
            "{n}.add()",
            "import functools\n{n} = functools.partial({f}, {m})",
            "import functools\n@functools.lru_cache\ndef {f}(*v):\n    return {m}",
            "import math\n{n} = math.floor({i})",
            "import collections\n{n} = collections.defaultdict(lambda: {m})",
            "exec('{n} = {m}')",
            "exec('{n} =' + ' {m}')",
            "globals()['{n}'] = {m}",
            "{n} = globals().get('{m}')",
            "{n} = eval('{m}')",
        ],
    )
)
BEGIN = st.sampled_from([[], ["a = [1]", "b = [2]", "c = [[3], [4]]", "d = {'key': [5]}"]])
CELLS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join), min_size=2, max_size=9)


def shape(value: Any, depth: int = 6) -> Any:
    """What can be compared of a value; of objects, what they hold, and of functions only that they are."""
    if isinstance(value, int | str | float | None):
        return value
    if depth == 0:
        return type(value).__name__
    if isinstance(value, list | tuple):
        return [type(value).__name__, *(shape(item, depth - 1) for item in value)]
    if isinstance(value, dict):
        return {str(key): shape(item, depth - 1) for key, item in value.items()}
    held = vars(value) if hasattr(value, "__dict__") else {}
    return [type(value).__name__, shape(held, depth - 1) if type(value).__name__ == "Box" else None]


@settings(max_examples=2000, deadline=None)
@given(BEGIN, CELLS, st.lists(ANY, min_size=1, max_size=2))
def test_executing_the_slice_alone_gives_the_runs_values(begin: list[str], cells: list[str], read: list[str]) -> None:
    trail = Trail()
    for cell in (*begin, *cells):
        trail.run(cell)
    trail.run(
        "".join(f"try:\n    result_{n} = {n}\nexcept NameError:\n    result_{n} = 'no such name'\n" for n in read)
    )
    replayed = trail.replay()
    for name in read:
        expected = shape(trail.namespace.get(f"result_{name}"))
        assert shape(replayed.get(f"result_{name}")) == expected, trail.slice()


TABLE = st.sampled_from(["t", "u"])
ARRAY = st.sampled_from(["p", "q"])


def _of_tables(text: str) -> st.SearchStrategy[str]:
    parts = {"t": TABLE, "u": TABLE, "p": ARRAY, "q": ARRAY, "n": NAME, "f": FUNCTION, "i": NUMBER}
    return st.fixed_dictionaries(parts).map(lambda given: text.format(**given))


ON_TABLES = st.one_of(
    *map(
        _of_tables,
        [
            "{t} = pd.DataFrame({{'a': [{i}, 1, 2], 'b': [3.0, 4.0, 5.0]}})",
            "{t} = {u}",
            "{t} = {u}.copy()",
            "{t} = {u}[['a']]",
            "{t} = {u}.assign(c={i})",
            "{t} = {u}.drop(columns='b')",
            "{t} = {u}[{u}['a'] > {i}]",
            "{t} = pd.concat([{t}, {u}])",
            "{t}['a'] = {i}",
            "{t}['c'] = {u}['a']",
            "{t}.loc[0, 'a'] = {i}",
            "{t}.iloc[0, 0] += 1",
            "{t}['a'] += 1",
            "{t} += 1",
            "{t}.insert(0, 'd', {i})",
            "{n} = {t}.pop('a')",
            "{t}.drop(columns='b', inplace=True)",
            "{t}.eval('e = a + {i}', inplace=True)",
            "{t}.update({u})",
            "{t}.columns = ['a'] + list({t}.columns[1:])",
            "{n} = {t}['a']",
            "{n}.iloc[0] = {i}",
            "{p} = {t}['a'].to_numpy(copy=True)",
            "{p} = np.array({t})",
            "{p} = np.arange(6.0)",
            "{p} = {q}",
            "{p} = {q}[1:]",
            "{p} = {q}.reshape(-1, 1)",
            "{p} = {q}.ravel()",
            "{p} = {q} * 2",
            "{p} = np.where({q} > {i}, {q}, 0)",
            "{t} = pd.DataFrame({{'a': {p}.ravel()}})",
            "{p}[0] = {i}",
            "{p} += 1",
            "{p}.sort()",
            "{p}.fill({i})",
            "np.add({p}, {i}, out={p})",
            "np.copyto({p}, {q})",
            "np.put({p}, [0], {i})",
            "rng.shuffle({p})",
            "{n} = rng.normal()",
            "{p} = rng.integers(0, 9, 4)",
            "rng = np.random.default_rng({i})",
            "for row in {p}[:2]:\n    row += 1",
            "for {n} in [{p}, {q}]:\n    {n} += 1",
            "{n} = {i}",
            "{n} = {t}.query('a > @{n}')",
            "{n} = float({t}['a'].sum())",
            "{n} = {t}.apply(lambda column: column.sum() + {i})",
            "seen = []\n{n} = {t}['a'].map(lambda v: seen.append(v) or {n})",
            "{n} = {{'t': {t}, 'p': {p}}}",
            "{n}['p'][0] = {i}",
            "{n}['t']['a'] = {i}",
            "def {f}(given):\n    given['a'] = {i}",
            "def {f}(given):\n    return given['a'].mean()",
            "def {f}(given):\n    given[:] = {i}\n    return given",
            "{n} = {f}({t})",
            "{f}({p})",
            "{n} = {t}.pipe({f})",
            "model = Ridge()\nmodel.fit({t}[['a']].fillna(0), {t}['a'].fillna(0))",
            "{p} = model.predict({t}[['a']].fillna(0))",
            "model.coef_ += {i}",
            "{n} = model.coef_",
            "{p} = StandardScaler(copy=False).fit_transform({t}[['a']].to_numpy())",
            "scaler = StandardScaler(copy=bool({i}))",
            "{p} = {q}.reshape(-1, 1)\nscaler.fit({p})\n{n} = scaler.transform({p})",
            "{p} = {q}.reshape(-1, 1)\nscaler.fit({p})\nscaler.inverse_transform({p}, copy=False)",
            "{n} = scale({p}.reshape(-1, 1), copy=False)",
            "np.nan_to_num({p}, nan=1.0, copy=False)",
            "{t}.head()\nprint({t}.shape, {p}.mean())",
            "print({t}.describe())",
        ],
    )
)
TABLE_CELLS = st.lists(st.lists(ON_TABLES, min_size=1, max_size=2).map("\n".join), min_size=2, max_size=9)
IMPORTS = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import Ridge\n"
    "from sklearn.preprocessing import StandardScaler, scale"
)
MADE = [
    IMPORTS,
    "t = pd.DataFrame({'a': [1.0, 2.0], 'b': [3.0, 4.0]})\nu = t.copy()",
    "p = np.arange(3.0)\nq = p[1:]\nrng = np.random.default_rng(1)",
    "c = {'t': t, 'p': p}",
    "scaler = StandardScaler(copy=False)",
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@settings(max_examples=200, deadline=None)
@given(TABLE_CELLS, st.lists(st.sampled_from(["t", "u", "p", "q", "a", "c"]), min_size=1, max_size=2))
def test_the_same_of_tables_arrays_and_models(cells: list[str], read: list[str]) -> None:
    trail = Trail()
    for cell in (*MADE, *cells):
        trail.run(cell)
    trail.run("".join(f"result_{name} = {name} if '{name}' in dir() else None\n" for name in read))
    replayed = trail.replay()
    for name in read:
        expected = repr(trail.namespace[f"result_{name}"])
        assert repr(replayed.get(f"result_{name}")) == expected, (trail.slice(), [r.source for r in trail.records])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = 1", "y = 2", "z = x + 1", "print(z)"], (1, 3, 4)),
        (["n = [1]", "m = [n for n in n]", "r = m"], (1, 2, 3)),
        (["x = 1", "x = 2", "y = x"], (2, 3)),
        (["x = [1]", "x.append(2)", "len(x)", "y = x"], (1, 2, 4)),
        (["a = [1]", "b = a", "c = [a]", "c[0].append(2)", "r = b[0]"], (1, 2, 3, 4, 5)),
        (["a = [1]", "b = [2]", "c = [a, b]", "a.append(3)", "r = b[0]"], (2, 5)),
        (["g = 3", "def f(): return g", "g = 4", "h = 7", "r = f()"], (2, 3, 5)),
        (["n = 0", "def f():\n    global n\n    n += 1", "f()", "f()", "r = n"], (1, 2, 3, 4, 5)),
        (["x = 1\ny = 2", "del x", "try:\n    z = x\nexcept NameError:\n    z = 5", "w = z + y"], (1, 2, 3, 4)),
        (["x = 1", "if x > 5:\n    y = 3", "z = x"], (1, 3)),
        (["it = iter([1, 2])", "next(it)", "r = next(it)"], (1, 2, 3)),
        (["import os\nk = 1", "os.environ['PLACE'] = 'x'", "r = 1"], (1, 2, 3)),
        (["import os\nk = 1", "os.environ.update(PLACE='x')", "r = 1"], (1, 2, 3)),
        (["import os\nk = 1", "k = os.environ.get('PLACE')", "r = 1"], (3,)),
        (["import decimal", "decimal.getcontext().prec = 10", "r = decimal.Decimal(1)"], (1, 2, 3)),
        (["import json\nk = 1", "t = json.dumps([k])", "j = json.loads(t)", "r = k"], (1, 4)),
        (["class A:\n    rate = 2\n    def f(self): return base", "base = 1", "base = 3", "a = A()", "r = a.f()"],
         (1, 3, 4, 5)),
        (["x = 1", "exec('y = x')", "z = 3", "r = y"], (1, 2, 4)),
        (["x = 1", "def f(v): return v", "u = f([3])", "r = x"], (1, 4)),
        (["x = 1", "y = x +", "r = x"], (1, 3)),
    ],
)  # fmt: skip
def test_a_slice_holds_no_cell_for_nothing(cells: list[str], expected: tuple[int, ...]) -> None:
    trail = Trail()
    for cell in cells:
        trail.run(cell)
    assert trail.slice().cells == expected


def test_a_long_trail_leaves_a_short_slice() -> None:
    trail = Trail()
    for number in range(300):
        trail.run(f"kept = [{number}]\nframe = kept")
    trail.run("frame = [frame, kept]")
    assert trail.slice().cells == (300, 301)


MADE = "rng = np.random.default_rng({})\nw = rng.normal(size=6)"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((MADE.format(""), MADE.format(3), "m = w.mean()"), (1, 3, 4)),
        ((MADE.format(3), "w = rng.normal(size=6)", "m = w.mean()"), (1, 2, 3, 4)),
        ((MADE.format(3), "rng, = rng.spawn(1)\nw = rng.normal(size=6)", "m = w.mean()"), (1, 2, 3, 4)),
        (
            (MADE.format(3), f"old = rng.normal(size=6)\n{MADE.format(4)}\nw += old", "m = w.mean()"),
            (1, 2, 3, 4),
        ),
    ],
)
def test_a_cell_that_makes_its_generator_depends_on_no_earlier_one(
    cells: tuple[str, ...], expected: tuple[int, ...], tmp_path: Path
) -> None:
    trail = Trail(tmp_path)
    for cell in ("import numpy as np", *cells):
        trail.run(cell)
    assert trail.slice().cells == expected
    assert trail.replay()["m"] == trail.namespace["m"]
