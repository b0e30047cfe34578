"""Hold single rows against a suite, in a few microseconds: the suite is compiled to one function of Python.

The function knows rows that surely hold. Of any other it names the expectations that deserve a closer look, and these
are held against the row as against a table; so a row gets here the verdict that it gets there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from cellops.data.expectations.check import check, row_rules
from cellops.data.expectations.registry import build, rule_type
from cellops.data.expectations.rule import Bind, Rule
from cellops.data.matrix import Matrix, corners
from cellops.errors import ExpectationError
from cellops.records.contract import Expectation, Suite

Row: TypeAlias = Mapping[str, Any] | Sequence[Any]
Holds: TypeAlias = Callable[[Sequence[float]], bool]
Suspects: TypeAlias = Callable[[Any], tuple[int, ...]]
CORNERS = 2
FEW = 50
"""Rows of a table up to which they are looked at one by one; more are sooner judged as a table."""
KNOWN = {"type": type, "float": float, "int": int, "str": str, "len": len, "Exception": Exception}
"""All that a compiled function can name beside what is bound to it."""


class RowChecker:
    """A suite, ready for single rows.

    Parameters
    ----------
    suite
        The expectations; those on whole columns or tables, and on columns that are not given, are left out.
    columns
        The columns of a row in their order.

    Examples
    --------
    >>> from cellops.data.expectations import parse
    >>> suite = parse("trips", 'expect_column_values_to_be_between("distance", 1, 5000)', {})
    >>> checker = RowChecker(suite, ["distance"])
    >>> checker.broken({"distance": 200.0}), checker.broken({"distance": -3.0}), checker.broken([None])
    ((), (0,), ())
    """

    def __init__(self, suite: Suite, columns: Sequence[str]) -> None:
        self.suite = row_rules(suite, columns)
        self._columns = tuple(columns)
        needed = {name for expectation in self.suite.expectations for name in expectation.columns}
        variables = {name: f"value_{place}" for place, name in enumerate(self._columns) if name in needed}
        named = "; ".join(f"{variable} = row[{{}}]" for variable in variables.values())
        self._of_mapping = _compiled(self.suite, variables, named, list(variables))
        listed = "".join(f"{variables.get(name, '_')}, " for name in self._columns)
        self._of_sequence = _compiled(self.suite, variables, f"{listed}= row" if listed else "")
        self._of_numbers = _holding(self.suite, variables, f"{listed}= row" if listed else "pass")
        self._convex = all(rule_type(expectation.rule).convex for expectation in self.suite.expectations)

    def suspects(self, row: Row) -> tuple[int, ...]:
        """The places in `suite` of the expectations that the row may break: none where it surely holds."""
        return self._of_mapping(row) if isinstance(row, dict) else self._of_sequence(row)

    def surely_hold(self, columns: "Mapping[str, np.ndarray[Any, np.dtype[Any]]]", rows: int) -> bool:
        """Whether a table of a few rows, column by column as numpy holds it, needs no closer look."""
        if type(columns) is Matrix and columns.names == self._columns:
            array = columns.array
            # Where the least and the largest of each column hold, all between do.
            told = corners(array) if self._convex and rows > CORNERS else array
            return len(told) <= FEW and all(map(self._of_numbers, told.tolist()))
        if rows > FEW:
            return False
        values = [_scalars(columns[name]) for name in self._columns]
        return not any(map(self._of_sequence, zip(*values, strict=True)))

    def suspects_of(self, columns: "Mapping[str, np.ndarray[Any, np.dtype[Any]]]") -> tuple[int, ...]:
        """The same as `suspects` for a table of one row, column by column as numpy holds it."""
        return self._of_sequence([_scalars(columns[name])[0] for name in self._columns])

    def broken(self, row: Row) -> tuple[int, ...]:
        """The places in `suite` of the expectations that a row breaks.

        Parameters
        ----------
        row
            Python scalars by the names of their columns, or in the order of the columns; None or NaN is missing.
        """
        suspects = self.suspects(row)
        if not suspects:
            return ()
        named = row if isinstance(row, Mapping) else dict(zip(self._columns, row, strict=False))
        table = {name: _single(value) for name, value in named.items()}
        closer = self.suite.replace(expectations=tuple(self.suite.expectations[place] for place in suspects))
        results = check(closer, table).results
        return tuple(place for place, result in zip(suspects, results, strict=True) if not result.passed)


def _scalars(column: "np.ndarray[Any, np.dtype[Any]]") -> list[Any]:
    if column.dtype.kind != "M":
        listed: list[Any] = column.tolist()
        return listed
    times = column.astype("datetime64[us]").tolist()
    # Beyond the year 9999 numpy gives a number for a time.
    return [column[row] if isinstance(time, int) else time for row, time in enumerate(times)]


def _single(value: object) -> "np.ndarray[tuple[int], np.dtype[Any]]":
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


def _compiled(suite: Suite, variables: Mapping[str, str], taken: str, keys: Sequence[str] = ()) -> Suspects:
    """The function that names the suspects of a row.

    Parameters
    ----------
    suite
        The expectations.
    variables
        The name of the value of each column.
    taken
        The statement that takes the values out of a row, with a place for each of the keys.
    """
    bound, bind = _bindings()
    lines = [f"        {taken.format(*map(bind, keys))}"]
    for place, expectation in enumerate(suite.expectations):
        test = _test(expectation, variables, lambda rule, values: rule.row_test(values, bind))
        lines.append(f"        if not ({test}): found += ({place},)")
    every = bind(tuple(range(len(suite.expectations))))
    body = "\n".join(lines)
    source = f"def suspects(row):\n    found = ()\n    try:\n        pass\n{body}\n    except Exception:\n"
    source += f"        return {every}\n    return found\n"
    made: Suspects = _made(source, "suspects", bound)
    return made


def _holding(suite: Suite, variables: Mapping[str, str], taken: str) -> Holds:
    """The function that knows a row of finite floats which surely holds; parameters are those of `_compiled`."""
    bound, bind = _bindings()
    tests = [_test(each, variables, lambda rule, values: rule.number_test(values, bind)) for each in suite.expectations]
    test = " and ".join(f"({test})" for test in tests if test != "True") or "True"
    source = f"def holds(row):\n    try:\n        {taken}\n        return True if {test} else False\n"
    made: Holds = _made(f"{source}    except Exception:\n        return False\n", "holds", bound)
    return made


def _bindings() -> tuple[dict[str, Any], Bind]:
    """What a compiled function can name, and what binds more to names."""
    bound: dict[str, Any] = dict(KNOWN)

    def bind(value: object) -> str:
        name = f"bound_{len(bound)}"
        bound[name] = value
        return name

    return bound, bind


def _test(expectation: Expectation, variables: Mapping[str, str], ask: Callable[[Rule, Sequence[str]], str]) -> str:
    try:
        return ask(build(expectation), [variables[column] for column in expectation.columns])
    except (ExpectationError, KeyError):
        return "False"


def _made(source: str, name: str, bound: dict[str, Any]) -> Any:
    # Names and templates of ours alone: whatever the suite holds is bound to a name.
    exec(compile(source, "<suite>", "exec"), bound | {"__builtins__": {}}, bound)  # noqa: S102
    return bound[name]
