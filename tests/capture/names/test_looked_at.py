"""Objects that change when they are looked at: slices hold the cells that only look."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from support.trail import Trail, results

UP = "\n        self.n += 1\n        return "
C = "class C:\n    n = 0\n"
D = "class D:\n    n = 0\n    def __get__(self, *_):\n        self.n += 1\n        return 3\n"
COUNT = "def count(self):\n    self.n = 5\n    return 1\n"
VALUE = f"{C}    @property\n    def value(self):{UP}self.n"
ACCESSOR = """import pandas as pd
@pd.api.extensions.register_dataframe_accessor("counted")
class Counted:
    def __init__(self, table): self.table = table
    def up(self): self.table["a"] += 1"""
CELLS = {
    "property": [VALUE, "o = C()", "o.value", "r = o.n"],
    "property in a list": [VALUE, "o = [C()]", "o[0].value", "r = o[0].n"],
    "property in a function": [f"{VALUE}\no = C()", "def look(): return o.value", "look()", "r = o.n"],
    "property in a function from before": ["def look(): return o.value", f"{VALUE}\no = C()", "look()", "r = o.n"],
    "property of a property": [f"{VALUE}\n    @property\n    def other(self): return self.value", "o = C()", "o.other",
                               "r = o.n"],
    "property of a base": [f"{VALUE}\nclass D(C): pass", "o = D()", "o.value", "r = o.n"],
    "property of an attribute": [f"{VALUE}\nclass D:\n    def __init__(self): self.c = C()", "o = D()", "o.c.value",
                                 "r = o.c.n"],
    "property by a function": [f"{C}    def get(self):{UP}1\n    value = property(get)", "o = C()", "o.value",
                               "r = o.n"],
    "property that a class is given": [f"{C}def get(self):{UP}1", "C.value = property(get)", "o = C()", "o.value",
                                       "r = o.n"],
    "property that is asked for": [VALUE, "o = C()", "hasattr(o, 'value')", "r = o.n"],
    "property in a text": [VALUE, "o = C()", "f'{o.value}'", "r = o.n"],
    "property in a pattern": [VALUE, "o = C()", "match o:\n    case C(value=v): pass", "r = o.n"],
    "property that sorts": [VALUE, "o = [C()]", "sorted(o, key=lambda v: v.value)", "r = o[0].n"],
    "property of a class in a function": [
        f"def make():\n    {VALUE.replace(chr(10), chr(10) + '    ')}\n    return C()", "o = make()", "o.value",
        "r = o.n",
    ],
    "descriptor": [f"{D}d = D()\nclass C: x = d", "o = C()", "o.x", "r = d.n"],
    "attribute that is missing": [f"{C}    def __getattr__(self, name):{UP}1", "o = C()", "o.other", "r = o.n"],
    "item": [f"{C}    def __getitem__(self, name):{UP}1", "o = C()", "o[3]", "r = o.n"],
    "length": [f"{C}    def __len__(self):{UP}1", "o = C()", "len(o)", "r = o.n"],
    "length by another name": [f"{C}    def count(self):{UP}1\n    __len__ = count", "o = C()", "len(o)", "r = o.n"],
    "length that a class is given": [C + "    pass", "C.__len__ = lambda self: setattr(self, 'n', 5) or 1", "o = C()",
                                     "len(o)", "r = o.n"],
    "length that setattr gives": [C + "    pass", "setattr(C, '__len__', lambda self: setattr(self, 'n', 5) or 1)",
                                  "o = C()", "len(o)", "r = o.n"],
    "length of a class from a call": [
        f"{COUNT}C = type('C', (), {{'__len__': count}})\no = C()\no.n = 0", "len(o)", "r = o.n",
    ],
    "truth": [f"{C}    def __bool__(self):{UP}True", "o = C()", "if o: pass", "r = o.n"],
    "truth of a length": [f"{C}    def __len__(self):{UP}1", "o = C()", "assert o", "r = o.n"],
    "truth in a comprehension": [f"{C}    def __len__(self):{UP}1", "o = C()", "x = [1 for i in range(2) if o]",
                                 "r = o.n"],
    "iteration": [f"{C}    def __iter__(self):{UP}iter([1])", "o = C()", "for x in o: pass", "r = o.n"],
    "comparison": [f"{C}    def __eq__(self, other):{UP}True", "o = C()", "o == 1", "r = o.n"],
    "comparison in a list": [f"{C}    def __eq__(self, other):{UP}True", "o = C()\nl = [o]", "1 in l", "r = o.n"],
    "order": [f"{C}    def __lt__(self, other):{UP}True", "l = [C(), C()]", "x = sorted(l)", "r = [o.n for o in l]"],
    "hash": [f"{C}    def __hash__(self):{UP}1", "o = C()", "d = {o: 1}", "r = o.n"],
    "text": [f"{C}    def __str__(self):{UP}'c'", "o = C()", "print(o)", "r = o.n"],
    "text in a list": [f"{C}    def __repr__(self):{UP}'c'", "o = C()\nl = [o]", "print(l)", "r = o.n"],
    "text with a format": [f"{C}    def __format__(self, how):{UP}''", "o = C()", "s = f'{o:3}'", "r = o.n"],
    "key in a dictionary": [f"{C}    pass\no = C()\nd = {{}}", "d[o] = 1", "[k for k in d][0].n = 5", "r = o.n"],
    "accessor of tables": [ACCESSOR, "df = pd.DataFrame({'a': [1]})", "df.counted.up()", "r = int(df['a'].sum())"],
    "type of an object": [f"{C}    pass\na = C()", "type(a).n = 5", "r = C.n"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_accessor() -> Iterator[None]:
    """Take away what `ACCESSOR` leaves in the pandas of this process."""
    yield
    if "counted" in pd.DataFrame._accessors:
        pd.DataFrame._accessors.remove("counted")
        del pd.DataFrame.counted


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_looking_left(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


@pytest.mark.parametrize(
    "member",
    [
        "@property\n    def value(self): return self.n * 2",
        "def __len__(self): return len(self.items)",
        "def __getitem__(self, place): return self.items[place]",
        "def __repr__(self): return f'C({self.n})'",
        "def __eq__(self, other): return type(self) is type(other) and self.n == other.n",
        "def __init__(self): self.n = 0",
        "__hash__ = None",
        "@staticmethod\n    def make(): return 1",
    ],
)
def test_looking_at_objects_that_only_show_themselves_is_no_change(member: str) -> None:
    trail = Trail()
    for cell in (f"class C:\n    n, items = 0, ()\n    {member}", "o = C()", "print(o.n)", "r = o.n"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 4)


@pytest.mark.parametrize("look", ["len(vars(o))", "n = len(o.__dict__)", "dir(o)", "print(vars(o))", "'n' in vars(o)"])
def test_looking_at_what_an_object_holds_is_no_change(look: str) -> None:
    trail = Trail()
    for cell in ("class C: pass\no = C()\no.n = 0", look, "r = o.n"):
        trail.run(cell)
    assert trail.slice().cells == (1, 3)


@pytest.mark.parametrize(
    "change",
    [
        ["vars(o)['n'] = 1"],
        ["vars(o).update(n=1)"],
        ["vars(o).pop('n')\no.n = 1"],
        ["d = vars(o)", "d['n'] = 1"],
        ["d = vars(o)", "d |= {'n': 1}"],
        ["def f(): return vars(o)", "f()['n'] = 1"],
        ["def f(): return o", "vars(f())['n'] = 1"],
        ["def f(): return o", "f().__dict__.update(n=1)"],
        ["def f(d): d['n'] = 1", "f(vars(o))"],
    ],
)
def test_changing_what_an_object_holds_is_one(
    change: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = results(["class C: pass\no = C()\no.n = 0", *change, "r = o.n"], tmp_path, monkeypatch)
    assert again == first == 1
