"""Members of libraries that functions set on what they are given: the cells that call them stand in slices."""

import json
import os.path
import string
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from support.trail import Trail, results

PUT = "def put(m): m.mine = [5]"
READ = "r = [*string.mine]"
BEGIN = ["import string", PUT]
CELLS = {
    "by another function": [*BEGIN, "def go(): put(string)", "go()", READ],
    "once more": [
        "import string\nn = [1]", "def put(m): m.mine = [*n]", "def go(): put(string)", "go()", "n.append(2)\ngo()",
        READ,
    ],
    "imported later": [PUT, "def go(): put(string)", "import string", "go()", READ],
    "imported in it": [PUT, "def go():\n    import string\n    put(string)", "go()",
                       "import string\nr = [*string.mine]"],
    "map": [*BEGIN, "k = list(map(put, [string]))", READ],
    "for": [*BEGIN, "for m in [string]: put(m)", READ],
    "for, at once": ["import string\ndef put(m): m.mine = []\nfor m in [string]: put(m)", "q = string.mine",
                     "q.append(1)", READ],
    "loop without a function": ["import string", "for m in [string]: m.mine = [5]", READ],
    "dictionary": [*BEGIN, "d = {'a': string}", "put(d['a'])", READ],
    "keyword of a dictionary": [*BEGIN, "d = dict(a=string)", "put(d['a'])", READ],
    "object": [*BEGIN, "class Box: pass\nbox = Box()", "box.lib = string", "put(box.lib)", READ],
    "partial": [*BEGIN, "import functools\np = functools.partial(put, string)", "p()", READ],
    "default": ["import string\ndef put(m=string): m.mine = [5]", "put()", READ],
    "returned": [*BEGIN, "def get(): return string", "put(get())", READ],
    "lambda": [*BEGIN, "get = lambda: string", "put(get())", READ],
    "number": ["import string", "def put(m): m.mine = 5", "def go(): put(string)", "go()", "r = string.mine"],
    "computed name": [
        "import string", "def put(m, k): setattr(m, k, [5])", "def go(): put(string, 'mi' + 'ne')", "go()", READ,
    ],
    "computed name and map": [
        "import string", "def put(m, k): setattr(m, k, [5])", "k = list(map(put, [string], ['mi' + 'ne']))", READ,
    ],
    "class": ["import pandas as pd", PUT, "k = [put(c) for c in (pd.DataFrame,)]", "r = [*pd.DataFrame().mine]"],
    "class by its name": ["from pandas import DataFrame", PUT, "def go(): put(DataFrame)", "go()",
                          "r = [*DataFrame.mine]"],
    "module in a module": ["import os", PUT, "def go(): put(os.path)", "go()", "r = [*os.path.mine]"],
    "changed": [*BEGIN, "go = lambda: put(string)", "go()", "q = string.mine", "q.append(3)", READ],
    "method": ["import string\nclass P:\n    def put(self, m): m.mine = [5]\np = P()", "def go(): p.put(string)",
               "go()", READ],
    "key of a sort": ["import string\ndef put(m):\n    m.mine = [5]\n    return 1", "k = sorted([string], key=put)",
                      READ],
    "decorator": [*BEGIN, "def around(f):\n    put(string)\n    return f", "@around\ndef h(): pass", READ],
    "callback": [*BEGIN, "def call(f, *a): return f(*a)", "call(put, string)", READ],
    "starred": [*BEGIN, "a = (string,)\nput(*a)", READ],
    "replaced": ["import json", "def put(m): m.dumps = lambda *a: 'mine'", "def go(): put(json)", "go()",
                 "r = json.dumps(1)"],
    "deleted": ["import string\nstring.mine = [5]", "def take(m): del m.mine", "k = list(map(take, [string]))",
                "r = hasattr(string, 'mine')"],
    "code of a function": ["import textwrap\ndef mine(t, w=70, **k): return ['mine']",
                           "def put(f, g): f.__code__ = g.__code__", "k = list(map(put, [textwrap.fill], [mine]))",
                           "r = textwrap.fill('a b')"],
    "defaults of a function": ["import textwrap", "def put(f): f.__defaults__ = (3,)",
                               "k = list(map(put, [textwrap.fill]))", "r = textwrap.fill('a b c d')"],
    "name of a function": ["import functools, textwrap\ndef mine(): pass",
                           "k = list(map(functools.update_wrapper, [textwrap.fill], [mine]))",
                           "r = textwrap.fill.__name__"],
    "class of a module": ["import string, types", "class M(types.ModuleType):\n    given = 5",
                          "def put(m): m.__class__ = M", "k = list(map(put, [string]))", "r = string.given"],
    "object of a module": ["import json", "encoder = json._default_encoder", "encoder.mine = 5",
                           "r = json._default_encoder.mine"],
    "object of a module that is given": ["import json", "def put(m): m._default_encoder.mine = 5",
                                         "k = list(map(put, [json]))", "r = json._default_encoder.mine"],
    "module out of a list": ["import importlib", PUT, "kept = [importlib.import_module('string')]",
                             "k = list(map(put, kept))", f"import string\n{READ}"],
    "member under a computed name": [PUT, "import os", "def go(): put(getattr(os, 'pa' + 'th'))",
                                     "go()", "import os.path\nr = [*os.path.mine]"],
    "computed name, a value of the library": [
        "import string", "def put(m, k, v): setattr(m, k, v)",
        "k = list(map(put, [string], ['mi' + 'ne'], [string.Template('x')]))", "r = string.mine.template",
    ],
    "module of the project": [
        "import pathlib\nn = pathlib.Path('cellops_handed.py').write_text('def put(m): m.mine = [5]')",
        "import sys\nsys.path.insert(0, '.')",
        "import cellops_handed, string", "def go(): cellops_handed.put(string)", "go()", READ,
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("sys.path", [*sys.path])
    dumps = json.dumps
    yield
    _clear()
    json.dumps = dumps
    sys.modules.pop("cellops_handed", None)


MADE_OF = {name: getattr(textwrap.fill, name) for name in ("__code__", "__defaults__", "__name__", "__qualname__")}


def _clear() -> None:
    for name, value in MADE_OF.items():
        setattr(textwrap.fill, name, value)
    vars(textwrap.fill).clear()
    string.__class__ = ModuleType
    vars(json._default_encoder).pop("mine", None)
    for owner in (string, pd.DataFrame, os.path):
        if "mine" in vars(owner):
            delattr(owner, "mine")


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_stands_there(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dumps = json.dumps
    replayed = Trail.replay

    def replay(trail: Trail) -> dict[str, object]:
        _clear()
        json.dumps = dumps
        return replayed(trail)

    monkeypatch.setattr(Trail, "replay", replay)
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


def test_what_libraries_set_themselves_is_nobodys() -> None:
    trail = Trail()
    for cell in (
        "import warnings\nimport pandas as pd, matplotlib.pyplot as plt, sklearn, tqdm, json, logging",
        "class Settings: pass\nof = Settings()\nfor key in ('title', 'columns'): setattr(of, key, 1)",
        "def name(frame, names): frame.columns = names\nd = pd.DataFrame([[1]])\nname(d, ['a'])",
        "fig, ax = plt.subplots()\nax.set_title('x')\nplt.close(fig)",
        "from sklearn.linear_model import LogisticRegression\nm = LogisticRegression().fit([[0], [1]], [0, 1])",
        "r = 1",
    ):
        trail.run(cell)
    assert trail.slice().cells == (6,)


NOBODYS = {
    "attribute of an own object": (
        ["class P:\n    def __init__(self, name, path): self.name, self.path = name, path", "import os, sys",
         "p = P(1, 2)"],
        (4,),
    ),
    "module that is imported later": (
        ["import matplotlib as mpl", "class P: pass\np = P()\np.pyplot = 1", "import matplotlib.pyplot as plt"], (4,),
    ),
    "modules": (["import sys\nhere = 'google.colab' in sys.modules", "import colorsys", "import wave, chunk"], (4,)),
    "options that are read": (
        ["import matplotlib.pyplot as plt\nsize = plt.rcParams['font.size']",
         "fig, ax = plt.subplots()\nplt.close(fig)"],
        (3,),
    ),
    "filters that are read": (["import warnings\nn = len(warnings.filters)", "import this"], (3,)),
    "container that is very large": (
        ["import json.encoder\nx = json.encoder.ESCAPE_DCT\nkept = dict(x)",
         "def fill(d): d.update((n, n) for n in range(10001))",
         "k = list(map(fill, [x]))", "x.clear()\nx.update(kept)", "b = 2", "c = 3"], (1, 2, 3, 4, 7),
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("cells", "expected"), NOBODYS.values(), ids=NOBODYS)
def test_what_other_code_changes_widens_no_slice(cells: list[str], expected: tuple[int, ...]) -> None:
    trail = Trail()
    for cell in (*cells, "r = 1"):
        trail.run(cell)
    assert trail.slice().cells == expected


def test_odd_objects_in_the_place_of_shared_ones_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    class Items(list[object]):
        def __iter__(self) -> Iterator[object]:
            raise AssertionError

    trail = Trail()
    with monkeypatch.context() as odd:
        odd.setattr("sys.path", Items(sys.path))
        odd.setattr("warnings.filters", Odd())
        odd.setitem(sys.modules, "matplotlib", Odd())
        odd.setattr(string, "mine", Odd(), raising=False)
        odd.setattr("os.environ", Odd())
        records = [trail.run(cell) for cell in ("import string\nx = string.mine", "y = [string.mine]", "r = 1")]
    assert all(record.effects is not None for record in records)


def test_nothing_that_stood_on_a_library_is_held() -> None:
    trail = Trail()
    trail.run("import string, weakref\nclass Big(dict): pass\nstring.mine = Big()\nthere = weakref.ref(string.mine)")
    trail.run("n = len(string.mine)\nk = [string.mine]")
    trail.run("del string.mine, k")
    trail.run("gone = there() is None")
    assert trail.namespace["gone"]
