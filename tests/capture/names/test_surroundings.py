"""Variables, folders, filters, options of the process: cells that change them stand in slices, however they do it."""

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
    errors = np.geterr()
    rows, size, filters = pd.options.display.max_rows, mpl.rcParams["font.size"], [*warnings.filters]

    def again() -> None:
        os.environ.pop("MINE", None)
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
