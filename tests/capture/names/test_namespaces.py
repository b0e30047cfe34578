"""Ways to the notebook's namespace that no name shows: a cell that takes one may have used and changed anything."""

import pytest

from support.kernel import Kernel
from support.trail import Trail

WAYS = [
    "import sys\nsys.modules['__main__'].x.append(1)",
    "getattr(sys.modules[__name__], 'x').append(1)",
    "setattr(sys.modules[__name__], 'y', 1)",
    "for one in list(sys.modules.values()): pass",
    "import __main__\n__main__.x.append(1)",
    "import __main__ as main",
    "main.x.append(1)",
    "from __main__ import x as other",
    "globals()['x'].append(1)",
    "vars()['x'].append(1)",
    "locals()['x'].append(1)",
    "f = lambda: 0\nf.__globals__['x'].append(1)",
    "given = globals()",
    "given['x'].append(1)",
    "get_ipython().user_ns['x'].append(1)",
    "get_ipython().user_global_ns['x'].append(1)",
    "get_ipython().push({'y': x})",
    "done = get_ipython().run_cell('x.append(1)')",
    "shell = get_ipython()\nshell.user_ns['x'].append(1)",
    "done = shell.run_cell('x.append(1)', silent=True)",
    "shell.ex('x.append(1)')",
    "shell.ev('x.append(1)')",
]
LATER = {
    "dictionary": ["g = globals()\ndef f(): g['x'].append(1)", "x = []", "f()"],
    "shell": ["shell = get_ipython()\ndef f(): shell.user_ns['x'].append(1)", "x = []", "f()"],
    "module": ["import __main__ as main\ndef f(): main.x.append(1)", "x = []", "f()"],
    "built-in name": ["import builtins\nbuiltins.x = []", "x.append(1)", "unused = 1"],
    "built-in function": ["import builtins\nx = []\nkept = print", "builtins.print = x.append", "print(1)"],
}


def test_a_cell_that_leads_to_the_namespace_may_do_anything(loaded: Kernel) -> None:
    loaded.run("x = []")
    for way in WAYS:
        done = loaded.run(way)
        assert done.status == "ok", (way, done.traceback)
    told = {cell.source: cell.effects.unknown for cell in loaded.cells() if cell.effects is not None}
    assert [way for way in WAYS if not told[way]] == []


@pytest.mark.parametrize("cells", LATER.values(), ids=LATER)
def test_the_slice_holds_what_such_a_way_changed(loaded: Kernel, cells: list[str]) -> None:
    for cell in (*cells, "%%mlops run\nlength = len(x)"):
        assert loaded.run(cell).status == "ok"
    closed = loaded.closed()[-1]
    assert closed.metrics["length"] == 1
    assert closed.slice is not None
    expected = {1, 2, 3, 4} - ({3} if "unused = 1" in cells else set())
    assert expected <= set(closed.slice.cells)


def test_other_parts_of_the_shell_and_other_modules_lead_nowhere() -> None:
    trail = Trail()
    for cell in ("import sys, math", "m = sys.modules['math']", "n = sys.modules['json' if m else 'os']", "r = 1"):
        trail.run(cell)
    assert [bool(record.effects and record.effects.unknown) for record in trail.records] == [False, False, True, False]


def test_magics_by_a_name_of_the_shell_are_read_as_others_are(loaded: Kernel) -> None:
    looks = "ip.run_line_magic('who', '')"
    for cell in ("x = []", "ip = get_ipython()", "ip.run_line_magic('time', 'x.append(1)')", looks):
        assert loaded.run(cell).status == "ok"
    loaded.run("%%mlops run\nlength = len(x)")
    closed = loaded.closed()[-1]
    assert closed.slice is not None
    assert (closed.slice.cells, closed.slice.widened) == ((1, 2, 3, 5), ())
