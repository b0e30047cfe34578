"""Check expectations on a table of the notebook, and remember them for the contract."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from cellops.capture.content.fingerprint import is_table
from cellops.data.expectations import check, parse
from cellops.errors import ExpectationError, UsageError
from cellops.flows.session import Session
from cellops.records.expectation import SuiteResult
from cellops.records.finding import Severity


def expect(table: str, body: str, namespace: Mapping[str, Any], *, session: Session | None = None) -> SuiteResult:
    """Hold the frame `table` of the namespace against the expectations in `body`, one a line.

    The suite stays with the session, so that the packages of its runs carry it.

    Raises
    ------
    UsageError
        When the namespace has no such frame.
    ExpectationError
        When the body cannot be read.
    """
    frame = namespace.get(table)
    if frame is None or not is_table(frame) or not hasattr(frame, "columns"):
        frames = [n for n, v in namespace.items() if not n.startswith("_") and is_table(v) and hasattr(v, "columns")]
        near = get_close_matches(table, frames, n=1) or frames[:1]
        hint = f"Did you mean {near[0]}?" if near else "Run the cell that makes it first"
        fact = f"There is no DataFrame {table} in this notebook"
        raise UsageError(fact, remedy=hint)
    suite = parse(table, body, namespace)
    result = check(suite, frame)
    if session is not None:
        session.suites[table] = suite
    return result


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
        fact, remedy="Mend the data, or the expectation; the table above shows rows", results=failures
    )
