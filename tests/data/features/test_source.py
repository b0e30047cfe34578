"""Functions with what they use as one text, and what cannot be captured."""

import math
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.preprocessing import StandardScaler

from cellops.data.features.compiled import compiled
from cellops.data.features.source import capture
from cellops.records.finding import Finding

RATES = {"EWR": 1.5, "JFK": math.inf}
FIRST = date(2026, 1, 2)
CODE = re.compile(r"^[A-Z]{3}$")
NAMES = {"b", "a", "c"}
TABLE = pd.DataFrame({"a": [1]})
MODEL = StandardScaler()
LARGE = list(range(20_000))
counted = 0


def rate(origin: str) -> float:
    return RATES.get(origin, 0.0) if CODE.match(origin) else scipy.stats.norm.cdf(0.0)


def fee(origin, limit=math.pi):
    """Uses a function, a pattern and a number."""
    return rate(origin) + limit


def is_late(row) -> bool:
    return row.day > FIRST and row.name in NAMES


half = lambda distance: distance / 2  # noqa: E731 - notebooks have them


def halved(distance):
    return half(distance)


def again(depth):
    return 0 if depth <= 0 else 1 + again(depth - 1)


def of_table(row):
    return TABLE["a"][0] + row.a


def of_model(row):
    return MODEL.transform([[row.a]])[0]


def of_large(row):
    return LARGE[row.a]


def of_nothing(row):
    return not_bound_yet  # noqa: F821 - what this is about


def of_itself(row):
    global counted  # noqa: PLW0603 - what this is about
    counted += 1
    return counted


async def later(row):
    return row.a


def many(row):
    yield row.a


def nothing():
    return 1


def anything(*columns):
    return sum(columns)


def made() -> Callable[..., Any]:
    factor = TABLE

    def inner(row):
        return factor

    return inner


def test_what_a_function_uses_comes_along() -> None:
    found = capture("fees", [fee, is_late, halved, again])
    assert found.findings == ()
    assert found.features == ("fee", "is_late", "halved", "again")
    lines = found.source.splitlines()
    assert "RATES = {'EWR': 1.5, 'JFK': float(\"inf\")}".replace('"', "'") in lines
    assert "FIRST = _datetime.date(2026, 1, 2)" in lines
    assert "NAMES = set(['a', 'b', 'c'])" in lines
    assert {"import math", "import scipy", "import scipy.stats", "import re as _re"} <= set(lines)
    assert lines.index("def rate(origin: str) -> float:") < lines.index("def fee(origin, limit=math.pi):")
    functions = {one.name: one for one in compiled("fees", found.source, found.features)}
    assert functions["fee"].call("EWR") == fee("EWR")
    assert functions["fee"].inputs == ("origin",)
    assert functions["is_late"].inputs == ("day", "name")
    assert functions["halved"].call(4) == 2.0
    assert functions["again"].call(3) == 3


def test_the_captured_source_is_its_own_world() -> None:
    found = capture("fees", [fee])
    (function,) = compiled("fees", found.source, found.features)
    RATES["EWR"] = 2.0
    try:
        assert function.call("EWR", 0.0) == 1.5
    finally:
        RATES["EWR"] = 1.5


def only(function: Any) -> Finding:
    found = capture("bad", [function, halved])
    assert found.features == ("halved",)
    assert "def halved" in found.source
    (finding,) = found.findings
    return finding


@pytest.mark.parametrize(
    ("function", "code", "named"),
    [
        (of_table, "feature-reads-data", "of_table reads TABLE, which is data of this notebook: a DataFrame"),
        (of_model, "feature-reads-data", "of_model reads MODEL, which is data of this notebook: a StandardScaler"),
        (of_large, "feature-reads-data", "of_large reads LARGE"),
        (of_nothing, "feature-reads-unknown", "of_nothing reads not_bound_yet"),
        (of_itself, "feature-sets-name", "of_itself sets counted"),
        (made(), "feature-closure", "inner uses names of the function that made it: factor"),
        (np.log, "feature-without-source", "log is a ufunc"),
        (later, "feature-signature", "later is no plain function"),
        (many, "feature-signature", "many is no plain function"),
        (nothing, "feature-signature", "nothing names no columns"),
        (anything, "feature-signature", "anything takes *columns"),
    ],
)
def test_what_cannot_be_captured_is_named_and_the_rest_is_kept(function: Any, code: str, named: str) -> None:
    finding = only(function)
    assert finding.code == code
    assert finding.seen.startswith(named)
    assert finding.remedy
