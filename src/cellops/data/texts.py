"""What a profile keeps of free text, and the same of new rows: lengths, frequent words, rows with unknown ones."""

import base64
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.data.bins import LEAST_ROWS_OF_MANY, LONGEST_NAME
from cellops.data.column import Values, category_counts
from cellops.data.words import Words, blocks_of_words, distinct
from cellops.errors import InputError
from cellops.records.profile import Bins, ColumnKind, QuantileSketch, TextProfile

if TYPE_CHECKING:
    import pandas as pd

MOST_WORDS = 1000
"""Words that are kept by their names."""
MOST_KNOWN = 32_768
"""Words that are known by their hashes: 175 KB in a package."""
LEAST_KNOWN = 2
"""Rows with a word that is known at all: of a single one, its hash would put a part of a row into the package."""
EXACT_LENGTH = 1024
"""Characters up to which lengths are told one by one; longer ones in steps of 1/64 to 1/128 of them."""
BITS = 7

Rows = NDArray[np.int64]
Hashes = NDArray[np.uint32]


def is_free_text(bins: Bins) -> bool:
    """Whether most of the rows that have a string have one without a bin of its own.

    The strings of such a column are sentences or names rather than categories, and its bins say little of it.
    """
    return bins.edges is None and bins.other > sum(bins.counts)


def freeze_text(counts: "pd.Series[int]") -> TextProfile:
    """What is kept of the strings of a column.

    A word is a run of letters and digits, large or small. By name those are kept that stand in 25 rows at least, at
    most 1,000 and of at most 80 characters; by their hashes those that stand in two rows or, where these are more than
    32,768, in so many that they are not. `unseen` are the rows with a word that would not be known if that row were not
    there: the share that is expected of new rows, whatever the least number of rows is.

    Parameters
    ----------
    counts
        Rows of each string.

    References
    ----------
    Good, The population frequencies of species, Biometrika 40 (1953), for what singles tell of the unseen.

    Examples
    --------
    >>> import pandas as pd
    >>> found = freeze_text(pd.Series({"Delayed by fog": 30, "Delayed by ice": 20, "Bird strike": 1}))
    >>> found.words, found.rows_with, found.rows, found.unseen
    (('by', 'delayed', 'fog'), (50, 50, 30), 51, 1)
    """
    texts, rows = _given(counts)
    blocks = [_Block(rows[held], found, found.hashes()) for held, found in blocks_of_words(texts)]
    hashes, rows_with = _summed(blocks)
    least = _least_rows(rows_with)
    known = hashes[rows_with >= least]
    settled = hashes[rows_with > least]
    frequent = _frequent(blocks, hashes, rows_with)
    return TextProfile(
        lengths=_lengths(texts, rows),
        words=tuple(frequent),
        rows_with=tuple(frequent.values()),
        rows=int(rows.sum()),
        unseen=sum(block.rows_without(settled) for block in blocks),
        known=base64.b64encode(known.astype("<u4").tobytes()).decode("ascii"),
    )


def observe_text(reference: TextProfile, values: Values) -> TextProfile:
    """The same of new rows: rows with each of the words of the reference, and with a word that it does not know.

    Raises
    ------
    InputError
        When what is known in the reference cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> before = freeze_text(pd.Series({"Delayed by fog": 30, "Delayed by ice": 20}))
    >>> found = observe_text(before, pd.Series(["Delayed by wind", None, "Fog"]))
    >>> found.rows_with, found.rows, found.unseen
    ((1, 1, 1), 2, 1)
    """
    return observe_strings(reference, category_counts(values, ColumnKind.TEXT))


