"""A table divided into parts, recorded so that the same parts can be made again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cellops.capture.content.known import content_of, hashes_or_reason, part_of
from cellops.capture.results.splits import Made
from cellops.flows.current_session import current_session
from cellops.records.finding import Finding, Severity
from cellops.records.split import SplitPlan, SplitRecord, TableContent

if TYPE_CHECKING:
    from cellops.data.splits.divide import Division
    from cellops.data.splits.parts import Parts
    from cellops.data.splits.planning import Fractions


def split(
    table: Any,
    *,
    time: str | None = None,
    groups: str | Sequence[str] | None = None,
    stratify: str | Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    fractions: "Fractions | None" = None,
    cuts: Any = None,
    gap: Any = None,
    seed: int = 0,
    salt: str = "",
) -> "Parts":
    """Divide the rows of a table into parts, in the way that the arguments name, else at random.

    In a cell that cellops captures the record of the split goes with the cell and with the runs that depend on it.

    Parameters
    ----------
    table
        A DataFrame of pandas or polars, or a table of pyarrow.
    time
        A column of times: earlier rows go to earlier parts.
    groups
        One or more columns: all rows of a group go to the same part.
    stratify
        One or more columns: each part gets the same share of each class.
    key
        One or more columns whose hash names the part: a row stays there, whatever rows come or go.
    fractions
        Shares that sum to one: of train and test, of train, validation and test, or by names of your own; or the share
        of the test alone. By default 0.8 and 0.2.
    cuts
        For `time`, in place of shares: the first time of the test, or of the validation and of the test.
    gap
        For `time`: rows this long before a cut are left out. A timedelta, a text as "7 days", or seconds; where the
        column holds numbers, a number.
    seed
        For splits at random, stratified and by groups: another one gives other parts.
    salt
        For `key`: another one gives other parts of the same keys.

    Returns
    -------
    Parts
        Tables of the type that was given: `train, test = ...`, or `.train`, `.test`; `.record` and `.findings` beside
        them. Rows keep their order.

    Raises
    ------
    UsageError
        When arguments contradict each other, or shares do not sum to one.
    InputError
        When a column is missing, lacks values or has the wrong kind of them, or a part would be empty.

    Examples
    --------
    >>> import pandas as pd
    >>> flights = pd.DataFrame({"day": pd.date_range("2013-01-01", periods=10), "delay": range(10)})
    >>> train, test = split(flights, time="day")
    >>> test["delay"].tolist()
    [8, 9]
    """
    from cellops.data.splits.divide import divide
    from cellops.data.splits.planning import plan_of

    plan = plan_of(
        time=time,
        groups=groups,
        stratify=stratify,
        key=key,
        fractions=fractions,
        cuts=cuts,
        gap=gap,
        seed=seed,
        salt=salt,
    )
    return kept(divide(table, plan))


def kept(division: "Division", noticed: Sequence[Finding] = ()) -> "Parts":
    """The parts of a division, with their record, which the open cell gets too."""
    from cellops.data.splits.parts import Parts

    record = record_of(division, noticed)
    parts = Parts(division.parts(), record)
    session = current_session()
    if session is not None:
        session.divided(Made(record, parts, {name: parts[name] for name in parts.names}))
    return parts


def record_of(division: "Division", noticed: Sequence[Finding] = ()) -> SplitRecord:
    """What is kept of a split: its plan, and what the whole and each part hold."""
    names = division.table.names
    hashes, reason = hashes_or_reason(division.table.data)
    places = division.places
    if hashes is None:
        whole = TableContent(rows=division.table.rows, columns=names, reason=reason)
        parts = {name: TableContent(rows=len(rows), columns=names, reason=reason) for name, rows in places.items()}
    else:
        whole = content_of(hashes, names)
        parts = {name: part_of(hashes[rows], names) for name, rows in places.items()}
    plan = division.divided.plan
    return SplitRecord(
        plan=plan,
        whole=whole,
        parts=parts,
        left_out=whole.rows - sum(content.rows for content in parts.values()),
        findings=(*noticed, *division.divided.findings, *_unread(plan, reason)),
    )


def _unread(plan: SplitPlan, reason: str | None) -> list[Finding]:
    if reason is None:
        return []
    return [
        Finding(
            code="split-not-hashed",
            severity=Severity.WARNING,
            where=f"split of kind {plan.kind}",
            seen=f"the parts cannot be known again: {reason}",
            remedy="Convert the column to numbers, texts or times before the split",
        )
    ]
