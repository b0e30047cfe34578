"""How long a model takes, by the number of rows: the least time of late, which depends least on other work here."""

FORGETTING = 1.02
"""By how much a time grows with each later one: so a model that has become slower is noticed after a while."""


class Pace:
    """Times by the number of rows, in classes of powers of two.

    >>> pace = Pace()
    >>> pace.note(1, 0.002)
    >>> pace.expected(1), pace.expected(4)
    (0.002, 0.008)
    """

    def __init__(self) -> None:
        self._least: dict[int, float] = {}

    def note(self, rows: int, seconds: float) -> None:
        size = rows.bit_length()
        self._least[size] = min(seconds, self._least.get(size, seconds) * FORGETTING)

    def known(self, rows: int) -> float | None:
        """Seconds for about as many rows; None where none such have been answered."""
        return self._least.get(rows.bit_length())

    def expected(self, rows: int) -> float | None:
        """Seconds for so many rows, by the nearest fewer that are known, else by the nearest more."""
        # In one step: threads note what they have taken meanwhile.
        size, sizes = rows.bit_length(), tuple(self._least)
        fewer = max((known for known in sizes if known <= size), default=None)
        if fewer is not None:
            return self._least[fewer] * float(1 << (size - fewer))
        more = min(sizes, default=None)
        return None if more is None else self._least[more]
