"""Values of a log as JSON scalars, and labels as people write them."""

import math
from datetime import datetime
from typing import Any

from cellops.errors import InputError
from cellops.records.base import Value
from cellops.records.contract import Schema, Task

SHOWN_CLASSES = 20


def plain_value(value: Any) -> Value:
    """A value of a table as a scalar; what is missing is None.

    >>> import numpy as np, pandas as pd
    >>> plain_value(np.int64(3)), plain_value(np.nan), plain_value(pd.Timestamp("2013-04-01", tz="UTC"))
    (3, None, '2013-04-01T00:00:00+00:00')
    """
    import pandas as pd

    if pd.isna(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    scalar = value.item() if hasattr(value, "item") else value
    if isinstance(scalar, float) and not math.isfinite(scalar):
        return str(scalar)
    return scalar if isinstance(scalar, str | int | float | bool) else str(scalar)


def label_of(said: Value, schema: Schema) -> Value:
    """The label that a person means: a class as it is written, or a number.

    Raises
    ------
    InputError
        When the model knows no such class, or it is no number.

    Examples
    --------
    >>> schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(True, False))
    >>> label_of("false", schema), label_of("TRUE", schema)
    (False, True)
    """
    text = str(said).strip()
    if schema.task is Task.REGRESSION:
        number = _number(text)
        if number is None or not math.isfinite(number):
            fact = f"A label of {schema.target} is a number"
            raise InputError(fact, received=said, remedy="Give a number such as 12.5")
        return number
    for known in schema.classes:
        # A spreadsheet writes 1.0 for 1 and TRUE for true.
        same = _number(text) == known if isinstance(known, int | float) and not isinstance(known, bool) else False
        if same or str(known) in {text, said} or (isinstance(known, bool) and text.lower() == str(known).lower()):
            return known
    shown = ", ".join(map(str, schema.classes[:SHOWN_CLASSES])) + (" …" if len(schema.classes) > SHOWN_CLASSES else "")
    fact = f"{schema.target} has no such class"
    raise InputError(fact, received=said, remedy=f"The classes are {shown}")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
