"""Paths, dates, choices, Enums and ranges: read from the notebook's source, checked, and written back as source."""

# ruff: noqa: DTZ001 - notebooks have dates without zones too

import ast
import enum
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.secrets import Secret
from cellops.errors import ParameterError
from cellops.pipeline.parameters.binding import bind
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.injection import assignments
from cellops.pipeline.parameters.kinds import Member
from cellops.pipeline.parameters.literals import value, written
from cellops.pipeline.parameters.names import Names
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.parameters.showing import descriptions

IMPORTS = """
import datetime as dt
import annotated_types
import msgspec
from annotated_types import Ge, Gt, Interval, Len, Lt, MaxLen, MinLen, MultipleOf, Predicate
from datetime import date, datetime
from enum import Enum, auto
from pathlib import Path
from pydantic import Field
from typing import Annotated, Literal, Optional
"""
COLOR = """
class Base(str, Enum):
    pass

class Color(Base):
    RED = "r"
    GREEN: str = "g"
    _ignore_ = ["x"]
    def shown(self): return self.value
"""


def declared_by(body: str, *above: str, folder: Path | None = None) -> Declared:
    """The parameters of a notebook whose last cell is the parameters cell."""
    sources = [IMPORTS, *above, f"%%mlops parameters\n{body}"]
    return declared(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources]), folder)


def executed(found: Declared, body: str, given: dict[str, object], *above: str) -> dict[str, object]:
    """The names of the kernel behind the injected cell."""
    namespace: dict[str, object] = {}
    source = assignments(bind(found, given), found.names, with_header=False)
    for cell in (IMPORTS, *above, body, source):
        exec(cell, namespace)
    return namespace


