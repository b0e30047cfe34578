"""What may be searched: the grammar, and spaces held against the parameters of a notebook."""

import math

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import arange, linspace
from numpy.random import default_rng

from cellops.errors import ParameterError
from cellops.pipeline.parameters.declaration import declared
from cellops.pipeline.sweep.dimensions import Choices, Real, Whole
from cellops.pipeline.sweep.grammar import NoRangeError, Range, read_list, read_range
from cellops.pipeline.sweep.space import One, Space, read_space

CELL = """%%mlops parameters
from datetime import date
from enum import Enum
from typing import Annotated, Literal
from annotated_types import Ge, Lt
from cellops import Secret

class Loss(Enum):
    SQUARED = 1
    ABSOLUTE = 2

lr: Annotated[float, Ge(0), Lt(1)] = 0.1
rate: float = 1.0
depth: int = 3
kernel: str = "rbf"
solver: Literal["sgd", "adam"] = "adam"
loss: Loss = Loss.SQUARED
layers: list[int] = [10, 10]
shuffle: bool = True
limit: int | None = None
until: date = date(2026, 1, 31)
token: Secret | None = None
"""


def space(**given: object) -> Space:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    return read_space(declared(notebook), given)


def values(name: str, written: object) -> list[object]:
    found = space(**{name: written})
    found.refuse()
    (dimension,) = found.dimensions
    return [dimension.at(place) for place in range(dimension.size or 0)]


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("depth", "3..6", [3, 4, 5, 6]),
        ("depth", "3..10:3", [3, 6, 9]),
        ("depth", "-2..1", [-2, -1, 0, 1]),
        ("depth", "1,5", [1, 5]),
        ("depth", range(2, 9, 3), [2, 5, 8]),
        ("lr", "0:0.9:0.3", [0.0, 0.3, 0.6, 0.9]),
        ("lr", "0.1,1e-3", [0.1, 0.001]),
        ("kernel", "rbf, linear", ["rbf", "linear"]),
        ("kernel", '["a,b", "c"]', ["a,b", "c"]),
        ("kernel", ["rbf", "poly"], ["rbf", "poly"]),
        ("rate", linspace(0.5, 1.5, 3), [0.5, 1.0, 1.5]),
        ("depth", [*arange(3, 5)], [3, 4]),
        ("solver", "sgd,adam", ["sgd", "adam"]),
        ("shuffle", "true,no", [True, False]),
        ("limit", "none,10", [None, 10]),
        ("layers", "[[10], [10, 20]]", [[10], [10, 20]]),
        ("layers", [[1], [2, 3]], [[1], [2, 3]]),
    ],
)
def test_what_is_written_gives_these_values(name: str, written: object, expected: list[object]) -> None:
    assert values(name, written) == expected


