"""Objects that functions give back: slices hold the cells that change them without a name."""

from pathlib import Path

import pytest

from support.trail import results

K = "k = [0]\ndef f(): return k"
NUMPY = "import numpy as np\na = np.zeros(2)"
CELLS = {
    "method": [K, "f().append(1)", "r = k"],
    "item": [K, "f()[0] = 1", "r = k"],
    "attribute": ["class A: pass\nk = A()\ndef f(): return k", "f().x = 1", "r = k.x"],
    "what is put there": [f"{K}\nl = []", "f().append(l)", "l.append(1)", "r = k"],
    "of a method": ["k = []\nclass C:\n    def get(self): return k\no = C()", "o.get().append(1)", "r = k"],
    "of a property": ["k = []\nclass C:\n    @property\n    def get(self): return k\no = C()", "o.get.append(1)",
                      "r = k"],
    "of a closure": ["k = [0]\ndef make():\n    def f(): return k\n    return f\nf = make()", "f()[0] += 5", "r = k"],
    "of a function in a list": [f"{K}\nl = [f]", "l[0]()[0] += 5", "r = k"],
    "in an array": ["import numpy as np\nk = np.zeros(2)\ndef f(): return k", "f().fill(3)", "r = k.tolist()"],
    "in a function": [f"{K}\ndef g(): f().append(1)", "g()", "r = k"],
    "in a function from before": ["def g(): f().append(1)", K, "g()", "r = k"],
    "in a function with a name": [f"{K}\ndef g():\n    v = f()\n    v.append(1)", "g()", "r = k"],
    "in a function of a function": [f"{K}\ndef h(): return f()\ndef g(): h().append(1)", "g()", "r = k"],
    "in a method": [f"{K}\nclass C:\n    def go(self): f().append(1)", "C().go()", "r = k"],
    "buffer of a file": ["n = open('a.txt', 'w').write('ab')\nb = bytearray(2)", "f = open('a.txt', 'rb')",
                         "n = f.readinto(b)", "r = bytes(b)"],
    "memo of a copy": ["import copy\nm = {}\nl = [[1]]", "x = copy.deepcopy(l, m)", "r = len(m)"],
    "output by a name that does not show": [f"{NUMPY}\nd = {{'out': a}}", "np.add(1, 2, **d)", "r = a.tolist()"],
    "output at a place that does not show": [f"{NUMPY}\nl = (1, 2, a)", "np.add(*l)", "r = a.tolist()"],
    "in place by a name that does not show": [
        "import pandas as pd\nt = pd.DataFrame({'a': [1]})\nd = {'inplace': True}", "t.drop(columns='a', **d)",
        "r = len(t.columns)",
    ],
    "file of an object that is not known": [
        "import xml.etree.ElementTree as ET\nt = ET.ElementTree(ET.Element('a'))", "t.write('a.xml')",
        "r = open('a.xml').read()",
    ],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_was_changed(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first
