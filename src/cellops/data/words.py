"""The words of strings: which stand in which, as places in arrays."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellops.data.summary.hashing import hash_texts

BLOCK = 4_000_000
"""Characters that are taken apart at once, or a single string."""
CHARACTER = r"\p{L}\p{M}\p{N}"
"""What words are made of: letters, their marks, digits."""
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Scripts without spaces between words: each character counts as one."""
HALF = np.uint64(32)

Places = NDArray[np.int64]


class Words(NamedTuple):
    """The words of some strings."""

    strings: Places
    """Shape (pairs,): the place of a string among those given."""
    words: Places
    """Shape (pairs,): the place among the names of a word that stands in it; each pair once."""
    names: Any
    """An array of pyarrow with the words in small letters, each once."""

    def hashes(self) -> NDArray[np.uint32]:
        """The hash of each word, shape (names,), the same on every machine: the upper half of its XXH3."""
        return (hash_texts(self.names.to_pylist()) >> HALF).astype(np.uint32)


def blocks_of_words(texts: Sequence[str]) -> Iterator[tuple[slice, Words]]:
    """The words of strings, some million characters at a time, with the places of these strings."""
    # Each counts as one character more, so that empty ones come to an end too.
    ends = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)).cumsum() + np.arange(1, len(texts) + 1)
    begin = 0
    while begin < len(texts):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + BLOCK, side="right")))
        yield slice(begin, end), words(texts[begin:end])
        begin = end


def words(texts: Sequence[str]) -> Words:
    """The words of strings: runs of letters and digits, no matter whether large or small.

    Of a script that puts no spaces between words each character is one.

    Examples
    --------
    >>> found = words(["To be, or not to be", "東京 2020"])
    >>> [found.names[place].as_py() for place in found.words]
    ['to', 'be', 'or', 'not', '東', '京', '2020']
    """
    import pyarrow.compute as pc

    given = _as_arrow(texts)
    plain = pc.string_is_ascii(given)
    places = np.arange(len(texts))
    parts = [(given, places)]
    if not pc.all(plain).as_py():
        is_plain = plain.to_numpy(zero_copy_only=False)
        parts = [(given.filter(plain), places[is_plain]), (given.filter(pc.invert(plain)), places[~is_plain])]
    lists = [_split_plain(parts[0][0]), *(_split(strings) for strings, _ in parts[1:])]
    return _paired(lists, [places for _, places in parts])


def distinct(ordered: NDArray[Any]) -> NDArray[Any]:
    """Each of some ascending values once; np.unique takes ten times as long for integers."""
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _as_arrow(texts: Sequence[str]) -> Any:
    """Strings as Arrow holds them; half a surrogate pair is a question mark."""
    import pyarrow as pa

    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([text.encode(errors="replace").decode() for text in texts], pa.large_string())


def _split_plain(strings: Any) -> Any:
    """Strings of ASCII as lists of words. Byte by byte, which takes a third of the time of an expression."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = np.full(256, ord(" "), dtype=np.uint8)
    for character in range(128):
        if chr(character).isalnum():
            table[character] = ord(chr(character).lower())
    strings = pa.concat_arrays([strings])
    _, offsets, characters = strings.buffers()
    if characters is None:
        return pc.ascii_split_whitespace(strings)
    mapped = pa.py_buffer(table[np.frombuffer(characters, dtype=np.uint8)])
    whole = pa.LargeStringArray.from_buffers(len(strings), offsets, mapped, offset=strings.offset)
    return pc.ascii_split_whitespace(whole)


def _split(strings: Any) -> Any:
    import pyarrow.compute as pc

    apart = pc.replace_substring_regex(pc.utf8_lower(strings), UNSPACED, r" \0 ")
    return pc.split_pattern_regex(apart, f"[^{CHARACTER}]+")


def _paired(lists: Sequence[Any], places: Sequence[Places]) -> Words:
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = pa.chunked_array([pc.list_flatten(part) for part in lists]).combine_chunks()
    at = np.concatenate(
        [of[pc.list_parent_indices(part).to_numpy()] for part, of in zip(lists, places, strict=True)]
    ).astype(np.int64)
    encoded = flat.dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    names = encoded.dictionary
    # What stands before the first word and behind the last one is an empty string.
    kept = codes != pc.fill_null(pc.index(names, pa.scalar("", names.type)), -1).as_py()
    pairs = distinct(np.sort(at[kept] * len(names) + codes[kept]))
    strings, found = np.divmod(pairs, max(len(names), 1))
    return Words(strings, found, names)
