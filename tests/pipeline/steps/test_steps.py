"""Which cells are whose, and what flows between steps; one behaviour each."""

from pathlib import Path

import pytest

from support.steps import codes, edges, read

LOAD = "%%mlops step load\nimport pandas as pd\ntable = pd.read_csv('rows.csv')"


def test_a_notebook_without_steps_is_one_step() -> None:
    graph = read("x = 1", "", "print(x)")
    assert [(step.name, step.cells, step.shared) for step in graph.steps] == [("notebook", (0, 2), ())]
    assert (graph.levels, graph.edges, graph.problems) == ((("notebook",),), (), ())


def test_cells_below_a_header_continue_the_step_and_cells_above_the_first_are_shared() -> None:
    graph = read("rate = 2", "unused = 3", "%%mlops step a\nx = rate", "%%mlops run\ny = x", "%%mlops step b\nprint(y)")
    assert [(step.name, step.cells, step.shared) for step in graph.steps] == [("a", (2, 3), (0,)), ("b", (4,), ())]


def test_a_run_below_the_header_of_its_step_belongs_to_it() -> None:
    graph = read(
        "%%mlops step fit --retries 2 --timeout 9\n%%mlops run --seed 1\nscore = 1 / 2", "%%mlops step b\nscore"
    )
    assert (graph.step("fit").retries, graph.step("fit").timeout) == (2, 9.0)
    assert edges(graph) == {"fit > b": "score"}


def test_shared_cells_come_with_those_that_they_need() -> None:
    graph = read(
        "import math", "base = math.e", "twice = base * 2", "other = 1", "%%mlops step a\ntwice", "%%mlops step b\n1"
    )
    assert [step.shared for step in graph.steps] == [(0, 1, 2), ()]


def test_shared_cells_that_set_up_the_kernel_come_with_every_step() -> None:
    graph = read(
        "import pandas as pd\npd.set_option('mode.copy_on_write', True)", "%%mlops step a\n1", "%%mlops step b\n2"
    )
    assert [step.shared for step in graph.steps] == [(0,), (0,)]


def test_independent_steps_stand_on_one_level() -> None:
    graph = read(
        "from sklearn.linear_model import LogisticRegression",
        LOAD,
        "%%mlops step a\nfirst = LogisticRegression().fit(table[['x']], table['y'])",
        "%%mlops step b\nsecond = LogisticRegression(C=2)\nsecond.fit(table[['x']], table['y'])",
        "%%mlops step report\nprint(first.score(table[['x']], table['y']), second)",
    )
    assert graph.levels == (("load",), ("a", "b"), ("report",))
    assert graph.step("report").inputs == ("first", "second", "table")


@pytest.mark.parametrize("library", ["lightgbm.LGBMClassifier", "xgboost.XGBClassifier"])
def test_estimators_in_the_way_of_scikit_learn_leave_their_tables_alone(library: str) -> None:
    module, name = library.split(".")
    graph = read(
        f"from {module} import {name}",
        LOAD,
        f"%%mlops step a\na = {name}().fit(table, table['y'])",
        f"%%mlops step b\nb = {name}(max_depth=3).fit(table, table['y'])",
    )
    assert graph.levels == (("load",), ("a", "b"))


def test_a_step_that_reads_before_a_change_takes_the_table_as_it_was() -> None:
    graph = read(
        LOAD, "%%mlops step look\nprint(len(table))", "%%mlops step change\ntable['x'] = 1", "%%mlops step last\ntable"
    )
    assert edges(graph) == {"load > look": "table", "load > change": "table", "change > last": "table"}
    assert graph.levels == (("load",), ("look", "change"), ("last",))


@pytest.mark.parametrize(
    "change",
    [
        "x.append(1)",
        "x[0] = 2",
        "x += [3]",
        "del x[0]",
        "x.sort()",
        "y = x\ny.append(1)",
        "for v in [x]:\n    v.append(1)",
    ],
)
def test_a_change_in_place_is_a_write(change: str) -> None:
    graph = read("%%mlops step a\nx = [0]", f"%%mlops step b\n{change}", "%%mlops step c\nprint(x)")
    assert edges(graph) == {"a > b": "x", "b > c": "x"}


