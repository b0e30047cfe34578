"""Whether anything of the training stands in the evaluation: rows, groups, later times."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cellops.capture.content.known import hashes_or_reason
from cellops.capture.content.rows import overlap
from cellops.capture.results.splits import shared_rows
from cellops.records.finding import Finding
from cellops.records.split import Split

if TYPE_CHECKING:
    from cellops.capture.results.tables import Pair

WHERE = "split"


def check_split(
    training: Any,
    evaluation: Any,
    *,
    groups: str | Sequence[str] | None = None,
    time: str | None = None,
) -> list[Finding]:
    """Look for what a model would know of the evaluation from its training, however the two were divided.

    Rows of equal content on both sides are looked for always: `rows-shared`.

    Parameters
    ----------
    training, evaluation
        Two tables of pandas, polars or pyarrow.
    groups
        One or more columns of which no value may stand on both sides: `groups-shared`.
    time
        A column of times; no row of the training may be as late as one of the evaluation: `time-order-broken`.

    Returns
    -------
    list of Finding
        Empty where nothing was found.

    Raises
    ------
    InputError
        When a column is missing, lacks values or holds none of the kind.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"customer": [1, 1, 2], "spent": [3.0, 4.0, 5.0]})
    >>> [finding.code for finding in check_split(rows[:1], rows[1:], groups="customer")]
    ['groups-shared']
    """
    from cellops.data.splits.leaks import groups_shared, time_broken
    from cellops.data.splits.table import Table

    sides = Table(training), Table(evaluation)
    found = _rows_shared(training, evaluation)
    if groups is not None:
        found += groups_shared(*sides, (groups,) if isinstance(groups, str) else tuple(groups), WHERE)
    return found + (time_broken(*sides, time, WHERE) if time is not None else [])


def leaks_of_run(splits: Iterable[Split], pairs: Iterable[tuple["Pair", "Pair"]], where: str) -> list[Finding]:
    """What the models' tables show of groups and times that the run's splits were to keep apart."""
    from cellops.data.splits.leaks import groups_shared, time_broken
    from cellops.data.splits.table import KINDS, Table

    found = []
    for plan in [split.made.plan for split in splits if split.made is not None]:
        for pair in pairs:
            values = [side[0].value for side in pair]
            if not all((type(v).__module__.partition(".")[0], type(v).__name__) in KINDS for v in values):
                continue
            training, evaluation = map(Table, values)
            if not set(plan.columns) <= {*training.names} & {*evaluation.names}:
                continue
            if plan.kind == "groups":
                found += groups_shared(training, evaluation, plan.columns, where)
            elif plan.kind == "time":
                found += time_broken(training, evaluation, plan.columns[0], where)
    return found


def _rows_shared(training: Any, evaluation: Any) -> list[Finding]:
    train, test = hashes_or_reason(training)[0], hashes_or_reason(evaluation)[0]
    if train is None or test is None:
        return []
    return shared_rows(overlap(("training", train), ("evaluation", test)), WHERE)
