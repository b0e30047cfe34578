"""One column of plain JSON scalars as one array, for a few rows: as `arrays.build_column` makes it, but much faster.

Whatever has to be looked at more closely is left to that.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from cellops.data.arrays import ACCEPTED, EXACT, Array
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

FEW = 100
"""Values up to which Python takes less time than numpy."""
INTEGERS = frozenset({int})
MISSING = frozenset({type(None)})
Read: TypeAlias = Callable[[Sequence[Any]], Array | None]


def reader(field: Field) -> Read:
    """A function that makes the array of a column, or gives None for one that it does not understand.

    >>> read = reader(Field(name="distance", kind=ColumnKind.NUMBER, dtype="float64", nullable=True))
    >>> read([733, None]), read(["733"])
    (array([733.,  nan]), None)
    """
    taken = ACCEPTED[field.kind] | MISSING if field.nullable else ACCEPTED[field.kind]
    return partial(_READ.get(field.kind, _closer), taken, field.nullable)


def _text(taken: frozenset[type], _nullable: bool, values: Sequence[Any]) -> Array | None:
    return np.array(values, dtype=object) if taken.issuperset(map(type, values)) else None


def _number(taken: frozenset[type], _nullable: bool, values: Sequence[Any]) -> Array | None:
    if len(values) > FEW or not taken.issuperset(map(type, values)):
        return None
    try:
        # A sum of finite numbers can be infinite too; a closer look tells.
        return np.array(values, dtype=np.float64) if isfinite(sum(filter(None, values))) else None
    except OverflowError:
        return None


def _integer(_taken: frozenset[type], nullable: bool, values: Sequence[Any]) -> Array | None:
    if not values or len(values) > FEW or not INTEGERS.issuperset(map(type, values)):
        return None
    if min(values) < -EXACT or max(values) > EXACT:
        return None
    return np.array(values, dtype=np.float64 if nullable else np.int64)


def _closer(_taken: frozenset[type], _nullable: bool, _values: Sequence[Any]) -> Array | None:
    return None


_READ: Mapping[ColumnKind, Callable[[frozenset[type], bool, Sequence[Any]], Array | None]] = {
    ColumnKind.INTEGER: _integer,
    ColumnKind.NUMBER: _number,
    ColumnKind.TEXT: _text,
}
