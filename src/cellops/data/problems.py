"""What is wrong with a table, column by column, and the one error that says all of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cellops.errors import InputError

SHOWN = 5
"""Row numbers and problems that an error spells out; the rest is counted."""
SHOWN_NAMES = 30


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a table from fitting its contract."""

    column: str | None
    rows: tuple[int, ...]
    """The first rows concerned, 0-based; empty where it concerns the whole column or table."""
    fact: str
    remedy: str


def row_numbers(rows: Sequence[int], count: int | None = None) -> str:
    """Name rows for a sentence; `count` says how many there are when `rows` holds only the first.

    >>> row_numbers([3])
    'row 3'
    >>> row_numbers([0, 1, 2, 5, 8, 13, 21])
    'rows 0, 1, 2, 5, 8 and 2 more'
    """
    count = len(rows) if count is None else count
    shown = ", ".join(str(row) for row in rows[:SHOWN])
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return f"{'row' if count == 1 else 'rows'} {shown}{more}"


def shorten(name: object, limit: int = 60) -> str:
    """The name of a column as it may stand in an error: a sender chooses it."""
    text = str(name)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Names for a sentence, the first of many.

    >>> listed(["carrier", "origin"])
    'carrier, origin'
    """
    every = list(names)
    more = f" and {len(every) - SHOWN_NAMES} more" if len(every) > SHOWN_NAMES else ""
    return ", ".join(every[:SHOWN_NAMES]) + more


def refuse(problems: Sequence[Problem]) -> None:
    """Raise one error that says every problem.

    Raises
    ------
    InputError
        When there are any; `data` holds `column` and `rows` of the first, and `problems`, all of them.
    """
    if not problems:
        return
    first = problems[0]
    fact = "; ".join(problem.fact for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        left = len(problems) - SHOWN
        fact += f"; and {left} more problem{'s' if left > 1 else ''}"
    remedy = "; ".join(dict.fromkeys(problem.remedy for problem in problems[:SHOWN]))
    raise InputError(fact, remedy=remedy, column=first.column, rows=list(first.rows), problems=list(problems))
