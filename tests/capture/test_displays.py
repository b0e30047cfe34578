"""What a cell displays: told from finished messages, without what is new each time, without secrets, within bounds."""

from typing import Any

import pytest

from cellops.capture.displays import LARGEST, LONGEST, MOST_OUTPUTS, Displayed, markup, normal, visible
from cellops.records.output import OutputSeen
from support.kernel import Kernel


def seen(loaded: Kernel, source: str) -> list[OutputSeen]:
    assert loaded.run(source).status == "ok"
    return list(loaded.cells()[-1].outputs or ())


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("x = 1", []),
        ("print('a'); 1 + 1", ["stdout: a\n", "result: 2"]),
        ("1 + 1;", []),
        ("from IPython.display import display\ndisplay(1, 'b')", ["display: 1", "display: 'b'"]),
        ("object()", ["result: <object at (address)>"]),
        ("{'b', 'a'}", ["result: {'a', 'b'}"]),
        ("import pandas as pd\npd.DataFrame({'a': [1.5]})", ["result: a 0 1.5"]),
        ("for n in range(3): print(f'{n}%', end='\\r')", ["stdout: 2%\r"]),
        (
            "from IPython.display import *\nfor n in '12':\n    clear_output()\n    print(n); display(n)",
            ["stdout: 2\n", "display: '2'"],
        ),
        (
            "from IPython.display import display\nplace = display(1, display_id=True)\nplace.update(2)",
            ["display: 2"],
        ),
        ("get_ipython().run_cell('print(1); 2'); 3", ["stdout: 1\n", "result: 2", "result: 3"]),
        ("import sys\n_ = sys.stderr.write('complaint')", []),
        ("token = 'correct-horse-battery-1'\nprint(token)", ["stdout: [redacted]\n"]),
    ],
)
def test_what_a_cell_shows_is_on_its_record(loaded: Kernel, source: str, shown: list[str]) -> None:
    assert [f"{one.origin}: {one.text}" for one in seen(loaded, source)] == shown


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("from IPython.display import HTML\nHTML('<script>draw()</script>')", "its HTML has no text"),
        (f"print('a' * {LARGEST + 1})", f"only its first {LARGEST:,} characters were read"),
        (f"from IPython.display import HTML\nHTML('a' * {LARGEST + 1})", "it is too large to be read in passing"),
        (
            "from IPython.display import display\ndisplay({'application/x-own': 'a'}, raw=True)",
            "this kind of display cannot be read",
        ),
        (
            "import threading\nt = threading.Thread(target=lambda: print('a')); t.start(); t.join()",
            "other threads printed as well",
        ),
    ],
)
def test_what_cannot_be_read_is_said(loaded: Kernel, source: str, reason: str) -> None:
    (one,) = seen(loaded, source)
    assert one.reason == reason
    assert len(one.text) <= LONGEST


def test_a_picture_is_told_by_its_pixels_where_no_run_keeps_it(loaded: Kernel) -> None:
    draw = "%matplotlib inline\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, {}])"
    first, same, other = (seen(loaded, draw.format(height)) for height in (2, 2, 3))
    assert [one.kind for one in first] == ["image/png"]
    assert first == same
    assert first != other
    assert seen(loaded, f"%%mlops run\n{draw.format(2)}") == []


def message(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"msg_type": "display_data", "content": {"data": data, **more}}


def test_of_many_displays_the_first_ones_are_read() -> None:
    displayed = Displayed(in_run=False)
    for number in range(MOST_OUTPUTS + 5):
        displayed.note(message({"text/plain": str(number)}))
    *read, left = displayed.read()
    assert [one.text for one in read] == list(map(str, range(MOST_OUTPUTS)))
    assert left.reason == f"of one cell {MOST_OUTPUTS} displays are read, and it showed 5 more"


def test_a_specification_is_read_as_it_stood_when_it_was_shown() -> None:
    displayed = Displayed(in_run=False)
    held = {"value": 1}
    displayed.note(message({"application/json": held, "text/plain": ""}))
    held["value"] = 2
    assert [one.text for one in displayed.read()] == ['{"value":1}']