@pytest.mark.parametrize(
    ("declaration", "text", "expected"),
    [
        ("x: Path = Path('a')", "data/raw ü'", Path("data/raw ü'")),
        ("x = Path('a') / 'b'", "c", Path("c")),
        ("x: list[Path] = []", '["a", "b"]', [Path("a"), Path("b")]),
        ("x: Path | None = None", "null", None),
        ("x: date = date(2024, 1, 1)", "2024-02-29", date(2024, 2, 29)),
        ("x = dt.date(2024, 1, 1)", "2024-02-29", date(2024, 2, 29)),
        ("x: dt.datetime", "2024-02-29", datetime(2024, 2, 29)),
        ("x: datetime", "2024-02-29T10:11:12.5+01:00", datetime.fromisoformat("2024-02-29T10:11:12.500000+01:00")),
        ("x: dict[str, date] = {}", '{"a": "2024-02-29"}', {"a": date(2024, 2, 29)}),
        ("x: Literal['a', 1, None, True] = 'a'", "1", 1),
        ("x: Literal['a', 1, None, True] = 'a'", "True", True),
        ("x: Literal['a', 1, None, True] = 'a'", "none", None),
        ("x: Literal['1', 2] = 2", "1", "1"),
        ("x: Annotated[float, Ge(0), Lt(1)] = 0.5", "0", 0.0),
        ("x: Annotated[int | None, Gt(0)] = None", "None", None),
        ("x: Annotated[int, Interval(ge=1, lt=5)] = 1", "4", 4),
        ("x: Annotated[float, MultipleOf(0.1)] = 0.1", "0.3", 0.3),
        ("x: Annotated[str, msgspec.Meta(pattern='^[a-z]+$', min_length=2)] = 'ab'", "xyz", "xyz"),
        ("x: Annotated[date, Ge(date(2020, 1, 1))] = date(2020, 1, 1)", "2021-01-01", date(2021, 1, 1)),
        ("x: Annotated[int, 'a hint for readers', print] = 1", "2", 2),
        ("x: tuple[int, str] = (1, 'a')", "(2, 'b')", (2, "b")),
        ("x = (1, 2)", "[3]", (3,)),
        ("x: set[int] = set()", "[1, 1, 2]", {1, 2}),
        ("x: bool = True", "off", False),
        ("x: int = None", "none", None),
    ],
)
def test_a_text_becomes_the_typed_value_in_the_kernel(declaration: str, text: str, expected: object) -> None:
    found = executed(declared_by(declaration), declaration, {"x": text})["x"]
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("declaration", "received", "said"),
    [
        ("x: Path", " ", "a path is expected, an empty text was received"),
        ("x: Path", 7, "Path is expected, 7 was received"),
        ("x: date", "2024-02-30", "a date such as 2026-01-31 is expected, '2024-02-30' was received"),
        ("x: date", datetime(2024, 1, 1), "date is expected"),
        ("x: Literal['adam', 'sgd'] = 'sgd'", "Adma", r"none of 'adam', 'sgd' \(did you mean 'adam'\?\)"),
        ("x: Literal[1, 2] = 1", "True", r"Literal\[1, 2\] is expected"),
        ("x: Color", "reed", r"'reed' is no member of Color, which has RED, GREEN \(did you mean RED\?\)"),
        ("x: dict[Literal['a'], int] = {}", '{"b": 1}', "'b' is none of 'a'"),
        ("x: Annotated[float, Ge(0), Lt(1)] = 0.5", "1", "1.0 is not < 1"),
        ("x: Annotated[float, Ge(0)] = 0.5", "nan", "nan is not >= 0"),
        ("x: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1", "9", "9 is not <= 3"),
        ("x: Annotated[int, Field(gt=0, multiple_of=2)] = 2", "-3", "-3 is not > 0 and is not multiple of 2"),
        ("x: Annotated[str, Field(pattern='^a')] = 'a'", "b", r"'b' does not match '\^a'"),
        ("x: Annotated[list[int], MinLen(2)] = [1, 2]", "[1]", r"\[1\] is not length >= 2"),
        ("x: Annotated[str, Len(1, 2)] = 'a'", "abc", "'abc' is not length <= 2"),
        ("x: Annotated[float, MultipleOf(0.1)] = 0.1", "1e308", "is not multiple of"),
        ("x: list[Annotated[int, Ge(0)]] = []", "[1, -1]", "-1 is not >= 0"),
        ("x: Literal['auto'] | Annotated[int, Gt(0)] = 1", "-5", "'-5' is none of 'auto'; -5 is not > 0"),
        ("x: Annotated[datetime, Ge(datetime(2020, 1, 1))]", "2021-01-01T00:00Z", "is not >= 2020-01-01"),
        ("x: Annotated[int, Ge(LIMIT)] = 1", "1", "its type int cannot be given from outside"),
        ("x: Annotated[int, annotated_types.Timezone(None)] = 1", "1", "cannot be given from outside"),
        ("x: Unknown = 1", "1", "its type Unknown cannot be given from outside"),
        ("x: list[Color] = 1", '["BLUE"]', "'BLUE' is no member of Color"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(declaration: str, received: object, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        bind(declared_by(declaration, COLOR), {"x": received})
    assert set(caught.value.data["problems"]) == {"x"}


def test_a_default_out_of_its_own_range_names_its_cell() -> None:
    found = declared_by("rate: Annotated[float, Lt(1)] = 1.5\nmode: Literal['a'] = 'b'\nday: date = 7\nn: int = 1")
    with pytest.raises(ParameterError) as caught:
        bind(found, {"n": "x"})
    assert caught.value.data["problems"] == {
        "rate": "its default 1.5 is not < 1: correct it in cell 2",
        "mode": "its default 'b' is none of 'a': correct it in cell 2",
        "day": "its default 7 is no date: correct it in cell 2",
        "n": "int is expected, 'x' was received",
    }


def test_an_enum_of_the_notebook_goes_by_the_names_of_its_members() -> None:
    body = f"{COLOR}\ncolor: Color = Color.RED\nothers: list[Color] = [Color.GREEN]"
    found = declared_by(body)
    assert found.defaults() == {"color": "RED", "others": ["GREEN"]}
    assert [p.choices for p in descriptions(found)] == [("one of RED, GREEN",), ("each one of RED, GREEN",)]
    names = executed(found, body, {"color": "Color.GREEN", "others": '["RED", "RED"]'})
    color = names["Color"]
    assert isinstance(color, type)
    assert names["color"] is color["GREEN"]  # type: ignore[index]
    assert names["others"] == [color["RED"], color["RED"]]  # type: ignore[index]


def test_an_enum_of_a_project_module_is_read_and_never_imported(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from .colors import Color as Colour\nraise SystemExit")
    (package / "colors.py").write_text(f"from enum import Enum, auto\n{COLOR}\nraise SystemExit")
    (package / "loop.py").write_text("from .loop import Color\n")
    for imported, kind in (
        ("from shop import Colour", "Colour"),
        ("from shop.colors import Color as C", "C"),
        ("import shop.colors", "shop.colors.Color"),
        ("from shop import colors as c", "c.Color"),
    ):
        found = declared_by(f"{imported}\nx: {kind} = {kind}.RED", folder=tmp_path)
        assert bind(found, {"x": "GREEN"}) == {"x": Member(kind, "GREEN")}
        assert assignments(bind(found, {"x": "GREEN"}), found.names, with_header=False) == f"x = {kind}.GREEN"
    with pytest.raises(ParameterError, match="its type Color cannot be given"):
        bind(declared_by("from shop.loop import Color\nx: Color", folder=tmp_path), {"x": "RED"})


def test_a_member_may_be_given_from_python() -> None:
    color = enum.Enum("Color", "RED GREEN")
    assert bind(declared_by("x: Color", COLOR), {"x": color.GREEN}) == {"x": Member("Color", "GREEN")}  # type: ignore[attr-defined]
    assert bind(declared_by("x: Path"), {"x": Path("a")}) == {"x": Path("a")}


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [
        ("date: dt.date = dt.date(2024, 1, 1)\nother: 'dt.date | None' = None", "2024-02-29", date(2024, 2, 29)),
        (
            "from datetime import date\ndate: date = date(2024, 1, 1)\nother: 'dt.date | None' = None",
            "2024-02-29",
            None,
        ),
    ],
)
def test_a_parameter_with_the_name_of_its_class_does_not_hide_it(body: str, given: str, expected: object) -> None:
    names = executed(declared_by(body), body, {"date": given, "other": given})
    assert names["date"] == names["other"] == date(2024, 2, 29)


def test_a_class_that_the_notebook_does_not_import_is_named_all_the_same() -> None:
    source = '%%mlops parameters\nx: "Path"\nwhen: "datetime | None" = None'
    found = declared(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))
    written_out = assignments(bind(found, {"x": "a", "when": "2024-01-01"}), found.names, with_header=False)
    namespace: dict[str, object] = {}
    exec(written_out, namespace)
    assert (namespace["x"], namespace["when"]) == (Path("a"), datetime(2024, 1, 1))


def test_a_value_for_records_is_text_that_can_be_written_and_a_secret_stays_one() -> None:
    assert plain([Path("a\udcff"), "\udc80", {1: Member("Color", "RED")}]) == ["a\\udcff", "\\udc80", {1: "RED"}]
    assert type(plain(Secret("correct horse"))) is Secret


def test_a_type_may_have_a_name_in_the_notebook() -> None:
    found = declared_by(
        "Rate = Annotated[float, Lt(1)]\nOwn = Own | None\nx: Rate = 0.5\ny: list[Rate] = []\nz: Own = 1"
    )
    assert [p.name for p in found.parameters] == ["Own", "x", "y", "z"]
    with pytest.raises(ParameterError) as caught:
        bind(found, {"x": "2", "y": "[3]", "z": "1"})
    problems = caught.value.data["problems"]
    assert (problems["x"], problems["y"]) == ("2.0 is not < 1", "3.0 is not < 1")
    assert "its type Own cannot be given" in problems["z"]


def test_a_class_of_another_library_with_a_known_name_is_another_class() -> None:
    with pytest.raises(ParameterError, match="its type Path cannot be given"):
        bind(declared_by("from elsewhere import Path\nx: Path"), {"x": "a"})


def test_what_a_parameter_is_for_is_its_comment_or_its_description() -> None:
    found = declared_by(
        "a: Annotated[int, Ge(1), msgspec.Meta(description='trees')] = 4\n"
        "b: Annotated[int, 'depth', Lt(9)] = 4  # of a tree\n"
        "c: Literal['x', 'y'] = 'x'\n"
        "password: str = 'hunter2 hunter2'\n"
        "d = len('abc')"
    )
    said = {p.name: (p.kind, p.default, p.choices, p.help) for p in descriptions(found)}
    assert said == {
        "a": ("int", "4", (">= 1",), "trees"),
        "b": ("int", "4", ("< 9",), "of a tree"),
        "c": ("Literal['x', 'y']", "'x'", (), ""),
        "password": ("str", "[redacted]", (), ""),
        "d": (None, "len('abc')", (), ""),
    }


dates = st.dates()
moments = st.datetimes(timezones=st.none() | st.integers(-23, 23).map(lambda h: timezone(timedelta(hours=h))))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    dates,
    moments,
    st.text(st.characters(exclude_characters="\0"), min_size=1).map(Path),
)
hashable = st.one_of(st.booleans(), st.integers(), st.text(), dates)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashable, max_size=4)
        | st.dictionaries(hashable, inner, max_size=4)
    ),
    max_leaves=10,
)


@given(given=values)
def test_written_source_is_one_line_that_gives_the_value_back(given: object) -> None:
    names = declared_by("").names
    source = written(given, names)
    namespace: dict[str, object] = {}
    exec(IMPORTS, namespace)
    back = eval(source, namespace)
    assert (back, type(back)) == (given, type(given))
    assert len(source.splitlines()) == 1
    assert value(ast.parse(source, mode="eval").body, names) == given


@given(source=st.text())
def test_any_source_is_a_default_or_is_left_to_the_kernel(source: str) -> None:
    try:
        node = ast.parse(source, mode="eval").body
        found = value(node, Names())
    except (SyntaxError, ValueError):
        return
    assert found == eval(ast.unparse(node), {})


@given(day=dates, moment=moments)
def test_dates_survive_the_command_line(day: date, moment: datetime) -> None:
    found = declared_by("day: date\nmoment: datetime")
    assert bind(found, {"day": str(day), "moment": str(moment)}) == {"day": day, "moment": moment}
    assert bind(found, {"day": day.isoformat(), "moment": moment}) == {"day": day, "moment": moment}
