"""What is shown where a value does not fit: a text that does, for every type."""

import nbformat
import pytest

from cellops.errors import ParameterError
from cellops.pipeline.parameters.binding import bind
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.examples import example

IMPORTS = """from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Optional, Union
from annotated_types import Ge, Len
class Color(Enum):
    RED = 1
    GREEN = 2
"""


def declared_by(body: str) -> Declared:
    cell = nbformat.v4.new_code_cell(f"%%mlops parameters\n{IMPORTS}{body}")
    return declared(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize(
    ("declaration", "given", "shown"),
    [
        ("x: int", "many", "7"),
        ("x: int = 3", "many", "3"),
        ("x: float = float('inf')", "y", "Infinity"),
        ("x: bool", "maybe", "true"),
        ("x: date", "tomorrow", "2026-01-31"),
        ("x: datetime = datetime(2026, 1, 2, 3)", "now", "2026-01-02T03:00:00"),
        ("x: Color", "blue", "RED"),
        ("x: Color = Color.GREEN", "blue", "GREEN"),
        ("x: Literal['fast', 'slow']", "fats", "fast"),
        ("x: Literal[1, 2]", "3", "1"),
        ("x: Optional[int]", "many", "7"),
        ("x: Union[None, float]", "many", "0.5"),
        ("x: list[str]", "age, fare", '["age", "fare"]'),
        ("x: list[int]", "1;2", "[7]"),
        ("x: list[int]", "5", "[5]"),
        ("x: set[str] = {'a'}", "", '[""]'),
        ("x: list[date]", "2026-01-31", '["2026-01-31"]'),
        ("x: list[Path] | None", "a,b", '["a", "b"]'),
        ("x: tuple[int, str]", "1", '[7, "text"]'),
        ("x: dict[str, list[int]]", "a", '{"text": [7]}'),
        ("x: dict[int, str] = {1: 'a'}", "a", "{1: 'a'}"),
        ("x: Annotated[int, Ge(10)] = 12", "3", "12"),
        ("x: Annotated[list[str], Len(1, 2)]", "a,b", '["a", "b"]'),
    ],
)
def test_a_text_that_fits_is_shown(declaration: str, given: str, shown: str) -> None:
    found = declared_by(declaration)
    (parameter,) = found.parameters
    assert example(parameter, given) == shown
    assert bind(found, {"x": shown}).keys() == {"x"}


@pytest.mark.parametrize(
    "declaration", ["x: Secret", "x: Annotated[int, Ge(10)]", "x: object", "x: list[int] = [int(1)]\ntoken = 1"]
)
def test_no_text_is_shown_that_is_not_known_to_fit(declaration: str) -> None:
    parameter = declared_by(declaration).parameters[0]
    assert example(parameter, "[" * 100_000) in (None, "[7]")


def test_a_default_that_may_be_a_secret_is_not_shown() -> None:
    found = declared_by("password: int = 48151623")
    assert example(found.parameters[0], "x") == "7"


@pytest.mark.parametrize(("name", "given"), [("password", "48151623"), ("seed", "ghp_" + "a1B2" * 9)])
def test_an_error_repeats_no_secret(name: str, given: str) -> None:
    with pytest.raises(ParameterError, match=f"{name}: bool is expected") as caught:
        bind(declared_by(f"{name}: bool = True"), {name: given})
    assert given not in " ".join(caught.value.lines())
