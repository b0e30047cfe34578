"""Names, literals and calls of a cell's source."""

import builtins
import symtable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.dataflow.analysis import analyse


def test_names_read_and_written() -> None:
    flow = analyse("total = sum(values) + offset\nframe['x'] = total\nmodel.rate = 1\ndel old")
    assert flow.reads == ("values", "offset", "total", "frame", "model")
    assert flow.writes == ("total", "frame", "model", "old")


def test_a_function_reads_what_it_does_not_bind() -> None:
    flow = analyse(
        "def f(a, *b, c=default, **d):\n    global counter\n    local = a + outside\n"
        "    counter = local\n    return [x for x in b]"
    )
    assert flow.reads == ("default", "outside")
    assert flow.writes == ("f", "counter")


def test_comprehensions_and_lambdas_keep_their_names() -> None:
    flow = analyse("squares = {i: (lambda z: z + w)(i) for i in range(n) if i}")
    assert flow.reads == ("n", "w")
    assert flow.writes == ("squares",)


def test_literals_and_computed_values_are_told_apart() -> None:
    flow = analyse(
        "a = 1\nb: float = -2.5\nc, d = 'x', len('y')\ne = [1, 2]\nf = 0\nf += 1\nfor g in range(3): h = g\n"
        "import i\nwith open('j') as j: pass\nk = (l := 4)\nm = {'lr': 0.1}"
    )
    assert flow.literals == {"a": 1, "b": -2.5, "c": "x", "e": [1, 2], "l": 4, "m": "{'lr': 0.1}"}
    assert set(flow.computed) == {"d", "f", "h", "k"}


def test_what_cannot_be_known_is_said() -> None:
    assert analyse("exec(code)\nfrom math import *\nglobals()").uncertain == ("exec", "star import", "globals()")
    assert analyse("x = = 1").uncertain == ("source not understood: SyntaxError",)


@pytest.mark.parametrize(
    ("source", "reads", "writes"),
    [
        ("def f():\n    def g():\n        z = 1\n    return z", {"z"}, {"f"}),
        ("def f():\n    import os\n    return os.sep", set(), {"f"}),
        ("def f(a: Kind = base) -> Other: return a", {"Kind", "base", "Other"}, {"f"}),
        ("@wrap(k)\nclass A(Base, meta=M):\n    x = y\n    def f(self): return z",
         {"wrap", "k", "Base", "M", "y", "z"}, {"A"}),
        ("try:\n    a\nexcept kind as error:\n    b = error", {"a", "kind", "error"}, {"error", "b"}),
        ("match a:\n    case {'k': b, **rest}: pass\n    case [c, *d] | Point(x=c, y=d): pass\n    case e: pass",
         {"a", "Point"}, {"b", "rest", "c", "d", "e"}),
        ("if (n := len(a)) > 1: pass\n[m := i for i in b]", {"a", "b"}, {"n", "m"}),
        ("async with a as b:\n    c = await b.d()\nasync for e in f: pass", {"a", "b", "f"}, {"b", "c", "e"}),
        ("a.b.c = 1\nd[e] = 2\ndel g[0]\ndel h", {"a", "d", "e", "g"}, {"a", "d", "g", "h"}),
        ("x = get_ipython().getoutput('ls {a} $b')", {"a", "b"}, {"x"}),
        ("get_ipython().system('head {folder / name}')", {"folder", "name"}, set()),
        ("get_ipython().run_line_magic('time', 'y = f(z)')", {"f", "z"}, {"y"}),
        ("get_ipython().run_line_magic('timeit', '-n 5 f(z)')", {"f", "z"}, set()),
        ("get_ipython().run_cell_magic('timeit', '', 'f(z)')", {"f", "z"}, set()),
        ("get_ipython().run_cell_magic('mlops', 'expect table', 'rule')", {"table"}, set()),
        ("exec('a = b')\nc = eval('d + 1')", {"b", "d"}, {"a", "c"}),
        ("global g\ng = 1\nx += 1", {"x"}, {"g", "x"}),
    ],
)  # fmt: skip
def test_every_form_of_a_name(source: str, reads: set[str], writes: set[str]) -> None:
    flow = analyse(source)
    assert (set(flow.reads) - {"get_ipython"}, set(flow.writes), flow.uncertain) == (reads, writes, ())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("get_ipython().run_line_magic('run', 'x.py -i')", "%run -i"),
        ("get_ipython().run_cell_magic('cython', '', 'x')", "%cython"),
        ("get_ipython().run_cell(code)", "get_ipython().run_cell"),
        ("vars()['x'] = 1", "vars()"),
    ],
)
def test_what_ipython_hides_is_said(source: str, why: str) -> None:
    assert analyse(source).uncertain == (why,)


NAMES = st.sampled_from(["a", "b", "c", "d"])
STATEMENTS = st.one_of(
    st.builds("{} = {} + {}".format, NAMES, NAMES, NAMES),
    st.builds("for {} in {}: {} = 1".format, NAMES, NAMES, NAMES),
    st.builds("def {}({}): return {}".format, NAMES, NAMES, NAMES),
    st.builds("{} = [{} for {} in {}]".format, NAMES, NAMES, NAMES, NAMES),
    st.builds("{} += {}".format, NAMES, NAMES),
    st.builds("class {}:\n    {} = {}\n    def {}(self): return {}".format, NAMES, NAMES, NAMES, NAMES, NAMES),
)


@given(st.lists(STATEMENTS, min_size=1, max_size=6).map("\n".join))
def test_every_global_name_of_the_compiler_is_read_or_written(source: str) -> None:
    flow = analyse(source)
    known = set(flow.reads) | set(flow.writes)
    tables = [symtable.symtable(source, "cell", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            is_global = symbol.is_global() or table.get_type() == "module"
            if is_global and not hasattr(builtins, symbol.get_name()):
                assert symbol.get_name() in known
