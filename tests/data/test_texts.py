"""Texts: lengths, frequent words and known ones, and what new rows have of them."""

import base64
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data import texts as module
from cellops.data.bins import LEAST_ROWS_OF_MANY
from cellops.data.profile import observe, profile, profile_column
from cellops.data.summary.freeze import freeze
from cellops.data.summary.summarize import summarize
from cellops.data.texts import freeze_text, known_words, merged_texts, observe_text
from cellops.data.words import words
from cellops.errors import InputError
from cellops.records.profile import Profile, QuantileSketch, TextProfile

some_texts = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(["fog", "ice", "Wind", "é", "零", "x" * 1500, ""])).map(" ".join)),
    max_size=30,
)


def remarks(rows: int, seed: int, *, words_each: int = 8, vocabulary: int = 5000) -> pd.Series:
    """Sentences of words whose frequencies fall as Zipf's law says."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, vocabulary + 1)
    drawn = random.choice(vocabulary, size=(rows, words_each), p=shares / shares.sum())
    return pd.Series([" ".join(f"w{word}" for word in row) for row in drawn], dtype=object)


def counts(texts: pd.Series) -> "pd.Series[int]":
    return texts.value_counts()


def test_only_strings_without_bins_are_texts() -> None:
    carriers = pd.Series(["UA", "AA", None] * 100)
    assert profile_column("carrier", carriers).text is None
    assert profile_column("remark", remarks(300, 0)).text is not None
    half = pd.concat([carriers[:100].fillna("UA"), remarks(100, 0)])
    assert profile_column("half", half).text is None
    assert profile_column("hour", pd.Series(range(300))).text is None


def test_lengths_are_those_of_the_characters() -> None:
    texts = pd.Series(["a", "éé", "東京x", "", None, "éé"], dtype=object)
    seen = freeze_text(counts(texts.dropna()))
    assert seen.lengths == QuantileSketch(values=(0.0, 1.0, 2.0, 3.0), cumulative=(1, 2, 4, 5))
    assert seen.rows == 5


def test_long_texts_have_their_length_within_two_percent_in_few_values() -> None:
    lengths = np.unique(np.geomspace(1, 5e6, 4000).astype(int))
    held = module._stepped(lengths)
    assert (held <= lengths).all()
    assert (held > lengths * (1 - 1 / 64)).all()
    assert (held[lengths < 1024] == lengths[lengths < 1024]).all()
    assert len(np.unique(held)) <= 2048


def test_words_are_counted_by_rows_and_rare_ones_have_no_name() -> None:
    texts = pd.Series(["Fog fog FOG", "ice"] * (LEAST_ROWS_OF_MANY - 1) + ["fog and Meier"])
    seen = freeze_text(counts(texts))
    assert (seen.words, seen.rows_with) == (("fog",), (25,))
    assert "eier" not in seen.to_json().decode()


def test_the_words_are_the_most_frequent_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WORDS", 20)
    texts = remarks(2000, 1)
    seen = freeze_text(counts(texts))
    frequency = pd.Series([word for text in texts for word in set(text.split())]).value_counts()
    expected = sorted(frequency.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    assert list(zip(seen.words, seen.rows_with, strict=True)) == expected


def test_no_word_of_a_single_row_is_known() -> None:
    seen = freeze_text(pd.Series({"fog ice": 2, "Meier": 1}))
    assert known_words(seen).tolist() == sorted(words(["fog ice"]).hashes().tolist())
    assert seen.unseen == 3


@pytest.mark.parametrize("most", [50, 500, 32_768])
def test_new_rows_have_as_many_unknown_words_as_the_reference_lets_expect(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KNOWN", most)
    reference = freeze_text(counts(remarks(4000, 2)))
    assert len(known_words(reference)) <= most
    seen = observe_text(reference, remarks(4000, 3))
    expected, found = reference.unseen / reference.rows, seen.unseen / seen.rows
    assert abs(found - expected) < 4 * np.sqrt(2 * expected * (1 - expected) / 4000)


def test_new_words_are_unseen_and_other_ones_counted() -> None:
    reference = profile_column("remark", remarks(3000, 4))
    assert reference.text is not None
    seen = observe(reference, remarks(3000, 5).str.replace("w1 ", "zulu "))
    assert seen.text is not None
    at = reference.text.words.index("w1")
    assert seen.text.rows_with[at] < reference.text.rows_with[at] / 2
    assert seen.text.unseen > reference.text.unseen + 200
    assert seen.text.known == ""
    assert observe(reference, pd.Series([None], dtype=object)).text == TextProfile(
        lengths=QuantileSketch(values=(), cumulative=()),
        words=reference.text.words,
        rows_with=(0,) * len(reference.text.words),
        rows=0,
    )


def test_rows_of_the_reference_itself_are_found_again() -> None:
    texts = remarks(1000, 6)
    reference = freeze_text(counts(texts))
    seen = observe_text(reference, texts)
    assert (seen.words, seen.rows_with, seen.rows) == (reference.words, reference.rows_with, reference.rows)
    assert seen.lengths == reference.lengths
    assert seen.unseen <= reference.unseen


@given(some_texts, st.lists(st.integers(0, 30), max_size=3))
@settings(deadline=None)
def test_parts_in_any_order_give_what_the_whole_gives(texts: list[str | None], cuts: list[int]) -> None:
    reference = freeze_text(pd.Series({"fog ice": 30, "wind é": 25}))
    whole = pd.Series(texts, dtype=object)
    bounds = [0, *sorted(cuts), len(texts)]
    parts = [whole.iloc[begin:end] for begin, end in pairwise(bounds)]
    seen = [observe_text(reference, part) for part in parts]
    assert merged_texts(seen) == merged_texts(seen[::-1]) == observe_text(reference, whole)


def test_parts_of_different_references_do_not_merge() -> None:
    parts = [observe_text(freeze_text(pd.Series({word: 30})), pd.Series(["fog"])) for word in ("fog", "ice")]
    with pytest.raises(InputError, match="different profiles"):
        merged_texts(parts)


def test_a_broken_vocabulary_is_said() -> None:
    for known in ("é", base64.b64encode(b"123").decode()):
        with pytest.raises(InputError, match="known words"):
            known_words(TextProfile(lengths=QuantileSketch(values=(), cumulative=()), rows=0, known=known))


def test_a_summary_gives_the_texts_of_the_table() -> None:
    table = pd.DataFrame({"remark": remarks(1500, 7)})
    assert freeze(summarize(table)).columns == profile(table).columns


def test_a_summary_that_has_not_kept_all_strings_has_no_texts() -> None:
    assert freeze(summarize(pd.DataFrame({"remark": remarks(5000, 8)}))).columns[0].text is None


def test_what_was_written_is_read_and_a_profile_from_before_too() -> None:
    table = profile(pd.DataFrame({"remark": remarks(200, 9)}))
    assert Profile.from_json(table.to_pretty_json()) == table
    column = '{"name": "x", "kind": "text", "dtype": "str", "rows": 1, "missing": 0, "bins": null}'
    read = Profile.from_json(f'{{"rows": 1, "columns": [{column}]}}')
    assert read.relations is None
    assert read.columns[0].text is None
