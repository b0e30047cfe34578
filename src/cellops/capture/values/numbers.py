"""Numbers of a value, kept so that a later difference can be measured: named arrays in one small file.

The file is a line of JSON, `[[name, dtype, shape], …]`, followed by the arrays' bytes in C order. Reading it runs
nothing that it says.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cellops.capture.blobs import Blobs, digest
from cellops.capture.redaction import is_secret, redact, without_known
from cellops.capture.secrets import KNOWN

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

KINDS = "iuf"
DTYPE = re.compile(r"[<>|=][iuf]\d{1,2}")
LARGEST = 262_144
"""Bytes of one value's numbers that are kept."""
MOST_OF_A_SESSION = 64 * 2**20
"""Bytes of numbers that one session keeps: values of later cells have their digests only."""
MOST_ARRAYS = 500
OTHERS = frozenset({"(index)", "(names)"})
"""Parts of a frame that are no columns: a column of such a name could not be told from them."""


def numbers_of(value: Any) -> "dict[str, Array]":
    """The numeric arrays of a frame or an array, by column; none where large."""
    found = {name: array for name, array in _arrays(value).items() if array.dtype.kind in KINDS}
    size = sum(array.nbytes for array in found.values())
    return found if size <= LARGEST and len(found) <= MOST_ARRAYS else {}


def pack(arrays: "Mapping[str, Array]") -> bytes:
    """Arrays as one file."""
    head = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    return b"".join([json.dumps(head).encode(), b"\n", *(array.tobytes() for array in arrays.values())])


def holds_secrets(content: bytes) -> bool:
    """Whether kept numbers would show a secret: in a name, under the name of one, or as the letters of a text."""
    names = [str(name) for name, *_ in json.loads(content.partition(b"\n")[0])]
    if any(is_secret(name) or redact(name) != name for name in names):
        return True
    letters = content.replace(b"\0", b"")  # of numbers that are wider than the letters they stand for
    return KNOWN.are_in(letters) or (text := letters.decode("latin-1")) != without_known(text)


class Room:
    """Where the numbers of one session are kept, as far as they fit.

    Parameters
    ----------
    folder
        Where they are kept.
    room
        Bytes that the session may write.
    """

    def __init__(self, folder: Blobs, room: int = MOST_OF_A_SESSION) -> None:
        self._folder = folder
        self._room = room

    def keep(self, content: bytes) -> str | None:
        """The digest under which a content is kept; None where there is no room left for it.

        Raises
        ------
        OSError
            When the disk refuses it.
        """
        name = digest(content)
        if not self._folder.path(name).exists():
            if len(content) > self._room:
                return None
            self._room -= len(content)
        return self._folder.keep(content).name


def unpack(content: bytes) -> "dict[str, Array]":
    """What `pack` was given.

    Raises
    ------
    ValueError
        When the content is not what `pack` writes.
    """
    import numpy as np

    head, _, rest = content.partition(b"\n")
    found: dict[str, Array] = {}
    offset = 0
    try:
        for name, text, shape in json.loads(head):
            _check(text, shape)
            dtype, count = np.dtype(text), math.prod(shape)
            found[name] = np.frombuffer(rest, dtype, count, offset).reshape(shape)
            offset += count * dtype.itemsize
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        fact = "the kept numbers are damaged"
        raise ValueError(fact) from error
    return found


def _check(dtype: str, shape: list[int]) -> None:
    if DTYPE.fullmatch(dtype) is None or min(shape, default=0) < 0:
        raise ValueError(dtype)


def _arrays(value: Any) -> "dict[str, Array]":
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "numpy" and kind.__name__ == "ndarray":
        return {"": value}
    if library == "pandas":
        return _of_pandas(value)
    return {}


def _of_pandas(value: Any) -> "dict[str, Array]":
    from cellops.capture.content.frames import uniform_columns

    columns = {"(values)": value} if type(value).__name__ == "Series" else {}
    if value.ndim == 2:  # noqa: PLR2004 - rows and columns
        if value.shape[1] > MOST_ARRAYS or value.shape[0] * 8 > LARGEST:
            return {}
        names = list(map(str, value.columns))
        if len(set(names)) < len(names) or not OTHERS.isdisjoint(names):
            return {}
        uniform = uniform_columns(value)
        if uniform is not None:
            return dict(zip(names, uniform, strict=True))
        columns = {name: value.iloc[:, place] for place, name in enumerate(names)}
    plain = {name: column for name, column in columns.items() if getattr(column.dtype, "kind", "") in KINDS}
    return {
        name: column.to_numpy() for name, column in plain.items() if type(column.dtype).__module__.startswith("numpy")
    }