def test_a_change_by_another_name_of_the_object_is_a_write() -> None:
    graph = read("%%mlops step a\nx = [0]\ny = x", "%%mlops step b\nx.append(1)", "%%mlops step c\nprint(y)")
    assert edges(graph) == {"a > b": "x, y", "b > c": "y"}


def test_a_second_name_that_is_changed_later_comes_together_with_the_first() -> None:
    graph = read("%%mlops step a\nx = [0]", "%%mlops step b\ny = x", "%%mlops step c\ny.append(1)\nprint(x)")
    assert edges(graph) == {"a > b": "x", "b > c": "x, y"}


def test_a_name_that_is_bound_in_a_branch_is_taken_too() -> None:
    graph = read("%%mlops step a\nx = 0", "%%mlops step b\nif len('ab') > 1:\n    x = 1", "%%mlops step c\nprint(x)")
    assert edges(graph) == {"a > b": "x", "b > c": "x"}


def test_a_name_that_is_bound_anew_needs_no_earlier_one() -> None:
    graph = read("%%mlops step a\nx = 0\ny = 1", "%%mlops step b\nx = 1\nprint(x, y)")
    assert edges(graph) == {"a > b": "y"}


def test_functions_of_the_notebook_are_read_where_they_are_called() -> None:
    functions = "def look(t):\n    return len(t) * scale\ndef change(t):\n    t['x'] = 1"
    graph = read(
        functions,
        LOAD,
        "%%mlops step look\nscale = 2\nn = look(table)",
        "%%mlops step b\nchange(table)",
        "%%mlops step c\ntable",
    )
    assert edges(graph) == {"load > look": "table", "load > b": "table", "b > c": "table"}
    assert graph.step("look").inputs == ("table",)


def test_what_a_function_uses_is_taken_where_it_is_called() -> None:
    graph = read("%%mlops step a\ndef f(n):\n    return n * rate", "%%mlops step b\nrate = 2", "%%mlops step c\nf(3)")
    assert edges(graph) == {"b > c": "rate"}
    assert [(one.cell, one.first_line, one.last_line, one.names) for one in graph.step("c").definitions] == [
        (0, 2, 3, ("f",))
    ]


def test_a_lambda_with_a_name_is_a_function() -> None:
    graph = read("%%mlops step a\nf = lambda n: n * rate", "%%mlops step b\nrate = 2", "%%mlops step c\nf(3)")
    assert (edges(graph), codes(graph)) == ({"b > c": "rate"}, [])


def test_a_function_among_arguments_may_change_them() -> None:
    graph = read(
        "%%mlops step a\nx = [[0]]", "%%mlops step b\ndef f(t):\n    t.append(1)\nlist(map(f, x))", "%%mlops step c\nx"
    )
    assert edges(graph) == {"a > b": "x", "b > c": "x"}


def test_imports_and_definitions_of_a_step_are_executed_again() -> None:
    graph = read(
        "%%mlops step a\nfrom dataclasses import dataclass\nimport math\n\n"
        "@dataclass\nclass Point:\n    x: float = 0.0\n"
        "def far(p):\n    return math.sqrt(p.x)\nslow = 1",
        "%%mlops step b\nprint(far(Point(4.0)))",
    )
    assert graph.levels == (("a", "b"),)
    named = [(one.first_line, one.last_line, one.names) for one in graph.step("b").definitions]
    assert named == [(2, 2, ("dataclass",)), (3, 3, ("math",)), (5, 7, ("Point",)), (8, 9, ("far",))]


def test_modules_of_one_package_are_all_imported_again() -> None:
    graph = read(
        "%%mlops step a\nimport os.path\nimport os",
        "%%mlops step b\nimport xml.dom\nimport xml.sax",
        "%%mlops step c\nxml",
    )
    assert [one.first_line for one in graph.step("c").definitions] == [2, 3]


@pytest.mark.parametrize(
    "kept",
    [
        "def f(n, seen=[]):\n    seen.append(n)\n    return seen",
        "class f:\n    seen = []",
        "def f():\n    f.n = 1\nf.n = 0",
    ],
)
def test_a_definition_that_keeps_something_is_passed_as_a_value(kept: str) -> None:
    graph = read(f"%%mlops step a\n{kept}", "%%mlops step b\nprint(f)")
    assert (edges(graph), graph.step("b").definitions) == ({"a > b": "f"}, ())