def test_a_widget_says_nothing() -> None:
    displayed = Displayed(in_run=False)
    displayed.note(message({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "Slider()"}))
    assert [one.reason for one in displayed.read()] == ["this kind of display cannot be read"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<A at 0x7f00aa00bb00>", "<A at 0x7f11aa11bb11>", True),
        ("0x7f00aa00bb00", "0x7f11aa11bb11", False),
        ("\x1b[31mred\x1b[0m", "red", True),
        ("10%\r100%", "50%\r100%", True),
        ("10%\r\nend", "50%\r\nend", False),
        ("{'b', 'a'}", "{'a', 'b'}", True),
        ("{'b', 'a'} {'c', 'a'}", "{'a', 'b'} {'a', 'c'}", True),
        ("""{"it's", b'a, b'}""", """{b'a, b', "it's"}""", True),
        (r"{'\'', '\\', 'a'}", r"{'\\', 'a', '\''}", True),
        ("{'a, b', 'c'}", "{'a', 'b, c'}", False),
        ("{2.5, 1.5}", "{1.5, 2.5}", False),
        ('{"b","a"}', '{"a","b"}', False),
        ('{"b", "a"}', '{"a", "b"}', False),
        (r"\frac{b, a}", r"\frac{a, b}", False),
        ("{'b': 1, 'a': 2}", "{'a': 2, 'b': 1}", False),
        ("['b', 'a']", "['a', 'b']", False),
    ],
)
def test_only_what_says_nothing_is_left_out(one: str, other: str, *, same: bool) -> None:
    assert (normal(one) == normal(other)) is same


def test_of_html_the_text_is_read() -> None:
    shown = "<style>.a{x:1}</style><p id='T_1'>a &lt; b</p><!-- c --><td>1.5</td><script>2</script>"
    assert visible(shown) == "a < b 1.5"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("\r" * 400_000, 400_000),
        ("x\r" * 200_000, 2),
        ("x" * 400_000, 400_000),
        ("{x" * 200_000, 400_000),
        ("{'a', " * 100_000, 600_000),
        ("{" + "'{', " * 100_000, 500_001),
        ("{" + r"'\'', " * 100_000, 600_001),
    ],
    ids=["returns", "overwritten", "long", "braces", "sets", "quoted", "escaped"],
)
def test_one_long_line_is_read_once(line: str, left: int) -> None:
    """Read again from each of its characters, the first of them takes half an hour."""
    assert len(normal(line)) == left


@pytest.mark.timeout(60)
@pytest.mark.parametrize("begun", ["<a ", "<style ", "<script>", "<!--", "</"])
def test_html_that_does_not_end_swallows_the_rest(begun: str) -> None:
    assert visible("<p>score 0.5</p>" + begun * 100_000) == "score 0.5"


STYLED = "<style>#T_{0} {{color: {1}}}</style><table id='T_{0}'><td>1</td></table>"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<b>0.5</b>", "<b>0.25</b>", True),
        (STYLED.format("1a2b3", "red"), STYLED.format("4c5d6", "red"), True),
        (STYLED.format("1a2b3", "red"), STYLED.format("1a2b3", "blue"), False),
        ("<b>x</b><svg><path d='M0 1'/></svg>", "<b>x</b><svg><path d='M0 2'/></svg>", False),
        ("x<img src='data:image/png;base64,AAAA'>", "x<img src='data:image/png;base64,AAAB'>", False),
        ("x<script>draw(1)</script>", "x<script>draw(2)</script>", False),
        ("<p id='1b4e28ba-2fa1-11d2-883f-0016d3cca427'>", "<p id='6fa459ea-ee8a-3ca4-894e-db77e160355e'>", True),
        ("<a title='\ud800'>", "<a title='x'>", False),
    ],
)
def test_of_html_all_but_the_text_is_told_by_a_digest(one: str, other: str, *, same: bool) -> None:
    assert markup(one) is not None
    assert (markup(one) == markup(other)) is same


def test_the_styles_of_a_table_are_told(loaded: Kernel) -> None:
    styled = "import pandas as pd\npd.DataFrame({{'a': [1]}}).style.set_properties(**{{'color': '{}'}})"
    first, same, other = (seen(loaded, styled.format(colour)) for colour in ("red", "red", "blue"))
    assert first == same
    assert [one.digest for one in first] == [one.digest for one in other]
    assert [one.markup for one in first] != [one.markup for one in other]


def test_a_reference_to_no_character_is_read() -> None:
    assert visible(f"<p>&#49;&#{'9' * 5_000};</p>") == "1\ufffd"
