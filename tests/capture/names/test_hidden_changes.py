"""Changes that no assignment shows: slices hold the cells that make them, or say that they cannot know."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.trail import Trail

FRAME = "import pandas as pd\ndf = pd.DataFrame({'a': [2, 1, 5]})"
C = "import functools\nstate = [1]\nclass C:\n    @functools.cached_property\n    def v(self): return state[0]\n"
CELLS = {
    "annotations": ["x: int = 1", "y: str = 'a'", "r = sorted(__annotations__)"],
    "annotations that are cleared": ["x: int = 1", "__annotations__.clear()", "y: str", "r = sorted(__annotations__)"],
    "name of the annotations": ["x: int = 1", "n = __annotations__", "y: str = 'a'", "r = sorted(n)"],
    "object that is an annotation": ["k = []\nx: k = 1", "__annotations__['x'].append(1)", "r = [*k]"],
    "method given to apply": [f"{FRAME}\nseen = []", "df.a.apply(seen.append)", "r = [*seen]"],
    "method given to map": [f"{FRAME}\ncodes = {{}}", "k = df.a.map(codes.setdefault)", "r = dict(codes)"],
    "method of a set given to map": [f"{FRAME}\ntold = set()", "k = df.a.map(told.add)", "r = sorted(told)"],
    "method given to pipe": [f"{FRAME}\nseen = []", "df.pipe(seen.append)", "df['z'] = 1", "r = [*seen[0].columns]"],
    "method of an estimator": [
        f"from sklearn.linear_model import Ridge\nm = Ridge()\ny = [1, 2, 3]\n{FRAME}",
        "df.pipe(m.fit, y)", "r = m.coef_.tolist()",
    ],
    "setattr of a class": ["import pandas as pd", "setattr(pd.DataFrame, 'hello', lambda self: 7)",
                           "r = pd.DataFrame().hello()\ndel pd.DataFrame.hello"],
    "setattr of a module": ["import math", "setattr(math, 'five', 5)", "import math as m", "r = m.five\ndel m.five"],
    "delattr of a module": ["import math\nmath.five = 5", "delattr(math, 'five')",
                            "r = hasattr(math, 'five')\nmath.five = 5"],
    "patch": ["import math\nfrom unittest import mock", "mock.patch('math.floor', lambda v: 99).start()",
              "r = math.floor(3)\nmock.patch.stopall()"],
    "patch that is started later": ["import math\nfrom unittest.mock import patch",
                                    "p = patch('math.floor', lambda v: 99)", "p.start()",
                                    "r = math.floor(3)\np.stop()"],
    "patch of an object": ["import math\nfrom unittest import mock",
                           "mock.patch.object(math, 'floor', lambda v: 99).start()",
                           "r = math.floor(3)\nmock.patch.stopall()"],
    "context": ["import decimal", "decimal.getcontext().prec = 5",
                "r = str(decimal.Decimal(1) / 3)\ndecimal.getcontext().prec = 28"],
    "context with a name": ["import decimal\nctx = decimal.getcontext()", "ctx.prec = 5",
                            "r = str(decimal.Decimal(1) / 3)\ndecimal.getcontext().prec = 28"],
    "cached property": [f"{C}c = C()", "c.v", "state[0] = 5", "r = c.v"],
    "cached property in a list": [f"{C}held = [C()]", "held[0].v", "state[0] = 5", "r = held[0].v"],
    "cached property in a function": [f"{C}c = C()", "def look(): return c.v", "look()", "state[0] = 5", "r = c.v"],
    "subclasses": ["class Base: pass", "class A(Base): pass", "r = [c.__name__ for c in Base.__subclasses__()]"],
    "subclasses in a function": ["class Base: pass\ndef f(): return [c.__name__ for c in Base.__subclasses__()]",
                                 "class A(Base): pass", "r = f()"],
    "weak reference": ["import weakref\nclass C: pass\nc = C()\nw = weakref.ref(c)", "del c", "r = w() is None"],
    "weak reference to what is bound anew": ["import weakref\nclass C: pass\nc = C()\nw = weakref.ref(c)", "c = None",
                                             "r = w() is None"],
    "weak dictionary": ["import weakref\nclass C: pass\nW = weakref.WeakValueDictionary()\nc = C()\nW['a'] = c",
                        "del c", "r = len(W)"],
    "index of a new frame": [FRAME, "(df + 1).index.rename('zz', inplace=True)", "r = df.index.name"],
    "axes": ["import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt", "fig, ax = plt.subplots()",
             "plt.plot([1, 2])", "r = len(ax.lines)\nplt.close('all')"],
    "axes that a series draws on": [
        f"import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n{FRAME}",
        "fig, ax = plt.subplots()", "df['a'].plot()", "r = len(ax.lines)\nplt.close('all')",
    ],
    "text file that is printed to": ["import io\nf = io.StringIO()", "print('x', file=f)", "r = f.getvalue()"],
    "text file that a function prints to": ["import io\nf = io.StringIO()\ndef log(t): print(t, file=f)", "log('x')",
                                            "r = f.getvalue()"],
    "environment": ["from os import environ", "environ['CELL'] = 'x'",
                    "import os\nr = os.environ.pop('CELL', None)"],
    "environment with a name": ["import os\ne = os.environ", "e.setdefault('CELL', 'x')",
                                "r = os.environ.pop('CELL', None)"],
    "environment by its attribute": ["import os", "getattr(os, 'environ')['CELL'] = 'x'",
                                     "r = os.environ.pop('CELL', None)"],
    "parameters of matplotlib": ["from matplotlib import rcParams", "rcParams['figure.dpi'] = 55",
                                 "import matplotlib\nr = matplotlib.rcParams['figure.dpi']\nmatplotlib.rcdefaults()"],
    "options of pandas": ["import pandas as pd\no = pd.options.display", "o.max_rows = 3",
                          "r = pd.get_option('display.max_rows')\npd.reset_option('display.max_rows')"],
    "dictionary of a module": ["import math", "vars(math)['five'] = 5", "r = vars(math).pop('five', None)"],
    "module by its name": ["import math, sys", "sys.modules['math'].five = 5", "r = vars(math).pop('five', None)"],
    "function by a name that is computed": ["import numpy as np\np = np.zeros(2)",
                                            "name = 'pu' + 't'", "getattr(np, name)(p, [0], 7)", "r = p.tolist()"],
    "context that is entered": ["import numpy as np", "c = np.errstate(all='raise')\nc.__enter__()",
                                "r = np.geterr()['divide']\nnp.seterr(all='warn')"],
    "context on a stack": ["import contextlib\nimport numpy as np\ns = contextlib.ExitStack()",
                           "s.enter_context(np.errstate(all='raise'))",
                           "r = np.geterr()['divide']\nnp.seterr(all='warn')"],
    "place of copy": ["import numpy as np\np = np.array([np.nan, 1])", "np.nan_to_num(p, False)", "r = p.tolist()"],
    "place of overwrite": [
        "import numpy as np\nfrom scipy.linalg import cholesky\np = np.array([[2.0, 1], [1, 3]], order='F')",
        "c = cholesky(p, False, True)", "r = p.tolist()",
    ],
    "place of copy of an estimator": [
        "import numpy as np\nfrom sklearn.preprocessing import StandardScaler\np = np.array([[1.0], [2.0]])",
        "s = StandardScaler().fit(p)", "s.transform(p, False)", "r = p.tolist()",
    ],
    "default of a lambda": ["n = []", "f = lambda x, a=n: a.append(x)", "f(1)", "r = n"],
    "default of a lambda in a list": ["n = []", "f = [lambda x, a=n: a.append(x)]", "f[0](1)", "r = n"],
    "default of a lambda that is given": [f"{FRAME}\nn = []", "s = df.a.apply(lambda x, a=n: a.append(x))", "r = [*n]"],
    "pack into": ["import struct\nb = bytearray(4)", "struct.pack_into('i', b, 0, 7)", "r = bytes(b)"],
    "argument of an exception": ["n = []\ne = ValueError(n)",
                                 "try: raise e\nexcept ValueError as x: y = x.args[0]", "y.append(1)", "r = n"],
    "attribute of an exception": ["class E(Exception): rows = []",
                                  "try: raise E()\nexcept E as x: y = x.rows", "y.append(1)", "r = E.rows"],
    "handler": ["import io, logging\nf = io.StringIO()",
                "log = logging.getLogger('cell')\nlog.addHandler(logging.StreamHandler(f))",
                "logging.getLogger('cell').warning('x')", "r = f.getvalue()"],
    "handler of the notebook": [
        "import logging\nn = []\nclass Kept(logging.Handler):\n    def emit(self, r): n.append(r.getMessage())",
        "logging.getLogger('cell').addHandler(Kept())",
        "log = logging.getLogger('cell')\nlog.warning('x')\nlog.handlers.clear()", "r = n",
    ],
    "last act": ["n = []\nclass C:\n    def __del__(self): n.append(1)\nc = C()", "c = None", "r = n"],
}  # fmt: skip
FILES = {
    "file": ["f = open('a.txt', 'w')", "n = f.write('q')", "f.close()", "r = open('a.txt').read()"],
    "file of a path": ["from pathlib import Path\np = Path('a.txt')", "f = p.open('w')", "n = f.write('q')",
                       "f.close()", "r = p.read_text()"],
    "file of a function": ["def make(): return open('a.txt', 'w')", "f = make()", "n = f.write('q')", "f.close()",
                           "r = open('a.txt').read()"],
    "file in a list": ["f = [open('a.txt', 'w')]", "f[0].write('q')", "f[0].close()", "r = open('a.txt').read()"],
    "file in an object": ["class Log:\n    def __init__(self, f): self.f = f\n    def add(self, t): self.f.write(t)",
                          "log = Log(open('a.txt', 'w'))", "log.add('q')", "log.f.close()", "r = open('a.txt').read()"],
    "file that a table is written to": [FRAME, "f = open('a.txt', 'w')", "df.to_csv(f)", "f.close()",
                                        "r = open('a.txt').read()"],
    "file that json is dumped to": ["import json\nf = open('a.txt', 'w')", "json.dump([1], f)", "f.close()",
                                    "r = json.load(open('a.txt'))"],
    "writer of csv": ["import csv\nf = open('a.txt', 'w')", "w = csv.writer(f)", "n = w.writerow([1])", "f.close()",
                      "r = open('a.txt').read()"],
    "archive": ["import zipfile\nz = zipfile.ZipFile('a.zip', 'w')", "z.writestr('a', 'b')", "z.close()",
                "r = zipfile.ZipFile('a.zip').namelist()"],
    "copy": ["import shutil\nwith open('a.txt', 'w') as f: f.write('q')", "shutil.copy('a.txt', 'b.txt')",
             "r = open('b.txt').read()"],
    "mapped array": ["import numpy as np", "m = np.memmap('a.dat', mode='w+', dtype='u1', shape=(8,))",
                     "m[:] = 7\nm.flush()", "r = int(np.fromfile('a.dat', dtype='u1').sum())"],
    "array that is loaded mapped": ["import numpy as np\nnp.save('a.npy', np.zeros(3))",
                                    "m = np.load('a.npy', mmap_mode='r+')", "m[0] = 5\nm.flush()",
                                    "r = np.load('a.npy').tolist()"],
    "two arrays of one file": ["import numpy as np", "m = np.memmap('a.dat', mode='w+', dtype='u1', shape=(8,))",
                               "k = np.memmap('a.dat', mode='r', dtype='u1')", "m[0] = 5", "r = int(k[0])"],
    "database": ["import sqlite3\nc = sqlite3.connect('a.db')\nc.execute('create table t(a)')\nc.commit()",
                 "d = sqlite3.connect('a.db')", "d.execute('insert into t values(1)')\nd.commit()",
                 "r = c.execute('select * from t').fetchall()"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def error_state() -> Iterator[None]:
    """Cells that enter a context of numpy and stay in it leave later tests as they were."""
    with np.errstate():
        yield


@pytest.mark.parametrize("cells", FILES.values(), ids=FILES)
def test_the_slice_gives_what_was_read_from_a_file(
    cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is executed in a folder of its own, so that no file of the first time stands there."""
    folders = [tmp_path / "first", tmp_path / "again"]
    trail = Trail()
    for folder, act in zip(folders, (lambda: [trail.run(cell) for cell in cells], trail.replay), strict=True):
        folder.mkdir()
        monkeypatch.chdir(folder)
        found: Any = act()
    assert found["r"] == trail.namespace["r"]


