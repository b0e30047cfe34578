"""What of another's suite could not be carried over: named, never dropped in silence."""

from collections.abc import Sequence

from cellops.errors import ExpectationError
from cellops.records.finding import Finding, Severity


def left_out(where: str, why: str, remedy: str = "Write it by hand") -> Finding:
    """One thing that has no counterpart on the other side."""
    return Finding(
        code="expectation-left-out",
        severity=Severity.WARNING,
        where=where,
        seen=f"it could not be carried over: {why}",
        remedy=remedy,
    )


def tell(found: Sequence[Finding], findings: list[Finding] | None, name: str) -> None:
    """Give the findings to who asked for them.

    Raises
    ------
    ExpectationError
        When nobody did, and there are some.
    """
    if findings is not None:
        findings += found
    elif found:
        said = "; ".join(f"{finding.where}: {finding.seen}" for finding in found)
        fact = f"{len(found)} expectations of {name} could not be carried over: {said}"
        raise ExpectationError(fact, remedy="Take them out, or give a list for findings", findings=list(found))
