"""Arrays of numpy that look at the memory of another one, so that what is written to one is seen in the other."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from cellops.pipeline.values.formats.types import of_library

if TYPE_CHECKING:
    import numpy as np


def owner_of(value: object) -> Any:
    """The array that owns the memory of an array; the value itself where it does, and where nobody can tell."""
    owner: Any = value
    while is_array(owner) and owner.base is not None:
        owner = owner.base
    plain = is_array(owner) and is_array(value) and not owner.dtype.hasobject
    return owner if plain and (owner.flags.c_contiguous or owner.flags.f_contiguous) else value


def in_memory_of(value: object, arrays: Collection[int]) -> set[int]:
    """Which arrays, by their identities, a value lies in: its owner, and those of `arrays` that own blocks of a frame.

    Frames of pandas in one memory are not asked for: what is written to one is not seen in another.
    """
    if not arrays or not of_library(value, "pandas", "DataFrame"):
        return {id(owner_of(value))}
    blocks = value._mgr.blocks  # type: ignore[attr-defined]
    return {id(owner_of(block.values)) for block in blocks} & set(arrays)


def is_array(value: object) -> bool:
    return of_library(value, "numpy", "ndarray")


def place_in(value: Any, owner: Any) -> tuple[Any, ...]:
    """Where an array lies in the memory of its owner: type, shape, first byte, strides, and whether it is writeable."""
    start = value.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return value.dtype, value.shape, start, value.strides, value.flags.writeable


def view(owner: "np.ndarray[Any, Any]", place: tuple[Any, ...]) -> Any:
    """The array at a place in the memory of another one."""
    import numpy as np

    dtype, shape, start, strides, writeable = place
    found: np.ndarray[Any, Any] = np.ndarray(shape, dtype, owner.ravel(order="K"), start, strides)
    found.flags.writeable = writeable
    return found