def test_a_file_keeps_nothing_of_what_is_written_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trail = Trail()
    for cell in (
        "import json\nm = {'a': 1}",
        "with open('a.txt', 'w') as f: json.dump(m, f)",
        "f = open('b.txt', 'w')\nf.write(json.dumps(m))\nf.close()",
        "text = open('a.txt').read()",
        "r = m",
    ):
        trail.run(cell)
    assert trail.slice().cells == (1, 5)


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_the_value(cells: list[str]) -> None:
    trail = Trail()
    for cell in cells:
        trail.run(cell)
    trail.run("result = r")
    assert trail.replay()["result"] == trail.namespace["result"]


def test_reading_the_environment_is_no_change_of_it() -> None:
    trail = Trail()
    for cell in ("from os import environ", "place = environ['PATH']\nother = environ.get('HOME')", "r = 1"):
        trail.run(cell)
    assert trail.slice().cells == (3,)


THREADS = {
    "function": "threading.Thread(target=work).start()",
    "class": ("class Worker(threading.Thread):\n    def run(self): work()\nWorker().start()"),
    "method": "go.clear()\nthreading.Thread(target=Box().work).start()",
    "timer": "threading.Timer(3600, kept.append, [1]).start()",
    "pool": "pool = ThreadPoolExecutor(1)\njob = pool.submit(work)",
}


