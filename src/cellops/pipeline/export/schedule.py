"""A schedule: the five fields of cron, as all targets read them alike."""

import re
from typing import NamedTuple

from cellops.errors import UsageError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PART = re.compile(r"(?:(?P<every>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)
WRITTEN_AS = 'Write minute, hour, day, month and day of the week, such as "0 6 * * 1": Mondays at 6:00'


class Field(NamedTuple):
    """One of the five."""

    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


def check(text: str) -> str:
    """A schedule with one blank between its fields.

    Raises
    ------
    UsageError
        When it has not five fields, one of them cannot be read, or no day has such a date.

    Examples
    --------
    >>> check(" 30 6  * JAN-MAR mon ")
    '30 6 * JAN-MAR MON'
    """
    given = text.upper().split()
    if len(given) != len(FIELDS):
        fact = f"A schedule has five fields, and {text!r} has {len(given)}"
        raise UsageError(fact, remedy=WRITTEN_AS)
    values = [_values(field, part, text) for field, part in zip(FIELDS, given, strict=True)]
    days, months = values[2], values[3]
    if given[4] == "*" and not any(min(days) <= LONGEST_MONTHS[month - 1] for month in months):
        fact = f"The schedule {text!r} never comes: no month of it has a day {min(days)}"
        raise UsageError(fact, remedy=WRITTEN_AS)
    return " ".join(given)


def _values(field: Field, text: str, whole: str) -> set[int]:
    found = set[int]()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise _wrong(field, part, whole, "is no number, range or *")
        step = int(match["step"] or 1)
        if step == 0:
            raise _wrong(field, part, whole, "has a step of 0")
        if match["every"]:
            found |= set(range(field.lowest, field.highest + 1, step))
            continue
        if match["step"] and not match["last"]:
            raise _wrong(field, part, whole, "has a step and no range")  # systems disagree on what that means
        first = _number(field, match["first"], part, whole)
        last = _number(field, match["last"], part, whole) if match["last"] else first
        if first > last:
            raise _wrong(field, part, whole, "ends before it begins")
        found |= set(range(first, last + 1, step))
    return found


def _number(field: Field, word: str, part: str, whole: str) -> int:
    if word in field.words:
        return field.words.index(word) + field.lowest
    number = int(word) if word.isdecimal() else None
    if number is None or not field.lowest <= number <= field.highest:
        or_words = f" or {field.words[0]} to {field.words[-1]}" if field.words else ""
        raise _wrong(field, part, whole, f"is not within {field.lowest} to {field.highest}{or_words}")
    return number


def _wrong(field: Field, part: str, whole: str, what: str) -> UsageError:
    fact = f"The {field.name} {part!r} of the schedule {whole!r} {what}"
    return UsageError(fact, remedy=WRITTEN_AS)
