"""Tensors as bytes: the binary extension of the Open Inference Protocol.

Behind the JSON part of a body, whose length a header says, the tensors follow one another in the order in which the
JSON names them, each row by row and little-endian. Strings have their length in four bytes before them. The source is
KServe's specification of the protocol, "Binary tensor data extension".
"""

import struct
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from cellops.data.arrays import Array
from cellops.errors import InputError
from cellops.serving.limits import LONGEST_LENGTH
from cellops.serving.protocols.protocol import Body

HEADER = b"inference-header-content-length"
EXTENSION = "binary_tensor_data"
"""As a server's metadata call what is spoken here."""
MEDIA_TYPE = "application/octet-stream"
SIZE = "binary_data_size"
"""The parameter of a tensor that says of how many bytes it is."""
DTYPES: Mapping[str, np.dtype[Any]] = {
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    "BF16": np.dtype("<u2"),
    "BOOL": np.dtype("u1"),
}
"""How the values of each datatype lie in the bytes; BYTES are read one by one."""
LENGTH = struct.Struct("<I")


class Tensors:
    """What follows the JSON part of a body, taken in order.

    Parameters
    ----------
    content
        The bytes behind the JSON part.
    """

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._taken = 0

    def take(self, name: str, datatype: str, shape: Sequence[int], size: object) -> Array | list[str | None]:
        """The next tensor.

        Parameters
        ----------
        name, datatype, shape
            As the JSON part has them.
        size
            Its `binary_data_size`.

        Returns
        -------
        array or list
            One value for each element, row by row: an array of shape (elements,), or strings.

        Raises
        ------
        InputError
            When it is not as long as its shape and datatype say, or than what is left, or its values are none.
        """
        if type(size) is not int or not 0 <= size <= len(self._content) - self._taken:
            fact = f"Input {name} has a {SIZE} that is no number of the bytes that are left in the body"
            raise InputError(fact, remedy="Send the tensors one behind the other, behind the JSON part", column=name)
        content = self._content[self._taken : self._taken + size]
        self._taken += size
        elements = prod(shape)
        if datatype == "BYTES":
            return _texts(name, content, elements)
        dtype = DTYPES[datatype]
        if size != elements * dtype.itemsize:
            fact = f"Input {name} has {size} bytes, and {elements * dtype.itemsize} by its shape and datatype"
            raise InputError(fact, remedy="Send as many values as the shape says", column=name)
        values = np.require(np.frombuffer(content, dtype), requirements="A")
        if datatype == "BF16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return _booleans(name, values) if datatype == "BOOL" else values

    def require_taken(self) -> None:
        """Refuse bytes that no tensor has claimed.

        Raises
        ------
        InputError
            When there are any.
        """
        left = len(self._content) - self._taken
        if left:
            fact = f"The body has {left} bytes behind its tensors"
            raise InputError(fact, remedy=f"Say of each tensor in bytes how long it is, by its parameter {SIZE}")


def divided(body: Body) -> tuple[bytes, Tensors]:
    """The JSON part of a body, and the tensors behind it.

    Raises
    ------
    InputError
        When the header is not the length of a part of the body.
    """
    given = body.headers[HEADER]
    if not given.isdigit() or len(given) > LONGEST_LENGTH or not 0 < int(given) <= len(body.content):
        fact = "The header Inference-Header-Content-Length is not the length of the JSON part of the body"
        raise InputError(fact, remedy="Send the number of bytes before the first tensor")
    content, length = memoryview(body.content), int(given)
    return bytes(content[:length]), Tensors(content[length:])


def as_bytes(values: Array, datatype: str) -> bytes:
    """The values of a tensor, of any shape, row by row."""
    if datatype != "BYTES":
        return np.ascontiguousarray(values, DTYPES[datatype]).tobytes()
    texts = [str(value).encode() for value in values.ravel().tolist()]
    return b"".join(part for text in texts for part in (LENGTH.pack(len(text)), text))


def _texts(name: str, content: memoryview, elements: int) -> list[str | None]:
    texts: list[str | None] = []
    place, end = 0, len(content)
    while place + LENGTH.size <= end and len(texts) < elements:
        (length,) = LENGTH.unpack_from(content, place)
        place += LENGTH.size
        if length > end - place:
            break
        try:
            texts.append(str(content[place : place + length], "utf-8"))
        except UnicodeDecodeError as error:
            fact = f"Input {name}, row {len(texts)}: not in UTF-8"
            raise InputError(fact, remedy="Send strings in UTF-8", column=name, rows=[len(texts)]) from error
        place += length
    if place != end or len(texts) != elements:
        fact = f"The bytes of input {name} are not {elements} strings with their lengths"
        remedy = "Send for each string its length in four bytes, little-endian, and the string in UTF-8"
        raise InputError(fact, remedy=remedy, column=name)
    return texts


def _booleans(name: str, values: Array) -> Array:
    wrong = np.flatnonzero(values > 1).tolist()
    if wrong:
        fact = f"Input {name}, row {wrong[0]}: a byte that is neither 0 nor 1"
        raise InputError(fact, remedy="Send a byte of 0 or 1 for each boolean", column=name, rows=wrong)
    return values.view(np.bool_)