@pytest.mark.parametrize("start", THREADS.values(), ids=THREADS)
def test_cells_beside_a_thread_of_the_notebook_may_use_and_change_anything(start: str) -> None:
    trail = Trail()
    trail.run(
        "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nkept, go = [], threading.Event()\n"
        "def work():\n    go.wait()\n    kept.append(1)\n"
        "class Box:\n    def work(self): work()"
    )
    begun = set(threading.enumerate())
    try:
        assert trail.run(start).effects.unknown == ()
        assert trail.run("x = 1").effects.unknown == ("it ran beside a thread that an earlier cell had started",)
        trail.run("r = kept")
        assert trail.slice().cells == (1, 2, 3, 4)
        assert "it ran beside a thread" in " ".join(trail.slice().widened)
    finally:
        trail.namespace["go"].set()
        for thread in set(threading.enumerate()) - begun:
            if isinstance(thread, threading.Timer):
                thread.cancel()
        if "pool" in trail.namespace:
            trail.namespace["pool"].shutdown()
        for thread in set(threading.enumerate()) - begun:
            thread.join()
    assert trail.run("y = 1").effects.unknown == ()


def test_a_thread_that_ran_before_capturing_may_use_and_change_anything() -> None:
    kept: list[int] = []
    go = threading.Event()
    thread = threading.Thread(target=lambda: (go.wait(), kept.append(1)))
    thread.start()
    try:
        trail = Trail(kept=kept)
        assert trail.run("r = kept").effects.unknown == ("it ran beside a thread that an earlier cell had started",)
    finally:
        go.set()
        thread.join()
    assert trail.run("s = kept").effects.unknown == ()


