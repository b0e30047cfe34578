"""What a person writes for the values that a parameter may take: choices, ranges, or one value.

`a,b,c` and a list of JSON are choices; `3..10` whole numbers, both ends included, `3..10:2` every second of them;
`0.01:0.3` any number between, `0:1:0.1` those a step apart; `:log` behind a range makes each order of magnitude as
likely as any other.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

LOG = "log"
INTEGER = r"[+-]?\d+"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
WHOLE = re.compile(rf"\s*({INTEGER})\s*\.\.\s*({INTEGER})\s*(?::\s*(.*?)\s*)?")
REAL = re.compile(rf"\s*({NUMBER})\s*:\s*({NUMBER})\s*(?::\s*(.*?)\s*)?")
LIKE_A_RANGE = re.compile(rf"\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*(?::.*)?")
"""Two dots between numbers that are not whole."""
LONGEST = 400
"""Characters of a number of which Python can still make one quickly."""
MOST = 2**53
"""A float tells whole numbers apart up to here, and with them the values of a range."""


class NoRangeError(ValueError):
    """A text that is meant as a range and is none."""


@dataclass(frozen=True)
class Range:
    """Numbers from one end to the other, both included."""

    low: int | float
    high: int | float
    whole: bool
    """Whether only whole numbers are meant."""
    step: int | float | None = None
    log: bool = False

    def __str__(self) -> str:
        more = f":{LOG}" if self.log else "" if self.step is None else f":{self.step}"
        return f"{self.low}{'..' if self.whole else ':'}{self.high}{more}"


def read_range(text: str) -> Range | None:
    """The range that a text writes; None where it writes none.

    Raises
    ------
    NoRangeError
        When its ends, its step or its logarithm contradict each other, or cannot be read.

    Examples
    --------
    >>> read_range("3..10:2")
    Range(low=3, high=10, whole=True, step=2, log=False)
    >>> print(read_range("0.01:0.3:log"), read_range("rbf,linear"))
    0.01:0.3:log None
    """
    if len(text) > LONGEST:
        return None
    if (found := WHOLE.fullmatch(text)) is not None:
        return _checked(int(found[1]), int(found[2]), found[3], whole=True)
    if (found := REAL.fullmatch(text)) is not None:
        return _checked(float(found[1]), float(found[2]), found[3], whole=False)
    if (found := LIKE_A_RANGE.fullmatch(text)) is not None:
        problem = f"two dots stand between whole numbers; between others write {found[1]}:{found[2]}"
        raise NoRangeError(problem)
    return None


def _checked(low: float, high: float, more: str | None, *, whole: bool) -> Range:
    if not (math.isfinite(low) and math.isfinite(high)):
        problem = "its ends are to be finite"
        raise NoRangeError(problem)
    log = more == LOG
    step = None if more is None or log else _step(more, whole=whole)
    if low > high:
        problem = f"it is empty: {low} is above {high}; did you mean {Range(high, low, whole, step, log)}?"
        raise NoRangeError(problem)
    if low == high:
        problem = f"both ends are {low}; for one value give {low} alone"
        raise NoRangeError(problem)
    if log and low <= 0:
        problem = f"a range with :{LOG} begins above 0, and this one at {low}"
        raise NoRangeError(problem)
    if step is not None and step > high - low:
        problem = f"its step {step} is longer than the range"
        raise NoRangeError(problem)
    if whole and max(abs(low), abs(high)) > MOST:
        problem = "its ends are to lie between -2**53 and 2**53, beyond which not every whole number is told apart"
        raise NoRangeError(problem)
    if step is not None and (high - low) / step > MOST:
        problem = f"it has more values than can be told apart; leave the step {step} out, or give a longer one"
        raise NoRangeError(problem)
    return Range(low, high, whole, step, log)


def _step(text: str, *, whole: bool) -> float:
    kind = INTEGER if whole else NUMBER
    if re.fullmatch(kind, text) is None:
        what = "a whole number" if whole else "a number"
        problem = f"behind its second colon stands {text!r}: write {what} as the step, or {LOG}"
        raise NoRangeError(problem)
    step = int(text) if whole else float(text)
    if not 0 < step < math.inf:
        problem = f"its step is to be above 0, and is {text}"
        raise NoRangeError(problem)
    return step


def read_list(text: str) -> list[Any] | None:
    """The values of a list of JSON; None where the text is none.

    Examples
    --------
    >>> read_list('["a,b", "c"]'), read_list("a,b")
    (['a,b', 'c'], None)
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
