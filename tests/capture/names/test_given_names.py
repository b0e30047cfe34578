"""Objects that get several names at once, and functions that are called by what they were given to."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from support.trail import Trail, results

CLOSURE = """def make():
    n = []
    def inc(): n.append(1)
    def get(): return len(n)
    return inc, get"""
COUNT = """class Count:
    n = 0
    def inc(self): self.n += 1
    def get(self): return self.n
def make():
    c = Count()
    return c.inc, c.get"""
ITEMS = """def items():
    l = []
    def each():
        while True:
            l.append(1)
            yield 1
    return each(), l"""
REGISTER = "reg = []\ndef register(f):\n    reg.append(f)\n    return f"
GIVE = "shared = []\ndef give(f): return shared"
SCORER = """from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score
log = []
def score(*given):
    log.append(1)
    return 0.0"""
SHOW = "log = []\ndef show(*given, **more):\n    log.append(1)\n    return 'q'"
CELLS = {
    "two names": ["a = b = [1]", "a.append(2)", "r = b"],
    "three names": ["a = b = c = {}", "b['x'] = 1", "r = (a, c)"],
    "attribute and name": ["class C: pass\no = C()", "o.l = b = []", "b.append(1)", "r = o.l"],
    "item and name": ["d = {}", "d['k'] = b = []", "d['k'].append(1)", "r = b"],
    "tuple and its parts": ["t = a, b = [1], [2]", "a.append(1)", "r = t"],
    "parts and their tuple": ["a, b = t = [1], [2]", "t[0].append(1)", "r = a"],
    "names of a function": ["def f():\n    global a, b\n    a = b = []", "f()", "a.append(1)", "r = b"],
    "walrus": ["a = (b := [])", "a.append(1)", "r = b"],
    "walrus that is given": ["l = []", "l.append(b := [])", "b.append(1)", "r = l"],
    "items that are one": ["a, b = [[]] * 2", "a.append(1)", "r = b"],
    "functions of one closure": [CLOSURE, "inc, get = make()", "inc()", "r = get()"],
    "functions of one closure, one by one": [CLOSURE, "inc, *gets = make()", "inc()", "r = gets[0]()"],
    "function of a closure in an object": [CLOSURE, "class C: pass\no = C()", "o.inc, get = make()", "o.inc()",
                                           "r = get()"],
    "functions of one closure in parts": [CLOSURE, "(inc, get), k = make(), 1", "inc()", "r = get()"],
    "function of a closure and an item": [CLOSURE, "d = {}", "inc, d['get'] = make()", "inc()", "r = d['get']()"],
    "functions of a closure in a loop": [CLOSURE, "for inc, get in [make()]: pass", "inc()", "r = get()"],
    "call of a part": ["from functools import partial\ndef make():\n    n = []\n    return partial(n.append, 1), n",
                       "add, l = make()", "add()", "r = l"],
    "method of a list's class": ["l = [1]", "type(l).append(l, 8)", "r = l"],
    "methods of one object": [COUNT, "inc, get = make()", "inc()", "r = get()"],
    "iterators over one": ["def make():\n    i = iter('abc')\n    return i, map(str, i)", "i, m = make()", "next(i)",
                           "r = next(m)"],
    "generator and its list": [ITEMS, "i, l = items()", "next(i)", "r = l"],
    "function that is kept": [REGISTER, "@register\ndef g(): return 1", "g.k = 5", "r = reg[0].k"],
    "class that is kept": [REGISTER, "@register\nclass A: k = 3", "A.k = 4", "r = reg[0].k"],
    "what a decorator gives": [GIVE, "@give\ndef g(): pass", "g.append(1)", "r = shared"],
    "what a decorator of classes gives": [GIVE, "@give\nclass g: pass", "g.append(1)", "r = shared"],
    "scorer": [SCORER, "s = make_scorer(score)\nX, y = [[1], [2], [3], [4]], [1, 2, 3, 4]",
               "v = cross_val_score(Ridge(), X, y, cv=2, scoring=s)",
               "r = len(log)"],
    "accumulated": ["import numpy as np\na = np.arange(3.0)", "o = np.zeros(3)", "np.add.accumulate(a, 0, None, o)",
                    "r = o.tolist()"],
    "evaluated in place": ["import pandas as pd\ndf = pd.DataFrame({'a': [1]})",
                           "pd.eval('z = df.a + 1', target=df, inplace=True)", "r = [*df.columns]"],
    "errors of numpy": [f"import numpy as np\n{SHOW}", "np.seterrcall(show)\nk = np.seterr(all='call')",
                        "x = np.array([1.0]) / 0", "k = np.seterr(all='warn')", "r = log"],
    "numbers that numpy shows": [f"import numpy as np\n{SHOW}", "np.set_printoptions(formatter={'float': show})",
                                 "x = str(np.array([1.0]))", "np.set_printoptions(formatter=None)", "r = log"],
    "numbers that pandas shows": [f"import pandas as pd\n{SHOW}", "pd.set_option('display.float_format', show)",
                                  "x = str(pd.Series([1.5]))", "pd.reset_option('display.float_format')",
                                  "r = len(log) > 0"],
    "warnings that are shown": [f"import warnings\n{SHOW}", "own, warnings.showwarning = warnings.showwarning, show",
                                "warnings.warn('q')", "warnings.showwarning = own", "r = log"],
    "codec": ["import codecs\ndef find(n): return codecs.lookup('utf-8') if n == 'cellops8' else None",
              "codecs.register(find)", "r = 'a'.encode('cellops8')\ncodecs.unregister(find)"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def libraries() -> Iterator[None]:
    called = np.geterrcall()
    with np.errstate(), np.printoptions(), pd.option_context("display.float_format", None), warnings.catch_warnings():
        yield
    np.seterrcall(called)


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_the_value(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


@pytest.mark.parametrize("look", ["os.path.getsize('a')", "os.path.isfile('a')", "os.stat('a').st_size"])
def test_the_slice_gives_what_is_told_of_a_file(look: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = ["import os", "with open('a', 'w') as f: n = f.write('abc')", f"r = {look}"]
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


def test_to_ask_for_the_class_of_a_value_is_no_change() -> None:
    trail = Trail()
    look = "n = [{'name': type(l).__name__}]\nk = l.__class__.__name__\nb = type(l) is list\nnew = type(l)('abc')"
    for cell in ("l = [1]", look, "for row in n: row['name']", "r = l, n"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 4)


def test_names_of_one_value_that_cannot_change_are_nobodys_concern() -> None:
    trail = Trail()
    for cell in ("a = b = 0", "a += 1", "r = b"):
        trail.run(cell)
    assert trail.slice().cells == (1, 3)