def test_threads_of_libraries_change_nothing() -> None:
    trail = Trail()
    trail.run("from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)")
    trail.run("pool.submit(len, [1]).result()")
    assert trail.run("x = 1").effects.unknown == ()
    trail.namespace["pool"].shutdown()


@pytest.mark.parametrize(
    "look",
    [
        "for c in df.columns: print(c, df[c].nunique())",
        "for c in df.columns:\n    if df[c].isna().any():\n        print(c)",
        "if len(df):\n    m = df.mean()\nprint(m.sum())",
        "df.describe()\ndf.info()\ndf.head()",
        "df[df['a'] > 1].sort_values('a').head()",
    ],
)
def test_looking_at_a_table_is_no_change_of_it(look: str) -> None:
    trail = Trail()
    for cell in (FRAME, look, "r = len(df)"):
        trail.run(cell)
    assert trail.slice().cells == (1, 3)
    assert trail.slice().widened == ()


def test_a_name_that_a_branch_binds_may_be_a_built_in_one() -> None:
    trail = Trail()
    for cell in ("s = [3, 1]", "if len(s) > 9: sorted = print\ns = sorted(s, key=lambda v: s.append(0) or v)", "r = s"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3)


def test_what_was_bound_between_two_cells_is_told() -> None:
    """As a widget does whose value a person has changed."""
    trail = Trail()
    for cell in ("rate = [1]", "other = 2", "def give(*given):\n    global rate\n    rate = given"):
        trail.run(cell)
    trail.namespace["give"](7)
    for cell in ("x = 1", "y = 2", "r = rate"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3, 4, 6)
    assert trail.slice().widened == ("In [4] shows nothing that could have bound rate anew",)
    for cell in ("give(8)", "r = rate"):
        trail.run(cell)
    assert trail.slice().cells == (3, 7, 8)
    assert trail.slice().widened == ()
