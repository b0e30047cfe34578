"""What is wrong with steps, each told with its cell and line; one misbehaviour each."""

import pytest

from cellops.records.finding import Severity
from cellops.records.step import StepProblem
from support.steps import codes, edges, read


def only(*cells: str) -> StepProblem:
    """The one problem of a notebook."""
    found = read(*cells).problems
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("cells", "where", "said"),
    [
        (("table = 1", "%%mlops step a\nprint(1)\nprint(tabel)"), "cell 2, line 3", "Did you mean table?"),
        (
            ("%%mlops step a\nlater", "%%mlops step b\nlater = 1"),
            "cell 1, line 2",
            "Cell 2 further down binds it: move that up",
        ),
        (("early = late", "%%mlops step a\nlate = 1"), "cell 1, line 1", "Cell 2 further down binds it"),
        (("wind = 1", "%%mlops step a\njoined = wind\njoind"), "cell 2, line 3", "Did you mean joined?"),
        (("%%mlops step a\nx = 1\ndel x", "%%mlops step b\nx"), "cell 2, line 2", "It was deleted above"),
        (("def f():\n    return rat", "%%mlops step a\nf()"), "cell 2, line 2", "Bind it in a cell above"),
        (
            ("def f():\n    return rate\nf()", "%%mlops step a\nrate = 1"),
            "cell 1, line 3",
            "Cell 2 further down binds it",
        ),
        (
            ("def f():\n    return rat\nkept = [f]", "%%mlops step a\nrate = 1"),
            "cell 1",
            "Bind it in a cell above",
        ),
        (("print(nothing)",), "cell 1, line 1", "Bind it in a cell above"),
    ],
)
def test_a_name_that_nothing_above_binds_is_named(cells: tuple[str, ...], where: str, said: str) -> None:
    problem = only(*cells)
    assert (problem.code, problem.severity, problem.where) == ("missing-producer", Severity.ERROR, where)
    assert said in problem.remedy


@pytest.mark.parametrize(
    "keeping",
    ["getters = [give]", "other = give", "def ask(f=give):\n    return f()", "def ask(f=[give]):\n    return f[0]()"],
)
def test_functions_that_are_kept_above_may_use_what_a_step_below_binds(keeping: str) -> None:
    shared = f"def give():\n    return model\n{keeping}"
    name = "other" if "other" in keeping else "getters[0]" if "getters" in keeping else "ask"
    graph = read(shared, "%%mlops step fit\nmodel = 1", f"%%mlops step use\nprint({name}())")
    assert graph.problems == ()
    assert edges(graph) == {"fit > use": "model"}


def test_a_step_may_look_at_kept_functions_before_what_they_use_is_bound() -> None:
    shared = "def give():\n    return model\ngetters = [give]"
    steps = ("%%mlops step a\nn = len(getters)", "%%mlops step b\nmodel = n", "%%mlops step c\ngetters[0]()")
    assert codes(read(shared, *steps)) == []


@pytest.mark.parametrize("name", ["len", "display", "get_ipython", "In", "_", "__name__", "exit"])
def test_names_of_every_kernel_need_no_producer(name: str) -> None:
    assert read(f"%%mlops step a\nprint({name})", "%%mlops step b\n1").problems == ()


def test_steps_that_wait_for_each_other_are_a_circle() -> None:
    graph = read("%%mlops step a\nx = 1", "%%mlops step b\ny = x", "%%mlops step a\nz = y")
    (problem,) = graph.problems
    assert (problem.code, problem.where, problem.steps) == ("cycle", "cell 3", ("a", "b"))
    assert "b needs x of a; a needs y of b" in problem.seen
    assert graph.levels == ()


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        (
            ("%%mlops step a\nx = 1", "%%mlops step b\ny = x", "%%mlops step a\nx = 2", "%%mlops step c\nx\ny"),
            "cell 3, line 2",
        ),
        (
            ("%%mlops step s\nx = [1]", "%%mlops step a\nx", "%%mlops step b\nx.append(2)", "%%mlops step a\nx"),
            "cell 4, line 2",
        ),
    ],
)
def test_a_step_in_two_places_has_one_value_of_a_name(cells: tuple[str, ...], where: str) -> None:
    problem = only(*cells)
    assert (problem.code, problem.where) == ("split-step", where)


def test_an_input_that_is_not_declared_is_an_error() -> None:
    problem = only("%%mlops step a\nx = 1\ny = 2", "%%mlops step b --in x\nx\nprint(x + y)")
    assert (problem.code, problem.where, problem.names) == ("undeclared-input", "cell 2, line 3", ("y",))
    assert problem.remedy == "Write --in x,y"


def test_shared_names_and_definitions_are_no_inputs() -> None:
    assert codes(read("rate = 2", "%%mlops step a\nimport math", '%%mlops step b --in ""\nmath.sqrt(rate)')) == []


def test_an_output_that_is_not_declared_is_an_error() -> None:
    problem = only("%%mlops step a --out x\nx = 1\ny = [2]", "%%mlops step b\nprint(x, y)")
    assert (problem.code, problem.where, problem.remedy) == ("undeclared-output", "cell 1, line 3", "Write --out x,y")


def test_an_output_that_the_step_does_not_bind_is_an_error() -> None:
    problem = only("%%mlops step a --out modle\nmodel = 1", "%%mlops step b\n1")
    assert (problem.code, problem.remedy) == ("missing-output", "Did you mean model?")