def test_a_default_that_a_step_computes_is_passed_with_its_function() -> None:
    graph = read("%%mlops step a\nrate = len('ab')\ndef f(n=rate):\n    return n", "%%mlops step b\nf()")
    assert edges(graph) == {"a > b": "f"}


def test_expectations_read_their_table() -> None:
    graph = read(LOAD, "%%mlops step check\n%%mlops expect table\nexpect_column_to_exist('x')")
    assert edges(graph) == {"load > check": "table"}


def test_magics_are_read_as_what_they_do() -> None:
    graph = read(
        "%%mlops step a\n%%capture shown\nprint(1)",
        "%%mlops step b\n%time x = shown.stdout\nn = !echo {x}",
        "%%mlops step c\nn\nx",
    )
    assert edges(graph) == {"a > b": "shown", "b > c": "n, x"}
    assert codes(graph) == []


def test_parameters_without_a_value_are_bound() -> None:
    graph = read("%%mlops parameters\nlimit: int", "%%mlops step a\nx = [limit]", "%%mlops step b\nx.append(limit)")
    assert (edges(graph), codes(graph), graph.step("b").shared) == ({"a > b": "x"}, [], (0,))


def test_declared_names_take_the_place_of_what_cannot_be_told() -> None:
    cells = [
        "from features import build",
        LOAD,
        "%%mlops step a{}\nmodel = build(table)",
        "%%mlops step b\nprint(len(table))",
    ]
    assert edges(read(*(cell.format("") for cell in cells))) == {"load > a": "table", "a > b": "table"}
    declared = read(*(cell.format(" --out model") for cell in cells))
    assert edges(declared) == {"load > a": "table", "load > b": "table"}
    assert declared.step("a").outputs == ("model",)


def test_a_declared_input_that_is_not_read_is_waited_for() -> None:
    graph = read("%%mlops step a\nx = 1", "%%mlops step b --in x\nprint(2)")
    assert (edges(graph), codes(graph)) == ({"a > b": "x"}, [])


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        ("open('a.txt', 'w').write('1')", "open('a.txt').read()", True),
        ("open('a.txt').read()", "open('a.txt', 'w').write('1')", True),
        ("open('a.txt', 'w').write('1')", "open('b.txt', 'w').write('1')", False),
        ("open('a.txt').read()", "open('a.txt').read()", False),
        ("open(str(1), 'w').write('1')", "open('a.txt').read()", True),
        ("import numpy\nnumpy.save('out/a', [1])", "import numpy\nnumpy.load('out/a.npy')", True),
        ("import os\nos.makedirs('out')", "open('out/a.txt', 'w').write('1')", True),
        ("import shutil\nshutil.copy('a', 'b')", "open('b').read()", True),
        ("!curl -O site/rows.csv", "open('rows.csv').read()", True),
    ],
)
def test_steps_that_touch_the_same_file_keep_their_order(first: str, second: str, waits: bool) -> None:
    graph = read(f"%%mlops step a\n{first}", f"%%mlops step b\n{second}")
    assert edges(graph) == ({"a > b": "(files)"} if waits else {})


def test_what_a_step_needs_is_known_without_executing_the_others() -> None:
    graph = read("%%mlops step a\nx = 1", "%%mlops step b\ny = 2", "%%mlops step c\nz = x", "%%mlops step d\nz + y")
    assert graph.needed("c") == ("a", "c")
    assert graph.needed("d") == ("a", "b", "c", "d")


def test_a_step_may_stand_in_two_places() -> None:
    graph = read("%%mlops step a\nx = 1", "%%mlops step b\ny = x", "%%mlops step a\nz = x", "%%mlops step c\ny + z")
    assert graph.step("a").cells == (0, 2)
    assert (graph.levels, codes(graph)) == ((("a",), ("b",), ("c",)), [])


def test_star_imports_and_texts_of_code_make_everything_an_input() -> None:
    graph = read("%%mlops step a\nx = [1]\ny = 2", "%%mlops step b\nexec(open('c.py').read())", "%%mlops step c\nx")
    assert graph.step("b").inputs == ("x", "y")
    assert edges(graph)["b > c"] == "x"
    assert codes(graph) == ["unknown-names"]


