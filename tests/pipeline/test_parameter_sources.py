"""Values from the command line, files and the environment, and which of them comes first."""

# ruff: noqa: DTZ001 - notebooks have dates without zones too

import json
from datetime import date, datetime
from pathlib import Path

import nbformat
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.errors import ParameterError
from cellops.pipeline.parameters.binding import bind
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.files import read_values
from cellops.pipeline.parameters.showing import bound_parameters
from cellops.pipeline.parameters.sources import gather

CELL = """%%mlops parameters
from datetime import date
depth: int = 4
rate: float = 0.1
country: str = "de"
day: date = date(2024, 1, 1)
verbose: bool = False
weights: dict[str, float] = {}
limit: int | None = None
"""
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=6,
)


@pytest.fixture
def notebook() -> Declared:
    return declared(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)]))


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_line_comes_before_the_file_and_that_before_the_environment(
    notebook: Declared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DEPTH", "RATE", "COUNTRY", "LIMITS"):
        monkeypatch.setenv(f"CELLOPS_PARAM_{name}", "1")
    monkeypatch.setenv("CELLOPS_PARAM_VERBOSE", "")
    found = gather(notebook, {"depth": "3"}, file(tmp_path, "p.json", '{"depth": 2, "rate": 2}'))
    bound = bind(notebook, found)
    assert bound == {"depth": 3, "rate": 2.0, "country": "1"}
    told = bound_parameters(notebook, found, bound)
    assert [(one.name, one.written, one.place) for one in told.parameters] == [
        ("depth", "3", "-p"),
        ("rate", "2.0", "p.json"),
        ("country", "'1'", "CELLOPS_PARAM_COUNTRY"),
        ("day", "date(2024, 1, 1)", "default"),
        ("verbose", "False", "default"),
        ("weights", "{}", "default"),
        ("limit", "None", "default"),
    ]
    assert told.unused == {"CELLOPS_PARAM_LIMITS": " (did you mean limit?)"}


def test_two_parameters_that_differ_in_case_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = nbformat.v4.new_code_cell("%%mlops parameters\nn = 1\nN = 2")
    found = declared(nbformat.v4.new_notebook(cells=[cell]))
    monkeypatch.setenv("CELLOPS_PARAM_n", "3")
    monkeypatch.setenv("CELLOPS_PARAM_N", "4")
    assert bind(found, gather(found, {})) == {"n": 3, "N": 4}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "depth: 5\nrate: 1e-3\ncountry: no\nday: 2024-02-29\nverbose: on\nweights: {a: 1}\nlimit: ~\n"),
        (
            "p.yml",
            (
                "# a comment\ndepth: 0x5\nrate: .001\ncountry: 'no'\nday: '2024-02-29'\nverbose: true\n"
                "weights:\n  a: 1.0\nlimit: null\n"
            ),
        ),
        (
            "p.toml",
            (
                'depth = 5\nrate = 1e-3\ncountry = "no"\nday = 2024-02-29\nverbose = true\nlimit = "null"\n'
                "[weights]\na = 1\n"
            ),
        ),
        (
            "P.JSON",
            (
                '\ufeff{"depth": "5", "rate": 0.001, "country": "no", "day": "2024-02-29", "verbose": true, '
                '"weights": {"a": 1}, "limit": null}'
            ),
        ),
    ],
)
def test_each_format_gives_the_same_values(notebook: Declared, tmp_path: Path, name: str, text: str) -> None:
    assert bind(notebook, gather(notebook, {}, file(tmp_path, name, text))) == {
        "depth": 5,
        "rate": 0.001,
        "country": "no",
        "day": date(2024, 2, 29),
        "verbose": True,
        "weights": {"a": 1.0},
        "limit": None,
    }


