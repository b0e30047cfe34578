"""What cells put in the place of libraries' own members: libraries call it in cells that name something else."""

import json
import string
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
import sklearn.model_selection._validation as validation

from support.trail import Trail, results

LOG = "import json\nlog = []"
NOTE = "lambda self, value: log.append(1)"
ENCODER = "json.JSONEncoder.default"
CALL = "text = json.dumps({1})"
READ = "r = [*log]"
PATCH = "m = mock.patch('os.getcwd', return_value='/').start()"
FRAME = "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nlog = []"
EMPTY = """
def empty(self):
    log.append(1)
    return False
pd.DataFrame.empty = property(empty)
"""
CLONE = """
old = v.clone
def clone(*given, **more):
    log.append(1)
    return old(*given, **more)
v.clone = clone
"""
CELLS = {
    "method": [LOG, f"def note(self, value): log.append(1)\n{ENCODER} = note", CALL, READ],
    "lambda": [LOG, f"{ENCODER} = {NOTE}", CALL, READ],
    "by a function": [LOG, f"def put(): {ENCODER} = {NOTE}", "put()", CALL, READ],
    "by a function that is given the class": [LOG, f"def put(c): c.default = {NOTE}", "put(json.JSONEncoder)", CALL,
                                              READ],
    "by its name": [LOG, f"setattr(json.JSONEncoder, 'default', {NOTE})", CALL, READ],
    "by a name that is computed": [LOG, f"setattr(json.JSONEncoder, 'def' + 'ault', {NOTE})", CALL, READ],
    "closure": ["import json\ndef make():\n    told = []\n    return lambda self, value: len(told.append(1) or told)",
                f"{ENCODER} = make()", CALL, "r = json.dumps({1})"],
    "property": [FRAME, EMPTY, "text = df.to_string()", READ],
    "function": [
        "import sklearn.model_selection._validation as v\nfrom sklearn.linear_model import Ridge\nlog = []", CLONE,
        "s = v.cross_val_score(Ridge(), [[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 3.0, 4.0], cv=2)", READ,
    ],
    "patch": ["import os.path\nfrom unittest import mock", PATCH, "q = os.path.abspath('x')", "r = m.call_count"],
    "put back": [FRAME, f"old = pd.DataFrame.empty\n{EMPTY}", "text = df.to_string()\npd.DataFrame.empty = old", READ],
    "earlier function": ["import string\ndef f(): string.mine.append(1)", "string.mine = []", "f()",
                         "r = [*string.mine]"],
    "earlier function that gives it": ["import string\ndef f(): return string.mine", "string.mine = []", "q = f()",
                                       "q.append(1)", "r = [*string.mine]"],
    "earlier function beside one that sets it": ["import string\ndef f(): string.mine.append(1)",
                                                 "def put(m): m.mine = []", "put(string)", "f()", "r = [*string.mine]"],
    "earlier function that calls it": [FRAME, "def f(d): return d.mine()",
                                       "pd.DataFrame.mine = lambda d: log.append(1)", "f(df)", READ],
}  # fmt: skip
OWNERS = (json.JSONEncoder, pd.DataFrame, string, validation)


@pytest.fixture(autouse=True)
def libraries() -> Iterator[None]:
    kept = [dict(vars(owner)) for owner in OWNERS]
    yield
    mock.patch.stopall()
    for owner, members in zip(OWNERS, kept, strict=True):
        for name, value in dict(vars(owner)).items():
            if name not in members:
                delattr(owner, name)
            elif value is not members[name]:
                setattr(owner, name, members[name])


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_was_called(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as folder:
        first, again = results(cells, tmp_path, folder)
    assert again == first
    assert first


ORDINARY = {
    "function that does nothing": "import warnings\ndef quiet(*given): pass\nwarnings.showwarning = quiet",
    "function of a library": "import json, functools\njson.dumps = functools.partial(json.dumps, indent=2)",
    "value": "import sys, pandas as pd\nsys.argv = ['x']\npd.options.display.max_rows = 5",
    "new method": "import pandas as pd\nlog = []\ndef mine(self): log.append(1)\npd.DataFrame.mine = mine",
}


@pytest.mark.parametrize("cell", ORDINARY.values(), ids=ORDINARY)
def test_what_changes_nothing_lengthens_no_slice(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (("warnings", "showwarning"), ("json", "dumps"), ("sys", "argv")):
        monkeypatch.setattr(f"{owner}.{name}", getattr(__import__(owner), name))
    trail = Trail()
    with pd.option_context("display.max_rows", 10):
        for source in (cell, "t = [1]", "u = len(t)", "r = 1"):
            trail.run(source)
    assert trail.slice().cells == (1, 4)
