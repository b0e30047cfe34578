"""What happens when an object is given up: slices hold the cell that gave it up, by whatever way."""

import gc
from pathlib import Path

import pytest

from cellops.capture.names.endings import may_linger
from support.trail import Trail, results

T = "log = []\nclass T:\n    def __del__(self): log.append(1)"
WEAK = "import weakref\nclass C: pass"
OPEN = "h = open('a.txt', 'w')"
WRITE = "n = h.write('q')"
READ = "r = open('a.txt').read()"
CELLS = {
    "file that is bound anew": [OPEN, WRITE, "h = None", READ],
    "file that is deleted": [OPEN, WRITE, "del h", READ],
    "file whose name an import takes": [OPEN, WRITE, "import math as h", READ],
    "file whose name a loop takes": [OPEN, WRITE, "for h in [1]: pass", READ],
    "file whose name a branch takes": [OPEN, WRITE, "if n: h = 3", READ],
    "file with two names": [f"{OPEN}\ng = h", WRITE, "h = 1", "g = 1", READ],
    "file that a function gives up": [OPEN, WRITE, "def done():\n    global h\n    h = None", "done()", READ],
    "file in a list": ["l = []", "l.append(open('a.txt', 'w'))", "n = l[0].write('q')", "l.clear()", READ],
    "file in a dictionary": ["d = {'h': open('a.txt', 'w')}", "n = d['h'].write('q')", "d = 1", READ],
    "file of an attribute": ["class L: pass\no = L()", "o.h = open('a.txt', 'w')", "n = o.h.write('q')", "o.h = 1",
                             READ],
    "file of an object": ["class L: pass\no = L()", "o.h = open('a.txt', 'w')", "n = o.h.write('q')", "o = 1", READ],
    "file of a path": ["from pathlib import Path\nh = Path('a.txt').open('w')", WRITE, "h = None", READ],
    "writer of csv": ["import csv", OPEN, "w = csv.writer(h)\nh = None", "n = w.writerow([1])", "w = None", READ],
    "packed file": ["import gzip", "h = gzip.open('a.gz', 'wt')", WRITE, "h = None", "r = gzip.open('a.gz').read()"],
    "mapped array": ["import numpy as np\nm = np.memmap('a', mode='w+', dtype='u1', shape=(8,))", "m[:] = 7",
                     "m = None",
                     "r = int(np.fromfile('a', dtype='u1').sum())"],
    "generator with a file": ["def g():\n    with open('a.txt', 'w') as f:\n        f.write('q')\n        yield 1",
                              "it = g()\nn = next(it)", "it = None", READ],
    "generator": ["log = []\ndef g():\n    try:\n        yield 1\n    finally:\n        log.append(1)",
                  "it = g()\nnext(it)", "it = None", "r = log"],
    "last act in a list": [T, "d = [T()]", "d = 0", "r = log"],
    "last act in a tuple": [T, "d = (T(), 1)", "d = 0", "r = log"],
    "last act in a tuple and beside it": [T, "t = T()\nd = (t, 1)", "del t", "d = 0", "r = log"],
    "last act in a dictionary": [T, "d = {'k': T()}", "d.clear()", "r = log"],
    "last act in a dictionary that is deleted": [T, "d = {'k': T()}", "del d", "r = log"],
    "last act of an item": [T, "d = {'k': T()}", "d['k'] = 0", "r = log"],
    "last act of an attribute": [T, "class H: pass\nh = H()\nh.t = T()", "h = 0", "r = log"],
    "last act in a closure": [f"{T}\ndef make():\n    t = T()\n    return lambda: t", "f = make()", "f = 0", "r = log"],
    "last act in a partial function": [f"import functools\n{T}", "f = functools.partial(print, T())", "f = 0",
                                       "r = log"],
    "last act in an iterator": [T, "f = iter([T()])", "f = 0", "r = log"],
    "last act in a deque": [f"import collections\n{T}", "f = collections.deque([T()])", "f = 0", "r = log"],
    "last act in a frame": [f"import pandas as pd\n{T}", "f = pd.DataFrame({'a': [T()]})", "f = 0", "r = len(log)"],
    "last act that a class is given later": ["log = []\nclass T: pass", "d = (T(), 1)",
                                             "T.__del__ = lambda self: log.append(1)", "d = 0", "r = log"],
    "last act in pairs": [T, "d = [T()]", "d, e = 1, 2", "r = log"],
    "last act where a function takes the name": [T, "d = [T()]", "def d(): pass", "r = log"],
    "last act of what a function drops": ["def drop():\n    global d\n    d = 0", T, "d = [T()]", "drop()", "r = log"],
    "weak reference into a list": [f"{WEAK}\nd = [C()]\nw = weakref.ref(d[0])", "d = None", "r = w() is None"],
    "weak set": [f"{WEAK}\nW = weakref.WeakSet()", "d = [C()]\nW.add(d[0])", "d = None", "r = len(W)"],
    "weak values": [f"{WEAK}\nW = weakref.WeakValueDictionary()", "d = [C()]\nW['a'] = d[0]", "d = None", "r = len(W)"],
    "weak keys": [f"{WEAK}\nW = weakref.WeakKeyDictionary()", "d = [C()]\nW[d[0]] = 1", "d = None", "r = len(W)"],
    "finalizer": [f"{WEAK}\nlog = []\nd = [C()]\nf = weakref.finalize(d[0], log.append, 1)", "d.clear()", "r = log"],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_giving_up_an_object_left(
    cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


def test_a_closed_file_that_is_given_up_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trail = Trail()
    for cell in ("with open('a.txt', 'w') as f: n = f.write('q')", "f = 3", "r = open('a.txt').read()"):
        trail.run(cell)
    assert trail.slice().cells == (1, 3)


@pytest.mark.parametrize("begin", ["x = [1]", "class A: pass\nx = A()", "x = (n for n in [1])", "import math as x"])
def test_giving_up_other_objects_does_nothing(begin: str) -> None:
    trail = Trail()
    for cell in (begin, "x = 2", "r = x"):
        trail.run(cell)
    assert trail.slice().cells == (2, 3)


CIRCLES = {
    "object": [T, "t = T()\nt.own = t", "del t"],
    "list": [T, "d = [T()]\nd.append(d)", "del d"],
    "list beside the object": [T, "t = T()\nd = [t]\nd.append(d)\ndel t", "d = None"],
    "dictionary": [T, "d = {'t': T()}\nd['d'] = d", "d = 1"],
    "lists of each other": [T, "d = [T()]\ne = [d]\nd.append(e)", "del d", "del e"],
    "object of an object": [f"{T}\nclass H: pass", "h = H()\nh.t = T()\nh.t.own = h.t", "del h"],
    "object without a name": [f"{T}\ndef make():\n    t = T()\n    t.own = t", "make()"],
    "weak reference": [f"{WEAK}\nlog = []", "d = [C()]\nd.append(d)\nw = weakref.ref(d[0], lambda _: log.append(1))",
                       "del d"],
    "generator": ["log = []\ndef g(own):\n    try:\n        yield 1\n    finally:\n        log.append(1)",
                  "own = []\nit = g(own)\nn = next(it)\nown.append(it)\nit = None", "own = None"],
}  # fmt: skip


@pytest.mark.parametrize("cells", CIRCLES.values(), ids=CIRCLES)
def test_what_is_found_in_a_circle_acts_where_python_finds_it(
    cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.disable()
    try:
        first, again = results(
            ["import gc", *cells, "unused = 1", "n = gc.collect()", "r = log"], tmp_path, monkeypatch
        )
    finally:
        gc.enable()
    assert again == first == [1]


def test_long_chains_of_objects_may_hold_themselves() -> None:
    chain: list[object] = []
    for _ in range(100_000):
        chain = [chain]
    assert may_linger(chain)
    assert not may_linger([[1], {"a": [2]}, (3,)])
