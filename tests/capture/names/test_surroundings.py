"""Variables, folders, filters, options of the process: cells that change them stand in slices, however they do it."""

import csv
import decimal
import json.encoder
import mimetypes
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import sklearn

from support.trail import Trail, results

MIMETYPES = "r = mimetypes.types_map['mine']"
CELLS = {
    "variable": ["import os", "def put(v): v['MINE'] = '5'", "put(os.environ)", "r = os.environ['MINE']"],
    "variable by another function": [
        "import os", "def put(v): v['MINE'] = '5'", "def go(): put(os.environ)", "go()", "r = os.environ['MINE']",
    ],
    "variable under another name": [
        "import os\ne = os.environ", "def put(v): v['MINE'] = '5'", "k = list(map(put, [e]))", "r = os.environ['MINE']",
    ],
    "folder": ["import os", "def call(f, *given): return f(*given)", "call(os.chdir, '/')", "r = os.getcwd()"],
    "folder, out of a list": ["import os", "kept = [os.chdir]", "kept[0]('/')", "r = os.getcwd()"],
    "path of modules": ["import sys", "def put(p): p.append('mine')", "k = list(map(put, [sys.path]))",
                        "r = sys.path[-1]"],
    "filters": ["import warnings", "kept = [warnings.simplefilter]", "k = [f('error') for f in kept]",
                "r = warnings.filters[0][0]"],
    "errors of numpy": ["import numpy as np", "kept = {'set': np.seterr}", "old = kept['set'](all='raise')",
                        "r = np.geterr()['divide']"],
    "options of matplotlib": ["import matplotlib as m", "def put(d): d['font.size'] = 33",
                              "k = list(map(put, [m.rcParams]))", "r = m.rcParams['font.size']"],
    "options of pandas": ["import pandas as pd", "def put(o): o.max_rows = 77",
                          "def go(): put(pd.options.display)", "go()", "r = pd.options.display.max_rows"],
    "limit": ["import sys", "k = [f(1234) for f in (sys.setrecursionlimit,)]", "r = sys.getrecursionlimit()"],
    "limit of fields, out of a dictionary": ["import csv", "d = {}", "d['a'] = csv.field_size_limit",
                                             "def go(): return d['a'](77)", "go()", "r = csv.field_size_limit()"],
    "limit of fields, by a module that is given": ["import csv", "def put(m): m.field_size_limit(77)",
                                                   "k = list(map(put, [csv]))", "r = csv.field_size_limit()"],
    "limit of fields, under a computed name": ["import csv", "name = 'field_size' + '_limit'",
                                               "getattr(csv, name)(77)", "r = csv.field_size_limit()"],
    "printing of numpy": ["import numpy as np", "k = list(map(np.set_printoptions, [2]))",
                          "r = np.get_printoptions()['precision']"],
    "settings of scikit-learn": ["import sklearn", "kept = {'set': sklearn.set_config}",
                                 "kept['set'](display='text')", "r = sklearn.get_config()['display']"],
    "decimals": ["import decimal", "def put(c): c.prec = 5", "def go(g): put(g())", "go(decimal.getcontext)",
                 "r = decimal.getcontext().prec"],
    "decimals of threads": ["import decimal, threading", "kept = decimal.DefaultContext", "kept.prec = 4",
                            "r = []\ndef ask(): r.append(decimal.getcontext().prec)",
                            "t = threading.Thread(target=ask)\nt.start()\nt.join()\nr = [*r]"],
    "numpy imported by the function": ["def go():\n    import numpy as np\n    np.seterr(all='raise')", "go()",
                                       "import numpy as np\nr = np.geterr()['divide']"],
    "mask of files": ["import os", "k = list(map(os.umask, [0o077]))", "r = os.umask(0o022)"],
    "abstract class": ["import numbers", "class Mine: pass", "k = list(map(numbers.Integral.register, [Mine]))",
                       "r = isinstance(Mine(), numbers.Integral)"],
    "variable with an underscore": ["import os", "def put(v): v['_MINE'] = '5'", "k = list(map(put, [os.environ]))",
                                    "r = os.environ['_MINE']"],
    "container": ["import mimetypes", "def put(d): d['mine'] = 5", "k = [put(d) for d in (mimetypes.types_map,)]",
                  MIMETYPES],
    "container by its name": ["from mimetypes import types_map as t", "t['mine'] = 5",
                              f"import mimetypes\n{MIMETYPES}"],
    "container named once": ["import json.encoder", "def put(d): d['q'] = 'z'",
                             "k = list(map(put, [json.encoder.ESCAPE_DCT]))", "r = json.encoder.ESCAPE_DCT['q']"],
}  # fmt: skip


@pytest.fixture
def reset(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Gives the process its own surroundings back, also in the middle of a test."""
    folder, path, limit = Path.cwd(), [*sys.path], sys.getrecursionlimit()
    errors, fields = np.geterr(), csv.field_size_limit()
    mask = os.umask(0o022)
    os.umask(mask)
    rows, size, filters = pd.options.display.max_rows, mpl.rcParams["font.size"], [*warnings.filters]

    def again() -> None:
        os.environ.pop("MINE", None)
        os.environ.pop("_MINE", None)
        csv.field_size_limit(fields)
        np.set_printoptions(precision=8)
        sklearn.set_config(display="diagram")
        decimal.getcontext().prec = decimal.DefaultContext.prec = 28
        os.umask(mask)
        mimetypes.types_map.pop("mine", None)
        json.encoder.ESCAPE_DCT.pop("q", None)
        os.chdir(folder)
        sys.path[:], warnings.filters[:] = path, filters
        np.seterr(**errors)
        mpl.rcParams["font.size"], pd.options.display.max_rows = size, rows
        sys.setrecursionlimit(limit)

    replayed = Trail.replay

    def replay(trail: Trail) -> dict[str, object]:
        at = Path.cwd()
        again()
        os.chdir(at)
        return replayed(trail)

    monkeypatch.setattr(Trail, "replay", replay)
    return again


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_stands_there(
    cells: list[str], reset: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        first, again = results(cells, tmp_path, monkeypatch)
    finally:
        reset()
    assert again == first


def test_what_stays_or_is_given_back_is_nobodys() -> None:
    trail = Trail()
    for cell in (
        "import warnings, os, numpy as np, pandas as pd, matplotlib.pyplot as plt",
        "with warnings.catch_warnings(), np.errstate(all='ignore'), pd.option_context('display.width', 3): pass",
        "with plt.rc_context({'font.size': 5}): fig, ax = plt.subplots()\nplt.close(fig)",
        "home = os.environ.get('HOME')",
        "r = 1",
    ):
        trail.run(cell)
    assert trail.slice().cells == (5,)