def test_two_writers_that_do_not_know_each_other_are_told() -> None:
    problem = only("%%mlops step a\nscore = 1", "%%mlops step b\nscore = 2", "%%mlops step c\nprint(score)")
    assert (problem.code, problem.severity, problem.where) == ("ambiguous-writers", Severity.WARNING, "cell 2, line 2")
    assert "step c gets that of b" in problem.seen


def test_a_writer_that_needs_the_other_is_none_of_two() -> None:
    assert codes(read("%%mlops step a\nx = 1", "%%mlops step b\nx = x + 1", "%%mlops step c\nx")) == []


@pytest.mark.parametrize(
    "reason", ["from math import *", "exec(open('c').read())", "%run other.py", "globals()['x'] = 1"]
)
def test_code_that_may_use_any_name_is_told(reason: str) -> None:
    problem = only(f"%%mlops step a\n{reason}", "%%mlops step b\n1")
    assert (problem.code, problem.severity, problem.where) == ("unknown-names", Severity.WARNING, "cell 1, line 2")


@pytest.mark.parametrize(
    "change",
    [
        "import os\nos.environ['A'] = '1'",
        "import csv\ncsv.register_dialect('d', delimiter=';')",
        "import csv\ncsv.field_size_limit(10_000_000)",
        "import sqlite3\nsqlite3.register_adapter(dict, str)",
        "import mimetypes\nmimetypes.add_type('a/b', '.zz')",
        "import socket\nsocket.setdefaulttimeout(3)",
        "from collections.abc import Sequence\nSequence.register(int)",
        "import abc\nabc.ABC.register(int)",
    ],
)
def test_what_only_one_kernel_sees_is_told(change: str) -> None:
    problem = only(f"%%mlops step a\n{change}", "%%mlops step b\n1")
    assert (problem.code, problem.severity, problem.where) == ("interpreter-state", Severity.WARNING, "cell 1, line 3")


def test_draws_from_a_generator_that_another_step_moves_on_are_told() -> None:
    cells = ("%%mlops step a\nx = np.random.rand()", "%%mlops step b\ny = np.random.rand()")
    problem = only("import numpy as np\nnp.random.seed(3)", *cells)
    assert (problem.code, problem.where, problem.steps) == ("generator-state", "cell 3, line 2", ("b",))
    assert codes(read("import numpy as np", *cells)) == []


def test_a_generator_under_a_name_is_handed_on() -> None:
    graph = read(
        "import numpy as np\nrng = np.random.default_rng(3)",
        "%%mlops step a\nx = rng.normal()",
        "%%mlops step b\nrng.normal()",
    )
    assert [(edge.producer, edge.names) for edge in graph.edges] == [("a", ("rng",))]


def test_a_shared_cell_that_writes_files_more_than_once_is_told() -> None:
    shared = "rows = [1]\nopen('log.txt', 'a').write('read')"
    problem = only(shared, "%%mlops step a\nrows", "%%mlops step b\nrows")
    assert (problem.code, problem.where, problem.steps) == ("shared-writes", "cell 1, line 2", ("a", "b"))


def test_a_step_that_waits_for_what_is_only_perhaps_changed_is_told() -> None:
    problem = only(
        "from features import build", "%%mlops step a\nx = [1]", "%%mlops step b\nm = build(x)", "%%mlops step c\nx"
    )
    assert (problem.code, problem.severity, problem.where) == ("perhaps-changed", Severity.INFO, "cell 3, line 2")
    assert "--out" in problem.remedy


def test_a_function_that_is_passed_with_old_names_is_told() -> None:
    problem = only(
        "%%mlops step a\nrate = 1\nif rate:\n    def f(n):\n        return n * rate",
        "%%mlops step b\nrate = rate + 1",
        "%%mlops step c\nf(2)",
    )
    assert (problem.code, problem.where, problem.names) == ("function-by-value", "cell 3, line 2", ("f", "rate"))


@pytest.mark.parametrize(
    ("cells", "code", "where"),
    [
        (("%%mlops step a\nx = (", "%%mlops step b\n1"), "syntax", "cell 1, line 2"),
        (("%%mlops step a\n1", "x = 1\n%%mlops step b\n1"), "syntax", "cell 2, line 2"),
        (("%%mlops step a/b\n1",), "step-header", "cell 1, line 1"),
        (("%%mlops step a --in\n1",), "step-header", "cell 1, line 1"),
        (("%%mlops step a\n1", "%%mlops step b\n1", "%%mlops step a --retries 2\n1"), "step-header", "cell 3, line 1"),
    ],
)
def test_a_cell_or_header_that_cannot_be_read_is_told_with_its_place(
    cells: tuple[str, ...], code: str, where: str
) -> None:
    problem = only(*cells)
    assert (problem.code, problem.severity, problem.where) == (code, Severity.ERROR, where)


def test_all_problems_are_told_at_once_in_the_order_of_the_cells() -> None:
    graph = read("%%mlops step a\nx = 1\nfirst", "%%mlops step b\ny = x\nsecond", "%%mlops step a\nz = y\n(")
    assert [(problem.code, problem.where) for problem in graph.problems] == [
        ("missing-producer", "cell 1, line 3"),
        ("missing-producer", "cell 2, line 3"),
        ("syntax", "cell 3, line 3"),
    ]
