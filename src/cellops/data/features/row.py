"""A row of a table, as functions of features read it: `row["distance"]` or `row.distance`."""

from collections.abc import Iterator, Mapping
from typing import Any


class Row(Mapping[str, Any]):
    """One row; it cannot be changed.

    Examples
    --------
    >>> row = Row({"distance": 0}, (200.0,))
    >>> row["distance"], row.distance, row.get("carrier")
    (200.0, 200.0, None)
    """

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: tuple[Any, ...]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[self._places[name]]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            fact = f"the row has no column {name}"
            raise AttributeError(fact) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
