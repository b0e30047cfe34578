"""What moved in free text, in words."""

from collections.abc import Container, Iterator

import numpy as np

from cellops.data.problems import shorten
from cellops.records.profile import QuantileSketch, TextProfile

LONGEST_WORD = 40
"""Characters of a word where it is shown."""


def moved_texts(before: TextProfile, after: TextProfile, far: Container[str]) -> Iterator[str]:
    """One part for each aspect that moved far.

    Examples
    --------
    >>> lengths = QuantileSketch(values=(10.0, 20.0), cumulative=(50, 100))
    >>> old = TextProfile(lengths=lengths, words=("late", "fog"), rows_with=(40, 5), rows=100, unseen=3)
    >>> new = TextProfile(lengths=lengths, words=("late", "fog"), rows_with=(38, 31), rows=100, unseen=9)
    >>> list(moved_texts(old, new, ("vocabulary", "out_of_vocabulary")))
    ['texts with unknown words went from 3.0% expected to 9.0%', 'the word fog went from 5.0% to 31.0% of the texts']
    """
    if not (before.rows and after.rows):
        return
    if "out_of_vocabulary" in far:
        expected, found = before.unseen / before.rows, after.unseen / after.rows
        yield f"texts with unknown words went from {expected:.1%} expected to {found:.1%}"
    if "vocabulary" in far:
        then, now = np.array(before.rows_with) / before.rows, np.array(after.rows_with) / after.rows
        place = int(np.argmax(np.abs(now - then)))
        word = shorten(before.words[place], LONGEST_WORD)
        yield f"the word {word} went from {then[place]:.1%} to {now[place]:.1%} of the texts"
    if "text_length" in far:
        yield f"the mean length went from {_mean(before.lengths):.4g} to {_mean(after.lengths):.4g} characters"


def _mean(lengths: QuantileSketch) -> float:
    return float(np.average(lengths.values, weights=np.diff(lengths.cumulative, prepend=0)))
