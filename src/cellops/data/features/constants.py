"""Constants of a notebook as Python writes them."""

import math
import re
from datetime import date, datetime, time, timedelta
from typing import Any

LONGEST_CONSTANT = 20_000
"""Characters of a constant; what is longer is data."""
OF_DATES = (date, datetime, time, timedelta)


def constant_text(value: object) -> tuple[str, tuple[str, ...]] | None:
    """A constant as Python writes it, with what that has to import; None for what is no constant.

    Examples
    --------
    >>> constant_text({"EWR": 1.5}), constant_text(float("inf")), constant_text(object())
    (("{'EWR': 1.5}", ()), ("float('inf')", ()), None)
    """
    if type(value) in OF_DATES and getattr(value, "tzinfo", None) is None:
        return f"_{value!r}", ("import datetime as _datetime",)
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        return f"_re.compile({value.pattern!r}, {int(value.flags & ~re.UNICODE)})", ("import re as _re",)
    try:
        text = _literal(value)
    except TypeError:
        return None
    return (text, ()) if len(text) <= LONGEST_CONSTANT else None


def _literal(value: Any) -> str:
    """A value of python's own types as a literal; a set, whose order is another in each process, in one order.

    Raises
    ------
    TypeError
        For any other value, also for one that only looks like them.
    """
    kind = type(value)
    if kind in (bool, int, str, bytes, type(None)):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if kind is dict:
        return f"{{{', '.join(f'{_literal(key)}: {_literal(held)}' for key, held in value.items())}}}"
    if kind in (set, frozenset):
        return f"{kind.__name__}([{', '.join(sorted(map(_literal, value)))}])"
    if kind in (list, tuple):
        inner = ", ".join(map(_literal, value))
        return f"[{inner}]" if kind is list else f"({inner}{',' if len(value) == 1 else ''})"
    fact = f"{kind.__name__} has no literal"
    raise TypeError(fact)