def test_a_name_that_only_a_star_import_can_bind_comes_from_there() -> None:
    graph = read("%%mlops step a\nfrom math import *", "%%mlops step b\nprint(sqrt(2))")
    assert edges(graph) == {"a > b": "sqrt"}


def test_the_cell_that_loads_an_extension_comes_with_every_step() -> None:
    graph = read("%load_ext cellops", "unused = 1", "%%mlops step a\n1", "%%mlops step b\n%%mlops run\nx = 2")
    assert [step.shared for step in graph.steps] == [(0,), (0,)]


def test_a_function_that_keeps_what_it_was_made_with_shares_it() -> None:
    maker = "def make(t):\n    def inner(v):\n        t.append(v)\n    return inner"
    graph = read(
        maker, "%%mlops step a\nx = [1]\nf = make(x)", "%%mlops step b\ny = [x]", "%%mlops step c\nf(2)\nprint(y)"
    )
    assert edges(graph) == {"a > b": "f, x", "b > c": "f, y"}


def test_a_function_that_one_of_the_notebook_decorates_is_defined_again() -> None:
    decorated = "def twice(f):\n    return lambda n: f(f(n))\n@twice\ndef grow(n):\n    return n + 1"
    graph = read(f"%%mlops step a\n{decorated}", "%%mlops step b\nprint(grow(1))")
    assert [one.names for one in graph.step("b").definitions] == [("twice",), ("grow",)]


def test_tables_of_drawn_numbers_are_tables() -> None:
    graph = read(
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression",
        "%%mlops step load\nrng = np.random.default_rng(3)\n"
        "t = pd.DataFrame({'x': rng.normal(size=9), 'k': rng.choice(['a', 'b'], size=9)})",
        "%%mlops step a\na = LinearRegression().fit(t[['x']], t['x'])",
        "%%mlops step b\nb = LinearRegression().fit(t[['x']], rng.normal(size=9))",
        "%%mlops step c\nprint(a, b, rng.normal())",
    )
    assert graph.levels == (("load",), ("a", "b"), ("c",))
    assert graph.step("c").inputs == ("a", "b", "rng")


def test_what_ends_no_line_of_python_ends_none_here() -> None:
    graph = read(
        "mark = 'a\x0cb\u2028c'\n\x0c\nif mark:\n    size = 1",
        "%%mlops step make\ntext = mark * size\n\x0cdef twice(x):\n    return x * 2",
        "%%mlops step show\nprint(twice(text))",
    )
    assert codes(graph) == []
    assert edges(graph) == {"make > show": "text"}
    (twice,) = graph.step("show").definitions
    assert (twice.first_line, twice.last_line) == (3, 4)


def test_shared_cells_whose_functions_set_up_the_kernel_are_executed_by_each_step(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text(
        "import os\nimport pandas as pd\n\ndef options(rows): pd.set_option('display.max_rows', rows)\n\n"
        "def configure(rows):\n    os.environ['ROWS'] = str(rows)\n    options(rows)\n\n"
        "def mean(x):\n    os.makedirs('out', exist_ok=True)\n    return sum(x) / len(x)\n"
    )
    graph = read(
        "import helpers\nfrom helpers import options",
        "helpers.configure(3)",
        "def go(): options(5)",
        "go()",
        "unused = helpers.mean([1])",
        "%%mlops step a\nx = 1",
        "%%mlops step b\nprint(x)",
        folders=[tmp_path],
    )
    assert [step.shared for step in graph.steps] == [(0, 1, 2, 3)] * 2
    assert codes(graph) == []


def test_functions_of_the_project_that_set_up_the_kernel_in_a_step_are_told(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text(
        "def configure(rows):\n    import pandas\n    pandas.options.display.max_rows = rows\n\n"
        "def save(text):\n    import os\n    os.makedirs('out')\n    open('out/x', 'w').write(text)\n"
    )
    told = {
        call: codes(read("import helpers", f"%%mlops step a\n{call}\nx = 1", "%%mlops step b\nx", folders=[tmp_path]))
        for call in ("helpers.configure(3)", "helpers.save('a')")
    }
    assert told == {"helpers.configure(3)": ["interpreter-state"], "helpers.save('a')": []}
