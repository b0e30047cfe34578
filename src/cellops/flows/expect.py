"""Check expectations on a table, remember them for the contract, and propose some."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellops.data.expectations import check, infer, parse, written
from cellops.data.expectations.times import with_times
from cellops.errors import ExpectationError, UsageError
from cellops.flows.frames import is_frame, likely
from cellops.flows.session import Session
from cellops.flows.table_file import CSV, read_table_file
from cellops.records.contract import Suite
from cellops.records.expectation import SuiteResult
from cellops.records.finding import Severity

Frame = Any
"""A frame of pandas or polars, or a table of Arrow."""


def expect(
    table: str | Path | Frame,
    expectations: str | Suite,
    namespace: Mapping[str, Any] | None = None,
    *,
    session: Session | None = None,
) -> SuiteResult:
    """Hold a table against expectations.

    Parameters
    ----------
    table
        The name of a frame in the namespace; the path of a CSV or Parquet file, or of a folder with Parquet
        files; or a frame of pandas or polars, or a table of Arrow.
    expectations
        One a line, in the vocabulary of Great Expectations; or a suite.
    namespace
        What names stand for, where it is a notebook that asks.
    session
        Keeps the suite, so that the packages of its runs carry it.

    Returns
    -------
    SuiteResult
        The verdict on each expectation.

    Raises
    ------
    UsageError
        When there is no such table.
    ExpectationError
        When the expectations cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> trips = pd.DataFrame({"distance": [200.0, -3.0]})
    >>> expect(trips, 'expect_column_values_to_be_between("distance", 0)').passed
    False
    """
    name, frame = _found(table, namespace)
    suite = parse(name, expectations, namespace or {}) if isinstance(expectations, str) else expectations
    if isinstance(table, str | Path) and namespace is None and Path(table).suffix.lower() in CSV:
        frame = with_times(frame, suite)
    result = check(suite, frame)
    if session is not None:
        session.suites[name] = suite
    return result


def propose(table: str | Path | Frame, body: str = "", namespace: Mapping[str, Any] | None = None) -> str:
    """Expectations that a table suggests, one a line, below those of a body that already stand.

    Raises
    ------
    UsageError
        When there is no such table.
    ExpectationError
        When the body cannot be read.
    """
    name, frame = _found(table, namespace)
    proposed = infer(name, frame)
    if not body.strip():
        return written(proposed)
    given = {(one.rule, one.columns) for one in parse(name, body, namespace or {}).expectations}
    new = tuple(one for one in proposed.expectations if (one.rule, one.columns) not in given)
    return f"{body.strip()}\n{written(proposed.replace(expectations=new))}".rstrip()


def refuse(result: SuiteResult) -> None:
    """Stop where an expectation of severity `error` does not hold.

    Raises
    ------
    ExpectationError
        Naming them; `data["results"]` holds their verdicts.
    """
    failures = result.failures(Severity.ERROR)
    if not failures:
        return
    said = [f"{f.expectation.rule}({', '.join(f.expectation.columns)})" for f in failures]
    fact = f"{len(said)} of {len(result.results)} expectations on {result.suite} do not hold: {'; '.join(said)}"
    raise ExpectationError(
        fact, remedy="Mend the data, or the expectation; the first rows are shown above", results=failures
    )


def _found(table: str | Path | Frame, namespace: Mapping[str, Any] | None) -> tuple[str, Frame]:
    """A name for the table, and the table itself."""
    if isinstance(table, str) and namespace is not None:
        return table, _named(table, namespace)
    if isinstance(table, str | Path):
        return Path(table).stem, read_table_file(Path(table))
    if not is_frame(table):
        fact = "This is no table"
        raise UsageError(fact, received=type(table).__name__, remedy="Give a DataFrame, or the path of a file")
    return "table", table


def _named(table: str, namespace: Mapping[str, Any]) -> Frame:
    frame = namespace.get(table)
    if is_frame(frame):
        return frame
    fact = f"There is no DataFrame {table} in this notebook"
    raise UsageError(fact, remedy=likely(table, namespace))
