"""A gate is read whole or refused with its place; nothing in it is executed, and no text holds the reader up."""

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import UsageError
from cellops.pipeline.gates.grammar import Gate
from cellops.pipeline.gates.reading import LONGEST

NAMES = st.from_regex(r"[a-z_]{1,6}(\.[a-z]{1,3})?", fullmatch=True).filter(
    lambda name: all(part.isidentifier() and not _is_keyword(part) for part in name.split(".")) and name != "champion"
)
NUMBERS = st.floats(0, 1e6, allow_nan=False).map(repr)


def _is_keyword(name: str) -> bool:
    try:
        return not isinstance(ast.parse(name, mode="eval").body, ast.Name)
    except SyntaxError:
        return True


ARITHMETIC = st.recursive(
    st.one_of(NAMES, NUMBERS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"-{part}"),
    ),
    max_leaves=6,
)


@given(left=ARITHMETIC, sign=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), right=ARITHMETIC, metric=NAMES)
def test_arithmetic_comes_out_as_python_computes_it(left: str, sign: str, right: str, metric: str) -> None:
    text = f"{metric} {sign} {left} {sign} {right}"
    if len(text) > LONGEST:
        return
    gate = Gate(text)
    figures = {name: float(place) + 0.5 for place, name in enumerate(gate.names)}
    plain = text
    for name in sorted(figures, key=len, reverse=True):
        plain = plain.replace(name, f"({figures[name]})") if "." in name else plain
    namespace = {name: value for name, value in figures.items() if "." not in name}
    try:
        expected = eval(plain, {"__builtins__": {}}, namespace)
    except (ZeroDivisionError, SyntaxError, NameError, AttributeError, TypeError):
        return
    pairs = gate.judge(figures)
    if all(math.isfinite(side) for pair in pairs for side in (pair.left, pair.right)):
        assert all(pair.holds for pair in pairs) == expected


def read(text: str) -> Gate | UsageError:
    """The gate, or the error that refuses it."""
    try:
        return Gate(text)
    except UsageError as error:
        return error


@given(st.text(max_size=400))
def test_any_text_is_a_gate_or_is_refused(text: str) -> None:
    gate = read(text)
    if isinstance(gate, UsageError):
        position = gate.data["position"]
        assert isinstance(position, int)
        assert 1 <= position <= len(text) + 1
    else:
        assert gate.judge(dict.fromkeys([*gate.names, "champion"], 1.0))


ALLOWED = (
    "auc",
    "champion",
    "0.5",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "<",
    ">=",
    "min_group",
    ",",
    "recall",
    ".",
    "'x'",
    " ",
)


@given(st.lists(st.sampled_from([*ALLOWED, "lambda:", "[", "]", "**", ":=", "if", "open", "f'{1}'", "\\", "#"])))
def test_any_mixture_of_its_words_is_a_gate_or_is_refused(words: list[str]) -> None:
    gate = read("".join(words))
    if isinstance(gate, UsageError):
        return
    tree = ast.parse("".join(words), mode="eval")
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert {func.id for func in calls if isinstance(func, ast.Name)} <= {"min_group"}
    assert gate.judge(dict.fromkeys([*gate.names, "champion"], 1.0))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "-" * 10_000 + "auc > 1",
        "auc > " + "9" * 10_000,
        "auc" + " + auc" * 5000 + " > 1",
        "a." * 140 + "b>1",
    ],
)
def test_a_text_that_goes_on_and_on_is_refused_or_read(text: str) -> None:
    found = read(text)
    assert found.names if isinstance(found, Gate) else len(str(found)) < 1000


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("auc >== 0.7", 7, "cannot be read"),
        ("auc", 1, "compares nothing"),
        ("auc is 0.7", 1, "other signs"),
        ("0.7 <= open('x')", 8, "there is no function open"),
        ("auc >= __import__('os').system('true')", 8, "there is no function"),
        ("auc >= x[0]", 8, "neither a number, a metric nor arithmetic"),
        ("auc >= 2 ** 99", 8, "neither a number, a metric nor arithmetic"),
        ("auc >= True", 8, "True is no number"),
        ("auc >= 1e999", 8, "too large"),
        ("mn_group(recall, carrier) > 0", 1, "Did you mean min_group?"),
        ("min_group(recal, carrier) > 0", 11, "Did you mean recall?"),
        ("ü > 0 and min_group(recall) > 0", 1, "holds several comparisons"),
        ("aux >", 6, "something is missing here"),
        ("auc >= 70%", 11, "Did you mean: auc >= 70 / 100"),
        ("auc >= 0,7", 1, "Did you mean: auc >= 0.7"),
        ("auc => 0.5", 5, "Did you mean: auc >= 0.5"),
        ("auc = 0.5", 5, "Did you mean: auc == 0.5"),
        ("größe ≥ 0,5", 7, "Did you mean: größe >= 0.5"),
        ("0.5 < min_group(recall)", 7, "takes a figure and a column"),
        ("min_group(recall, carrier, 0) > 0.5", 1, "takes a figure and a column"),
        ("größe + öl > f(1)", 14, "there is no function f"),
        ("0.7 < 0.8", 1, "names no metric"),
        ("champion > 0.7", 1, "names no metric"),
        ("auc + recall > champion", 1, "Write a gate for each"),
    ],
)
def test_what_is_no_gate_is_refused_with_its_place(text: str, position: int, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace("?", r"\?")) as caught:
        Gate(text)
    assert caught.value.data["position"] == position
    assert caught.value.data["gate"] == text


def test_a_mark_stands_under_the_place() -> None:
    with pytest.raises(UsageError) as caught:
        Gate("größe + öl > f(1)")
    _, gate, mark, _ = caught.value.lines()
    assert (gate.strip(), gate[mark.index("^") :]) == ("größe + öl > f(1)", "f(1)")


def test_names_groups_and_the_champion_are_told_apart() -> None:
    gate = Gate("min_group(recall, 'home base', 50) >= champion - 0.01")
    assert gate.names == ("min_group(recall, 'home base', 50)",)
    assert (gate.groups[0].figure, gate.groups[0].column, gate.groups[0].smallest) == ("recall", "home base", 50)
    assert gate.champion
    assert Gate("'macro avg.f1' > 0.5 * scores.auc").names == ("macro avg.f1", "scores.auc")
