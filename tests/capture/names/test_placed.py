"""What cells put on modules and classes of libraries: slices hold the cells that change it, by whatever name."""

import importlib
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from support.trail import Trail, results

PUT = "import string\nstring.mine = []"
READ = "r = [*string.mine]"
TAG = "import pandas as pd\npd.DataFrame.mine = []\ndf = pd.DataFrame({'a': [1]})"
CELLS = {
    "another name": [PUT, "q = string.mine", "q.append(1)", READ],
    "the other name": [PUT, "q = string.mine", "string.mine.append(1)", "r = [*q]"],
    "import": [PUT, "from string import mine as q", "q.append(1)", READ],
    "getattr": [PUT, "q = getattr(string, 'mine')", "q.append(1)", READ],
    "setattr": ["import string\nsetattr(string, 'mine', [])", "q = string.mine", "q.append(1)", READ],
    "vars": ["import string\nvars(string)['mine'] = []", "q = string.mine", "q.append(1)", READ],
    "dictionary of a module": ["import string\nstring.__dict__.update(mine=[])", "q = string.mine", "q.append(1)",
                               READ],
    "computed name": ["import string\nsetattr(string, 'mi' + 'ne', [])", "q = string.mine", "q.append(1)", READ],
    "module in a module": ["import os.path\nos.path.mine = {}", "q = os.path.mine", "q['a'] = 1",
                           "r = {**os.path.mine}"],
    "class": [TAG, "q = pd.DataFrame.mine", "q.append(1)", "r = [*pd.DataFrame.mine]"],
    "object of a class": [TAG, "df.mine.append(1)", "r = [*pd.DataFrame.mine]"],
    "name of an object's": [TAG, "q = df.mine\nq.append(1)", "r = [*pd.DataFrame().mine]"],
    "method": ["import pandas as pd\nlog = []\ndef note(self): log.append(len(self))\npd.DataFrame.mine = note",
               "df = pd.DataFrame({'a': [1]})", "df.mine()", "r = [*log]"],
    "method that a function puts there": [
        "import pandas as pd\nlog = []\ndef put(): pd.DataFrame.mine = lambda self: log.append(1)", "put()",
        "pd.DataFrame().mine()", "r = [*log]",
    ],
    "method under a computed name": [
        "import pandas as pd\nlog = []\ndef note(self): log.append(1)", "setattr(pd.DataFrame, 'mi' + 'ne', note)",
        "pd.DataFrame().mine()", "r = [*log]",
    ],
    "method whose name is bound anew": [
        "import pandas as pd\nlog = []\ndef note(self): log.append(1)\npd.DataFrame.mine = note",
        "def note(self): pass", "pd.DataFrame().mine()", "r = [*log]",
    ],
    "method that changes its object": [
        "import pandas as pd\ndef add(self): self['b'] = 1\npd.DataFrame.mine = add", "df = pd.DataFrame({'a': [1]})",
        "df.mine()", "r = [*df.columns]",
    ],
    "function": ["import json\njson.dumps.mine = []", "q = json.dumps.mine", "q.append(1)", "r = json.dumps.mine"],
    "function of a list": ["import string\nlog = []\nstring.mine = log.append", "string.mine(1)", "r = [*log]"],
    "array": ["import string, numpy as np\nstring.mine = np.zeros(3)", "q = string.mine[1:]", "q[0] = 5",
              "r = string.mine.tolist()"],
    "object": ["import string\nclass C: pass\nstring.mine = C()", "q = string.mine", "q.n = 1", "r = string.mine.n"],
    "in a list": [PUT, "q = [string.mine]", "q[0].append(1)", READ],
    "argument": [f"{PUT}\ndef f(given): given.append(3)", "f(string.mine)", READ],
    "by a function": ["import string\ndef f(): string.mine = []", "f()", "q = string.mine", "q.append(1)", READ],
    "by a function that is given the module": ["import string\ndef f(m): m.mine = []", "f(string)", "q = string.mine",
                                               "q.append(1)", READ],
    "a number by such a function": ["import string\ndef f(m): m.mine = 5", "f(string)", "r = string.mine"],
    "by a function with setattr": ["import string\ndef f(m, k): setattr(m, k, [])", "f(string, 'mine')",
                                   "string.mine.append(1)", READ],
    "from a function": [PUT, "def f(): return string.mine", "q = f()", "q.append(1)", READ],
    "path of modules": ["import sys, pathlib\npathlib.Path('d').mkdir()",
                        "n = pathlib.Path('d/cellops_placed.py').write_text('v = 5')", "q = sys.path", "q.append('d')",
                        "import cellops_placed\nr = cellops_placed.v"],
    "filters of warnings": ["import warnings", "q = warnings.filters\nkept = [*q]", "q.clear()",
                            "r = len(warnings.filters)\nwarnings.filters[:] = kept"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def libraries() -> Iterator[None]:
    kept = [*sys.path]
    yield
    sys.path[:] = kept
    sys.modules.pop("cellops_placed", None)
    importlib.invalidate_caches()
    for owner in (string, pd.DataFrame):
        if "mine" in vars(owner):
            delattr(owner, "mine")


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_stands_there(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


@pytest.mark.parametrize("put", ["type(df).mine = []", "df.__class__.mine = []", "setattr(df.__class__, 'mine', [])"])
def test_what_the_class_of_a_value_is_given_is_everybodys(put: str) -> None:
    trail = Trail()
    for cell in ("import pandas as pd\ndf = pd.DataFrame()", put, "r = pd.DataFrame.mine"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3)


ORDINARY = {
    "path that is looked at": ("import sys", "p = sys.path[0]\nk = [p for p in sys.path if 'x' in p]\nprint(sys.path)"),
    "colors": ("import matplotlib.pyplot as plt", "c = plt.cm.tab10.colors\nm = plt.cm.viridis(0.3)"),
    "functions": ("import numpy as np", "f = np.mean\na = np.r_[1, 2]\nn = f(a)\nnp.random.rand(2)"),
    "output": ("import sys", "sys.stdout.write('x')\nsys.stdout.flush()"),
    "columns that a function names": (
        "import numpy as np, pandas as pd\ndef name(df): df.columns = ['a']\ndef score(v, by): return by(v)",
        "df = pd.DataFrame([[1]])\nname(df)\nn = score([1], np.mean)",
    ),
    "the shell": ("import os", "s = get_ipython().__class__.__name__"),
}


@pytest.mark.parametrize(("begin", "cell"), ORDINARY.values(), ids=ORDINARY)
def test_the_libraries_own_members_are_nobodys(begin: str, cell: str) -> None:
    trail = Trail(get_ipython=object)
    for source in (begin, cell, "r = 1"):
        trail.run(source)
    assert trail.slice().cells == (3,)