def test_yaml_is_read_as_its_newer_version_says(tmp_path: Path) -> None:
    text = "a: 012\nb: 1:30\nc: 1_000\nd: yes\ne: 2024-01-01 10:00\nf: 0o17\ng: .inf\nh: =\ni: {<<: {x: 1}, y: 2}\nj:\n"
    assert read_values(file(tmp_path, "p.yaml", text)) == {
        "a": 12,
        "b": "1:30",
        "c": "1_000",
        "d": "yes",
        "e": "2024-01-01 10:00",
        "f": 15,
        "g": float("inf"),
        "h": "=",
        "i": {"x": 1, "y": 2},
        "j": None,
    }


@pytest.mark.parametrize("name", ["p.yaml", "p.yml", "p.json", "p.toml"])
def test_an_empty_file_has_no_parameters(tmp_path: Path, name: str) -> None:
    assert read_values(file(tmp_path, name, " \n")) == {}


LAUGHS = "a0: &a0 [1, 1]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.yaml", "- 1\n", "holds no names with values"),
        ("p.yaml", "a: 1\na: 2\n", "a stands in it twice"),
        ("p.yaml", "a: &x [*x]\n", "cannot be read"),
        ("p.yaml", "? [1]\n: 2\n", "cannot be read"),
        ("p.yaml", "a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("p.yaml", "a: 1\n---\nb: 2\n", "expected a single document"),
        ("p.yaml", "seed:\t1\n\tb: 2\n", r"cannot start any token \(line 1, column 6\)"),
        ("p.yaml", LAUGHS, "its aliases stand for more than 1,000,000 values"),
        ("p.yaml", "1: 2\n", "holds no names with values"),
        ("p.json", '{"a": 1, "a": 2}', "a stands in it twice"),
        ("p.json", "[" * 100_000, "cannot be read"),
        ("p.json", '"text"', "holds no names with values"),
        ("p.toml", "a = 1\na = 2\n", "Cannot overwrite a value"),
        ("p.ini", "a = 1", "is no YAML, JSON or TOML file by its name"),
    ],
)
def test_a_file_that_cannot_be_taken_is_one_error(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read_values(file(tmp_path, name, text))


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="it is no text in UTF-8"):
        read_values(tmp_path / "p.yaml")
    with pytest.raises(ParameterError, match="is not there"):
        read_values(tmp_path / "q.yaml")


def test_a_file_with_wrong_names_and_types_tells_them_all_with_its_name(notebook: Declared, tmp_path: Path) -> None:
    text = "model:\n  dpth: 5\n  other: 1\nrat: 1\ncountry: 49\nday: 7\nweights: {a: x}\n"
    with pytest.raises(ParameterError) as caught:
        bind(notebook, gather(notebook, {"depth": "x"}, file(tmp_path, "p.yaml", text)))
    assert caught.value.data["problems"] == {
        "model": "there is no such parameter (p.yaml)",
        "model.dpth": "parameters stand at the top of the file (did you mean depth?) (p.yaml)",
        "rat": "there is no such parameter (did you mean rate?) (p.yaml)",
        "depth": "int is expected, 'x' was received",
        "country": "str is expected, 49 was received (p.yaml)",
        "day": "date is expected, 7 was received (p.yaml)",
        "weights": "dict[str, float] is expected, {'a': 'x'} was received (p.yaml)",
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.text(st.characters(codec="ascii")), plain))
def test_what_is_written_as_json_and_yaml_comes_back(tmp_path: Path, values: dict[str, object]) -> None:
    assert read_values(file(tmp_path, "p.json", json.dumps(values))) == values
    assert read_values(file(tmp_path, "p.yaml", yaml.safe_dump(values, default_style='"'))) == values


def test_a_time_of_toml_is_no_date(notebook: Declared, tmp_path: Path) -> None:
    assert read_values(file(tmp_path, "p.toml", "d = 2024-01-01T00:00:00")) == {"d": datetime(2024, 1, 1)}
    with pytest.raises(ParameterError, match="day: date is expected"):
        bind(notebook, gather(notebook, {}, file(tmp_path, "p.toml", "day = 10:00:00")))
