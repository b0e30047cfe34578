"""Check what makes or holds sparse tables, whose column numbers compiled code follows, and random generators."""

from itertools import pairwise
from typing import Any

import numpy as np

MERSENNE_WORDS = 624


def sparse_holds(table: Any) -> bool:
    """A sparse table points at no place outside of itself."""
    if table.format in {"csr", "csc", "bsr"}:
        table.check_format(full_check=True)
        return True
    if table.format == "coo":
        return all(
            len(place) == len(table.data) and bool(np.all((place >= 0) & (place < size)))
            for place, size in zip(table.coords, table.shape, strict=True)
        )
    return False


def words_hold(vectorizer: Any) -> bool:
    """Each word has a column of the table that is to be made, and the words come from the request itself."""
    vocabulary = getattr(vectorizer, "vocabulary_", {})
    columns = list(vocabulary.values())
    return (
        type(vocabulary) is dict
        and getattr(vectorizer, "n_features", 1) > 0
        and getattr(vectorizer, "input", "content") == "content"  # a file's name would be opened here
        and all(isinstance(column, int | np.integer) for column in columns)
        and set(columns) == set(range(len(columns)))
    )


def one_hot_holds(encoder: Any) -> bool:
    """The columns that are made are those of the categories, less what is dropped or grouped."""
    widths = encoder._compute_n_features_outs()
    dropped = encoder._drop_idx_after_grouping
    dropped = [None] * len(widths) if dropped is None else list(dropped)
    return (
        list(encoder._n_features_outs) == widths
        and len(dropped) == len(widths)
        and all(place is None or 0 <= place <= width for place, width in zip(dropped, widths, strict=True))
        and all(map(_ascend, encoder.categories_))
        and _groups_hold(encoder)
    )


def _ascend(categories: Any) -> bool:
    """Numbers are looked up by halving, which finds a place beyond the last one where they do not ascend."""
    if categories.ndim != 1 or not len(categories) or categories.dtype.kind in "OUS":
        return bool(categories.ndim == 1 and len(categories))
    present = categories[~np.isnan(categories)] if categories.dtype.kind == "f" else categories
    last = len(categories) - len(present)
    return bool(np.all(present[:-1] < present[1:]) and last <= 1 and not np.any(present != categories[: len(present)]))


def _groups_hold(encoder: Any) -> bool:
    if not encoder._infrequent_enabled:
        return True
    groups = zip(encoder.categories_, encoder._infrequent_indices, encoder._default_to_infrequent_mappings, strict=True)
    return all(_group_holds(len(names), rare, mapping) for names, rare, mapping in groups)


def _group_holds(names: int, rare: Any, mapping: Any) -> bool:
    if rare is None or mapping is None:
        return rare is mapping
    columns = names - len(rare) + 1
    ascending = all(before < after for before, after in pairwise(rare.tolist()))
    return bool(
        0 < len(rare) <= names
        and ascending
        and np.all((rare >= 0) & (rare < names))
        and mapping.shape == (names,)
        and np.all((mapping >= 0) & (mapping < columns))
    )


def generator_holds(generator: Any) -> bool:
    """The place in a generator's block of numbers lies inside of the block; the other kinds have one that may not."""
    bits = generator.bit_generator if isinstance(generator, np.random.Generator) else generator._bit_generator
    if type(bits) is np.random.MT19937:
        return bool(0 <= bits.state["state"]["pos"] <= MERSENNE_WORDS)
    return type(bits) is np.random.PCG64