def test_endless_ranges_draw_between_their_ends() -> None:
    found = space(lr="0.001:0.5:log", depth="1..1000:log")
    lr, depth = found.dimensions
    assert (lr.size, found.size) == (None, None)
    generator = default_rng(0)
    drawn = [lr.draw(generator) for _ in range(200)]
    assert all(0.001 <= value <= 0.5 for value in drawn)  # type: ignore[operator]
    assert sum(value < 0.0224 for value in drawn) in range(70, 130)  # type: ignore[operator]  # half below the middle
    whole = [depth.draw(generator) for _ in range(200)]
    assert all(type(value) is int and 1 <= value <= 1000 for value in whole)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("depth", "7"),
        ("kernel", "rbf"),
        ("layers", "[1, 2]"),
        ("layers", [1, 2]),
        ("until", "2026-01-31"),
        ("token", "env:TOKEN"),
        ("kernel", One("a,b")),
        ("kernel", '["3..10"]'),
        ("depth", arange(3, 5)[0]),
    ],
)
def test_one_value_is_fixed(name: str, written: object) -> None:
    found = space(**{name: written}, lr="0.1,0.2")
    assert (list(found.fixed), [d.name for d in found.dimensions]) == ([name], ["lr"])


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("depth", "10..3", "did you mean 3..10?"),
        ("depth", "3..3", "for one value give 3 alone"),
        ("depth", "0..5:log", "begins above 0"),
        ("depth", "3..10:0", "its step is to be above 0"),
        ("depth", "3..10:20", "longer than the range"),
        ("depth", "3..10:lgo", "write a whole number as the step, or log"),
        ("depth", "0.1:0.5", "whole numbers are written 0..1"),
        ("depth", "0.1..0.5", "between others write 0.1:0.5"),
        ("depth", "3,3", "3 is among the choices twice"),
        ("depth", "3,x", "int is expected, 'x' was received"),
        ("depth", "3,", "empty choice"),
        ("depth", [], "there is no choice"),
        ("depth", [3], "for one value give it alone"),
        ("depth", range(3, 3), "it is empty"),
        ("lr", "0.5:1", "1.0 is not < 1"),
        ("lr", "-1:0.5", "-1.0 is not >= 0"),
        ("lr", "1e999:2", "are to be finite"),
        ("depth", "3...", "int is expected, '3...' was received"),
        ("depth", "0..99999999999999999999", "not every whole number is told apart"),
        ("lr", "0:0.5:1e-30", "more values than can be told apart"),
        ("rate", "nan,1", "nan stands in no record"),
        ("rate", [1.0, math.inf], "inf stands in no record"),
        ("kernel", "a,b,", """if it is meant, write a list of JSON: ["a", "b", ""]"""),
        ("kernel", "3..10", """as a text: ["3..10"]"""),
        ("solver", "sgd,adma", "did you mean 'adam'?"),
        ("loss", "SQUARED,CUBIC", "CUBIC"),
        ("token", "abc,def", "it is a secret, which is not searched"),
        ("token", ["abc", "def"], "it is a secret, which is not searched"),
    ],
)
def test_what_contradicts_itself_or_the_parameter_is_refused(name: str, written: object, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        space(**{name: written}).refuse()
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        space(depth="10..3", lr="0.5:2", kernel="a,a").refuse()
    assert list(caught.value.data["problems"]) == ["depth", "lr", "kernel"]  # type: ignore[call-overload]
    with pytest.raises(ParameterError, match="Nothing is searched"):
        space(depth="3").refuse()


@pytest.mark.parametrize("written", ["rbf,linear", '["a,b", "c"]', '["1", "[2]"]', '[" x", ""]', '["3..10", "y"]'])
def test_what_is_told_of_choices_gives_them_back(written: str) -> None:
    first = values("kernel", written)
    (dimension,) = space(kernel=written).dimensions
    assert values("kernel", dimension.written) == first


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.text(alphabet='0123456789.:-+elog, []"x', max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_range(text)
    except NoRangeError:
        return
    if found is not None:
        assert found.low < found.high
        assert read_range(str(found)) == found
    assert read_list(text) is None or text.lstrip().startswith("[")


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_whole_numbers_keep_to_their_range_and_step(low: int, width: int, step: int, seed: int) -> None:
    held = read_range(f"{low}..{low + width}:{min(step, width)}")
    assert held is not None
    dimension = Whole("n", held)
    drawn = dimension.draw(default_rng(seed))
    assert low <= drawn <= low + width
    assert (drawn - low) % min(step, width) == 0
    assert dimension.at(dimension.size - 1) <= low + width < dimension.at(dimension.size)


@given(st.floats(1e-9, 1e9), st.floats(1.0001, 1e6), st.booleans(), st.integers(0, 2**32 - 1))
def test_numbers_keep_to_their_range(low: float, times: float, log: bool, seed: int) -> None:
    dimension = Real("x", Range(low, low * times, whole=False, log=log))
    drawn = dimension.draw(default_rng(seed))
    assert low <= drawn <= low * times
    assert math.isclose(dimension.rounded(drawn), drawn, rel_tol=1e-9)


def test_a_narrow_logarithmic_range_has_more_than_one_number() -> None:
    dimension = Real("x", Range(1e6, 1e6 + 1, whole=False, log=True))
    assert len({dimension.draw(default_rng(seed)) for seed in range(20)}) == 20


@given(st.lists(st.text(max_size=8), min_size=2, max_size=5, unique=True))
def test_choices_are_restored_from_records(texts: list[str]) -> None:
    dimension = Choices("k", tuple(texts), "")
    assert [dimension.restored(text) for text in texts] == texts