def observe_strings(reference: TextProfile, counts: "pd.Series[int]") -> TextProfile:
    """The same of strings and the rows of each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts, rows = _given(counts)
    known, watched = known_words(reference), pa.array(reference.words, pa.large_string())
    rows_with, unseen = np.zeros(len(reference.words), dtype=np.int64), 0
    for held, found in blocks_of_words(texts):
        block = _Block(rows[held], found, found.hashes())
        at = pc.fill_null(pc.index_in(found.names, value_set=watched), -1).to_numpy(zero_copy_only=False)
        np.add.at(rows_with, at[at >= 0], block.rows_with()[at >= 0])
        unseen += block.rows_without(known)
    return TextProfile(
        lengths=_lengths(texts, rows),
        words=reference.words,
        rows_with=tuple(rows_with.tolist()),
        rows=int(rows.sum()),
        unseen=unseen,
    )


def merged_texts(parts: Iterable[TextProfile]) -> TextProfile:
    """What was observed of all rows of several parts, exactly; at least one part, all of one reference.

    Raises
    ------
    InputError
        When they count other words.
    """
    return reduce(_joined, parts)


def _joined(one: TextProfile, other: TextProfile) -> TextProfile:
    if one.words != other.words:
        fact = "The texts were counted in the words of different profiles"
        raise InputError(fact, remedy="Observe all parts with the same reference")
    pairs = [(np.asarray(part.lengths.values), np.diff(part.lengths.cumulative, prepend=0)) for part in (one, other)]
    values, rows = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return one.replace(
        lengths=_counted(values, rows),
        rows_with=tuple(a + b for a, b in zip(one.rows_with, other.rows_with, strict=True)),
        rows=one.rows + other.rows,
        unseen=one.unseen + other.unseen,
        known="",
    )


def known_words(reference: TextProfile) -> Hashes:
    """The hashes of the words that a reference knows, ascending; shape (words,).

    Raises
    ------
    InputError
        When they cannot be read.
    """
    try:
        held = np.frombuffer(base64.b64decode(reference.known, validate=True), dtype="<u4")
    except ValueError as error:
        fact = "The known words of the profile cannot be read"
        raise InputError(fact, remedy="Build the package again") from error
    return held.astype(np.uint32)


class _Block(NamedTuple):
    rows: Rows
    """Shape (strings,)."""
    found: Words
    hashes: Hashes
    """Shape (names,)."""

    def rows_with(self) -> Rows:
        """Rows with each word, shape (names,)."""
        counted = np.bincount(self.found.words, self.rows[self.found.strings], minlength=len(self.hashes))
        return counted.astype(np.int64)

    def rows_without(self, known: Hashes) -> int:
        """Rows with a word that is not among those."""
        strange = ~_among(self.hashes, known)
        return int(self.rows[distinct(self.found.strings[strange[self.found.words]])].sum())


def _given(counts: "pd.Series[int]") -> tuple[Sequence[str], Rows]:
    return counts.index.tolist(), counts.to_numpy().astype(np.int64)


def _among(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which of the hashes are among some ascending ones."""
    if not len(known):
        return np.zeros(len(hashes), dtype=bool)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes
    return found


def _summed(blocks: Sequence[_Block]) -> tuple[Hashes, Rows]:
    """All hashes, ascending, each once, and the rows with such a word."""
    if not blocks:
        return np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64)
    each = np.concatenate([block.hashes for block in blocks])
    hashes = distinct(np.sort(each))
    at = np.searchsorted(hashes, each)
    rows = np.bincount(at, np.concatenate([block.rows_with() for block in blocks]), minlength=len(hashes))
    there = rows > 0
    return hashes[there], rows[there].astype(np.int64)


def _least_rows(rows_with: Rows) -> int:
    """From how many rows on a word is known, so that the known ones are no more than are kept."""
    if len(rows_with) <= MOST_KNOWN:
        return LEAST_KNOWN
    return max(LEAST_KNOWN, int(np.partition(rows_with, len(rows_with) - MOST_KNOWN - 1)[-MOST_KNOWN - 1]) + 1)


def _frequent(blocks: Sequence[_Block], hashes: Hashes, rows_with: Rows) -> dict[str, int]:
    """The words that are kept by name with their rows, the most frequent first, then by name."""
    often = rows_with >= LEAST_ROWS_OF_MANY
    if np.count_nonzero(often) > MOST_WORDS:
        often = rows_with >= np.partition(rows_with, len(rows_with) - MOST_WORDS)[-MOST_WORDS]
    kept = hashes[often]
    whole: dict[str, int] = {}
    for block in blocks:
        places = np.flatnonzero(_among(block.hashes, kept))
        counts = block.rows_with()[places].tolist()
        for name, rows in zip(block.found.names.take(places).to_pylist(), counts, strict=True):
            whole[name] = whole.get(name, 0) + rows
    ordered = sorted(whole.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [(name, rows) for name, rows in ordered if len(name) <= LONGEST_NAME and rows >= LEAST_ROWS_OF_MANY]
    return dict(named[:MOST_WORDS])


def _lengths(texts: Sequence[str], rows: Rows) -> QuantileSketch:
    characters = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return _counted(_stepped(characters), rows)


def _stepped(characters: Rows) -> Rows:
    """Lengths beyond 1,024 rounded down to seven significant bits."""
    _, bits = np.frexp(characters)
    step = np.left_shift(np.int64(1), np.where(characters < EXACT_LENGTH, 0, bits - BITS).astype(np.int64))
    return characters // step * step


def _counted(values: NDArray[np.float64] | Rows, rows: Rows) -> QuantileSketch:
    lengths, at = np.unique(values.astype(np.float64), return_inverse=True)
    counts = np.bincount(at, rows, minlength=len(lengths)).astype(np.int64)
    return QuantileSketch(values=tuple(lengths.tolist()), cumulative=tuple(counts.cumsum().tolist()))
