"""Words: what counts as one, in any script, and that no string is lost or counted twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data import words as module
from cellops.data.words import Words, blocks_of_words, words


def as_sets(found: Words, strings: int) -> list[set[str]]:
    names = found.names.to_pylist()
    held: list[set[str]] = [set() for _ in range(strings)]
    for string, word in zip(found.strings.tolist(), found.words.tolist(), strict=True):
        assert names[word] not in held[string]
        held[string].add(names[word])
    return held


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("To be, or NOT to be", {"to", "be", "or", "not"}),
        ("it's 3.5 kg_net", {"it", "s", "3", "5", "kg", "net"}),
        ("“Äpfel” — déjà vu…", {"äpfel", "déjà", "vu"}),
        ("e\u0301te\u0301", {"e\u0301te\u0301"}),
        ("हिन्दी में", {"हिन्दी", "में"}),
        ("東京タワー 2020", {"東", "京", "タ", "ワ", "ー", "2020"}),
        ("ภาษา", {"ภ", "า", "ษ"}),
        ("a\ud800b", {"a", "b"}),
        ("", set()),
        (" \t—\n", set()),
        ("\x00nul\x00", {"nul"}),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, expected: set[str]) -> None:
    assert as_sets(words([text]), 1) == [expected]
    assert as_sets(words(["x y", text, "y"]), 3) == [{"x", "y"}, expected, {"y"}]


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=20), max_size=20))
def test_words_of_ascii_are_those_of_an_expression(texts: list[str]) -> None:
    expected = [set(re.findall(r"[a-z0-9]+", text.lower())) for text in texts]
    assert as_sets(words(texts), len(texts)) == expected


@given(st.lists(st.text(max_size=12), max_size=12))
def test_a_string_has_the_same_words_beside_any_others(texts: list[str]) -> None:
    assert as_sets(words(texts), len(texts)) == [as_sets(words([text]), 1)[0] for text in texts]


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_blocks_hold_every_string_once(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", most)
    texts = ["one two", "", "three", "", "four five six", "x" * 50]
    held = [(texts[part], as_sets(found, part.stop - part.start)) for part, found in blocks_of_words(texts)]
    assert [text for part, _ in held for text in part] == texts
    assert [words for _, part in held for words in part] == [set(text.split()) for text in texts]


def test_hashes_are_the_same_in_every_process() -> None:
    assert words(["fog", "Fog ice"]).hashes().tolist() == [1198577117, 627542782]
