import ast
import math
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from cellops.errors import ParameterError
from cellops.pipeline.parameters.annotations import kind_of
from cellops.pipeline.parameters.binding import bind
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.injection import assignments, inject
from cellops.pipeline.parameters.names import Names
from cellops.pipeline.parameters.parameter import Parameter

CELL = """%%mlops parameters
months: list[int] = [1, 2, 3]  # months to learn from
seed: int = 7
rate = 0.1
note = "plain"  # a # in a comment
limit: int | None = None
weights: dict[str, float] = {"a": 1.5}
verbose = False
"""

scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=10,
)
finite = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def notebook_of(*sources: str, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[-1].metadata["tags"] = list(tags)
    return nbformat.v4.new_notebook(cells=cells)


def declared_by(body: str) -> Declared:
    return declared(notebook_of(f"%%mlops parameters\n{body}"))


def typed(kind: str) -> Declared:
    """A notebook with one parameter `x` of this type."""
    parameter = Parameter(name="x", kind=kind_of(kind, Names()), written=kind, required=True)
    return Declared(index=0, parameters=(parameter,))


def same(left: object, right: object) -> bool:
    """Equal in value and type; nan is nan."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and left == right


def test_declarations_carry_type_default_and_comment() -> None:
    found = declared(notebook_of("import os", CELL))
    assert (found.index, found.has_header) == (1, True)
    assert [(p.name, p.written, p.default, p.help) for p in found.parameters] == [
        ("months", "list[int]", [1, 2, 3], "months to learn from"),
        ("seed", "int", 7, ""),
        ("rate", "float", 0.1, ""),
        ("note", "str", "plain", "a # in a comment"),
        ("limit", "int | None", None, ""),
        ("weights", "dict[str, float]", {"a": 1.5}, ""),
        ("verbose", "bool", False, ""),
    ]


def test_papermills_tag_is_as_good_as_the_header() -> None:
    found = declared(notebook_of("x = 1", tags=("parameters",)))
    assert (found.index, found.has_header, found.defaults()) == (0, False, {"x": 1})


def test_an_injected_cell_is_no_second_parameters_cell() -> None:
    notebook = notebook_of("%%mlops parameters\nx = 1", "%%mlops parameters\nx = 2", tags=("injected-parameters",))
    assert declared(notebook).index == 0


def test_two_parameters_cells_are_refused() -> None:
    with pytest.raises(ParameterError, match="2 parameters cells: cell 1, cell 3") as caught:
        declared(notebook_of("%%mlops parameters\nx = 1", "x", "%%mlops parameters\ny = 1"))
    assert caught.value.data["cells"] == [0, 2]


def test_a_syntax_error_names_cell_and_line() -> None:
    with pytest.raises(ParameterError, match="cell 1") as caught:
        declared_by("x = 1\ny = = 2")
    assert caught.value.data["line"] == 3


def test_other_statements_are_left_alone() -> None:
    found = declared_by('"""What may change."""\nimport os\na, b = 1, 2\nx = 1\nx = 2')
    assert found.defaults() == {"x": 2}


@pytest.mark.parametrize(
    ("declaration", "text", "expected"),
    [
        ("x: int = 1", "-7", -7),
        ("x: float = 1", "1e-3", 0.001),
        ("x: float = 1.0", "3", 3.0),
        ("x: float = 1.0", "-inf", -math.inf),
        ("x: float = 1.0", "nan", math.nan),
        ("x = True", "false", False),
        ("x: str", "7", "7"),
        ("x = 'a'", "a = 'b'\n=ü", "a = 'b'\n=ü"),
        ("x = 'a'", "", ""),
        ("x = [1]", "[4, 5]", [4, 5]),
        ("x: list[str] = []", "['a', \"b\"]", ["a", "b"]),
        ("x: list[list[int]] = []", "[[1], []]", [[1], []]),
        ("x: list[int | None] = []", "[1, null]", [1, None]),
        ("x: dict[str, float] = {}", '{"a": 1}', {"a": 1.0}),
        ("x: dict[int, str] = {}", "{1: 'a'}", {1: "a"}),
        ("x: dict = {}", '{"a": [true, null]}', {"a": [True, None]}),
        ("x: Optional[int] = None", "None", None),
        ("x: typing.Optional[int] = None", "5", 5),
        ("x: Union[int, None] = None", "null", None),
        ("x: 'int | None' = None", "5", 5),
        ("x: str | None = None", "none of them", "none of them"),
        ("x: int = int('7')", "8", 8),
    ],
)
def test_strings_are_read_as_the_declared_type(declaration: str, text: str, expected: object) -> None:
    assert same(bind(declared_by(declaration), {"x": text})["x"], expected)


@pytest.mark.parametrize(
    ("declaration", "received", "said"),
    [
        ("x: int = 1", "abc", "int is expected, 'abc' was received"),
        ("x: int = 1", "7.0", "int is expected"),
        ("x: int = 1", True, "int is expected, True was received"),
        ("x = 1", 0.5, "int is expected, 0.5 was received"),
        ("x: bool = True", "1", "bool is expected"),
        ("x: list[int] = [1]", "[1, 'a']", r"list\[int\] is expected"),
        ("x: list = []", [object()], "list is expected"),
        ("x: list[int, int] = []", "[1]", "cannot be given from outside"),
        ("x: Frame = None", "b", "its type Frame cannot be given from outside"),
        ("x = None", "5", "it has no type"),
        ("x = len('ab')", "5", "it has no type"),
        ("x = (1, 2)", "[1, 'a']", r"tuple\[int, \.\.\.\] is expected"),
    ],
)
def test_what_does_not_fit_is_refused(declaration: str, received: object, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        bind(declared_by(declaration), {"x": received})
    assert set(caught.value.data["problems"]) == {"x"}


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        bind(declared_by("months: list[int] = [1]\nseed: int = 7\nsize: int"), {"seed": "x", "month": "1", "zz": "1"})
    assert caught.value.data["problems"] == {
        "month": "there is no such parameter (did you mean months?)",
        "zz": "there is no such parameter",
        "seed": "int is expected, 'x' was received",
        "size": "a value of type int is required",
    }


def test_parameters_for_a_notebook_without_a_cell_for_them() -> None:
    with pytest.raises(ParameterError, match="make its first line %%mlops parameters"):
        bind(declared(notebook_of("x = 1")), {"x": "2"})


def test_injection_stands_behind_the_cell_and_replaces_an_earlier_one() -> None:
    notebook = notebook_of("import os", "%%mlops parameters\nx = 1\ny = 1", "x")
    found = declared(notebook)
    once = inject(notebook, found, {"x": 2, "y": 2})
    twice = inject(once, declared(once), {"x": 3})
    assert [cell.source for cell in twice.cells] == [
        "import os",
        "%%mlops parameters\nx = 1\ny = 1",
        "%%mlops parameters\nx = 3",
        "x",
    ]
    assert twice.cells[2].metadata.tags == ["injected-parameters"]
    assert len(notebook.cells) == 3
    assert inject(once, declared(once), {}) == once
    nbformat.validate(twice)


@given(value=values)
def test_injected_source_gives_the_value_back_through_ipython(value: object) -> None:
    source = assignments({"x": value}, Names(), with_header=False)
    seen = TransformerManager().transform_cell(source)
    namespace: dict[str, object] = {}
    exec(seen, namespace)
    assert len(source.splitlines()) == 1
    assert same(namespace["x"], value)


@given(value=finite)
def test_injected_source_is_a_literal(value: object) -> None:
    source = assignments({"x": value}, Names(), with_header=False)
    assert same(ast.literal_eval(source.removeprefix("x = ")), value)


@given(text=st.text())
def test_a_str_parameter_takes_any_text_as_it_stands(text: str) -> None:
    found = typed("str")
    assert bind(found, {"x": text}) == {"x": text}


@given(value=st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_numbers_survive_the_command_line(value: float) -> None:
    found = typed(type(value).__name__)
    assert same(bind(found, {"x": str(value)})["x"], value)


@given(text=st.text(), kind=st.sampled_from(["int", "float", "bool", "list[int]", "dict[str, int]", "int | None"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    found = typed(kind)
    try:
        value = bind(found, {"x": text})["x"]
    except ParameterError:
        return
    assert type(value).__name__ in kind.replace("None", "NoneType")


def test_reading_deeply_nested_text_is_refused_not_fatal() -> None:
    found = typed("list")
    with pytest.raises(ParameterError):
        bind(found, {"x": "[" * (10 * sys.getrecursionlimit())})
