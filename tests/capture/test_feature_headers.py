"""The header of features: it goes, and a last line gives the functions of the cell their name."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture import header

BODY = "def speed(miles, hours):\n    return miles / hours\n\ndef _helper(row):\n    return 1\n"
LINE = "from cellops import features as {0}; {0} = {0}({1}name='{0}')\n"


def stripped(source: str) -> str:
    return "".join(header.strip(source.splitlines(keepends=True), lambda *_: True))


def test_the_lines_keep_their_places() -> None:
    made = stripped(f"%%mlops features trips\n{BODY}")
    assert made == f"# %%mlops features trips\n{BODY}" + LINE.format("trips", "speed, ")


@pytest.mark.parametrize("head", ["%%mlops features", "%%mlops features   # of New York", "\n\n%%mlops features"])
def test_without_a_name_they_are_called_features(head: str) -> None:
    assert stripped(f"{head}\n{BODY}").endswith(LINE.format("features", "speed, "))


def test_the_last_line_needs_no_line_end() -> None:
    made = stripped("%%mlops features f\ndef a(row): return 1")
    assert made.endswith("def a(row): return 1\n" + LINE.format("f", "a, "))
    assert stripped("%%mlops features f\n") == "# %%mlops features f\n" + LINE.format("f", "")


def test_a_step_stands_above_them() -> None:
    made = stripped(f"%%mlops step make\n%%mlops features trips\n{BODY}")
    assert made.endswith(f"# %%mlops features trips\n{BODY}" + LINE.format("trips", "speed, "))
    assert header.step(f"%%mlops step make\n%%mlops features trips\n{BODY}") is not None


def test_magics_of_ipython_may_stand_between_the_functions() -> None:
    body = f"%matplotlib inline\n{BODY}!ls\nasync def later(row): ...\n"
    assert header.functions(body) == ["speed", "later"]
    assert header.functions("text = '''\ndef inside(row): ...\n'''\n") == []


@given(st.text(alphabet="ab_=:() \n'#%", max_size=60))
def test_the_body_that_is_analysed_is_the_one_that_is_executed(body: str) -> None:
    source = f"%%mlops features trips\n{body}"
    analysed = header.python_body(source)
    if analysed:
        assert stripped(source).endswith(analysed)
        assert ast.parse(analysed.splitlines()[-1])
