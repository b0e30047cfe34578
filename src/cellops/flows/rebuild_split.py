"""The parts of a split made again from its record, and shown to be the same."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cellops.capture.content.known import differences
from cellops.errors import DataError, NotFoundError
from cellops.records.finding import Finding, Severity
from cellops.records.split import SplitRecord
from cellops.settings import Settings, load

if TYPE_CHECKING:
    from cellops.data.splits.parts import Parts

BY_VALUE = ("hashed", "time")
"""Kinds that put a row where its own values say: others may come or go."""
IN_ANY_ORDER = (*BY_VALUE, "groups")


def rebuild_split(
    run: str | SplitRecord, table: Any, *, part: str | None = None, settings: Settings | None = None
) -> "Parts":
    """Make the parts of a run's split again, from its record and the table that it divided.

    Where the table holds other rows than it did, a split by hash or by time still puts each row where it was, and a
    finding says what is different; any other split is refused.

    Parameters
    ----------
    run
        The start of a run's key, its name, its MLflow id, or `last`; or the record of a split, as `Parts` has it.
    table
        What was divided, in pandas, polars or pyarrow, whichever it was then.
    part
        The name that a part was bound to, where the run depends on several splits.

    Returns
    -------
    Parts
        As `cellops.split` gave them.

    Raises
    ------
    NotFoundError
        When there is no such run, or it has no such split.
    DataError
        When the table is another one; `data["differences"]` says in what.
    InputError
        When the table lacks a column that decides.
    RecordError
        When the run has not ended, or its record is not whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.flows.split import split
    >>> flights = pd.DataFrame({"flight": range(10)})
    >>> train, test = split(flights, key="flight", fractions=0.4)
    >>> again = rebuild_split(split(flights, key="flight", fractions=0.4).record, flights[::-1])
    >>> sorted(again.test["flight"]) == sorted(test["flight"])
    True
    """
    from cellops.data.splits.divide import divide
    from cellops.flows.split import kept, record_of

    record = run if isinstance(run, SplitRecord) else _of_run(run, part, settings or load())
    # Where columns are gone, dividing says so.
    division = divide(table, record.plan)
    made = record_of(division)
    found = differences(record.whole, made.whole)
    plan = record.plan
    same_rows = made.whole.unordered == record.whole.unordered and made.whole.unordered is not None
    if found and plan.kind not in (IN_ANY_ORDER if same_rows else BY_VALUE):
        fact = f"The table is not the one that was divided: {'; '.join(found)}"
        remedy = "Read the data as it was, with cellops.dataset(run, name), or divide the table anew with cellops.split"
        raise DataError(fact, remedy=remedy, differences=tuple(found))
    if not found and made.parts != record.parts and made.whole.digest is not None:
        fact = "The parts come out otherwise, though the table is the one that was divided"
        raise DataError(fact, remedy="The record was changed: take that of the run, or divide the table anew")
    return kept(division, [_differs(found)] if found else [])


def _of_run(run: str, part: str | None, settings: Settings) -> SplitRecord:
    from cellops.flows.recorded import recorded

    with TemporaryDirectory(prefix="cellops-") as folder:
        held = recorded(run, settings, lambda: Path(folder)).run
    made = [split for split in held.closed.splits if split.made is not None]
    chosen = [split.made for split in made if split.made is not None and (part is None or part in split.parts)]
    if len(chosen) == 1:
        return chosen[0]
    where = f"The run {held.name} ({held.run[:8]})"
    if not made:
        fact = f"{where} has no split that can be made again"
        raise NotFoundError(fact, remedy="Divide rows with cellops.split, whose record goes with the run")
    bound = ", ".join(name for split in made for name in split.parts)
    fact = f"{where} has {len(chosen)} splits{f' with a part {part}' if part else ''}"
    raise NotFoundError(fact, remedy=f"Name one of its parts: part= one of {bound}")


def _differs(found: list[str]) -> Finding:
    return Finding(
        code="split-of-other-rows",
        severity=Severity.WARNING,
        where="split",
        seen=f"the table is not the one that was divided: {'; '.join(found)}; what was there stands where it stood",
        remedy="Nothing, if rows were to come or go; else read the data as it was with cellops.dataset",
    )
