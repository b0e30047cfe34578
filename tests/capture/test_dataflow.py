"""Names, literals and calls of a cell's source."""

import builtins
import symtable

from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.dataflow import analyse


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
