"""Columns that a suite speaks of as times: a CSV file itself does not say that its text is one."""

from typing import TYPE_CHECKING, Any

from cellops.records.contract import Expectation, Suite

if TYPE_CHECKING:
    import pandas as pd

FRESHNESS = "expect_column_max_to_be_within"


def with_times(cells: "pd.DataFrame", suite: Suite) -> "pd.DataFrame":
    """The table of a CSV file with times where the suite wants them and every cell of the column is one, in ISO 8601.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.expectations import parse
    >>> suite = parse("trips", 'expect_column_values_to_be_between("day", "2013-01-01")', {})
    >>> table = with_times(pd.DataFrame({"day": ["2013-01-02"], "note": ["2013-01-02"]}), suite)
    >>> [dtype.kind for dtype in table.dtypes]
    ['M', 'O']
    """
    import pandas as pd

    read = {}
    for name in _wanted(suite) & set(cells.columns):
        if pd.api.types.is_string_dtype(cells[name]):
            try:
                read[name] = pd.to_datetime(cells[name], format="ISO8601")
            except ValueError:  # the column stays text, and the rule says so
                continue
    return cells.assign(**read)


def _wanted(suite: Suite) -> set[str]:
    return {one.columns[0] for one in suite.expectations if len(one.columns) == 1 and _of_time(one)}


def _of_time(expectation: Expectation) -> bool:
    given: dict[str, Any] = dict(expectation.arguments)
    types = [given["type_"]] if "type_" in given else given.get("type_list", ())
    typed = bool(types) and all(str(name).startswith("datetime") for name in types)
    bounds = (given.get("min_value"), given.get("max_value"))
    return typed or expectation.rule == FRESHNESS or any(isinstance(bound, str) for bound in bounds)
