"""A comment is no edit; whatever may do something else is."""

import pytest

from cellops.capture.dataflow.meaning import mean_the_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1  # the first"),
        ("x = 1\ny = 2", "# both\nx=1\n\ny = (2)\n"),
        ("x = [1, 2]", "x = [\n    1,\n    2,\n]"),
        ("x = 'a'", 'x = "a"'),
        ("%%mlops run --name a\nx = 1", "%%mlops run --name a\n# here\nx = 1"),
        ("%%time\nx = 1", "%%time\nx = 1  # timed"),
        ("%matplotlib inline\nx = 1", "%matplotlib inline\nx = 1  # drawn"),
        ("if x:\n    !ls\n    y = 1", "if x:\n    !ls\n    y = 1  # listed"),
        ("await f()", "await f()  # waits"),
        ("x = (", "x = ("),
        ("x = (1\n  % 2)", "x = (1 % 2)  # odd"),
    ],
)
def test_layout_and_comments_mean_nothing(one: str, other: str) -> None:
    assert mean_the_same(one, other)
    assert mean_the_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("def f():\n    'a'", "def f():\n    'b'"),
        ("def f():\n    'a'\n    return 1", "def f():\n    return 1"),
        ("%%mlops run --name a\nx = 1", "%%mlops run --name b\nx = 1"),
        ("%%mlops run\nx = 1", "x = 1"),
        ("%%writefile a.py\nx = 1", "%%writefile a.py\nx = 1  # kept"),
        ("%%bash\necho a", "%%bash\necho a # b"),
        ("!ls", "!ls -l"),
        ("!ls\nx = 1", "x = 1"),
        ("%time x = 1", "%time x = 2"),
        ("'%time x'", "%time x"),
        ("x = (", "x = (  # open"),
        ("f?", "f??"),
        ("x = 'a # b'", "x = 'a # c'"),
        ("x: int = 1", "x: float = 1"),
    ],
)
def test_other_code_means_something_else(one: str, other: str) -> None:
    assert not mean_the_same(one, other)
    assert not mean_the_same(other, one)


def test_what_is_nested_too_deep_is_compared_as_a_text() -> None:
    deep = f"x = {'(' * 5000}1{')' * 5000}"
    assert mean_the_same(deep, f"{deep}\n")
    assert not mean_the_same(deep, f"{deep}  # deep")
