"""What a run left behind, held against what it leaves now: parameters, metrics, tables, models and figures."""

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from cellops.pipeline.verify.comparison import Comparing
from cellops.pipeline.verify.differences import NO_MEASURE, array_difference
from cellops.records.contract import Contract
from cellops.records.proof import Comparison, Verdict
from cellops.records.run import DataFingerprint, RunClosed

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

GONE = "there was none"


def compare_run(
    comparing: Comparing, before: RunClosed, after: RunClosed | None, *, bound: Container[str]
) -> Iterator[Comparison]:
    """What stands on the record of a run beside its cells.

    Parameters
    ----------
    bound
        The names that cells of the slice bound last: the notebook may have parameters that the run does not depend on,
        and to which other values were given than the slice has.
    """
    if after is None:
        yield Comparison(kind="run", name="record", verdict=Verdict.DIVERGED, after="the run left no record")
        return
    needed = {n: v for n, v in before.parameters.items() if n.partition(".")[0] in bound}
    now = {n: v for n, v in after.parameters.items() if n in needed or n not in before.parameters}
    yield from comparing.metrics("parameter", needed, now)
    yield from comparing.metrics("metric", before.metrics, after.metrics)
    yield from _tables(before, after)
    yield from _model(comparing, before.contract, after.contract)
    yield from _figures(before, after)


def _tables(before: RunClosed, after: RunClosed) -> Iterator[Comparison]:
    now = {(table.name, table.role): table for table in after.data}
    for table in before.data:
        other = now.pop((table.name, table.role), None)
        base = Comparison(kind="table", name=table.name, verdict=Verdict.DIVERGED, before=_table(table))
        if other is None:
            yield base.replace(after=GONE)
        elif "metadata-only" in (table.method, other.method) or table.method != other.method:
            note = table.reason or other.reason or ""
            yield base.replace(verdict=Verdict.NOT_COMPARED, after=_table(other), note=note)
        else:
            same = table.digest == other.digest
            yield base.replace(
                verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED, after=_table(other), note=table.reason or ""
            )
    yield from (_only_now("table", table.name, _table(table)) for table in now.values())


def _only_now(kind: str, name: str, after: str) -> Comparison:
    """What only the record of now has: a part of the earlier one may have been lost, so this is no difference."""
    note = "the record of the run has none"
    return Comparison(kind=kind, name=name, verdict=Verdict.NOT_COMPARED, before=GONE, after=after, note=note)


def _table(table: DataFingerprint) -> str:
    return f"{table.rows:,} x {table.columns} {table.digest[-12:]}"


def _model(comparing: Comparing, before: Contract | None, after: Contract | None) -> Iterator[Comparison]:
    """A model by its answers on the rows that its contract keeps."""
    if before is None:
        if after is not None:
            yield _only_now("model", "answers", f"{len(after.parity.labels)} probe rows")
        return
    base = Comparison(kind="model", name="answers", verdict=Verdict.DIVERGED)
    if after is None:
        yield base.replace(after="the run left no contract")
        return
    rows = len(before.parity.labels)
    note = f"{rows} probe rows"
    if before.parity.inputs != after.parity.inputs:
        yield base.replace(note="its probe rows are others, since its data are")
        return
    found = _answers(before, after)
    close = found <= comparing.tolerance
    verdict = Verdict.IDENTICAL if found == 0 else Verdict.WITHIN_TOLERANCE if close else Verdict.DIVERGED
    yield base.replace(
        verdict=verdict,
        before=note,
        after=note,
        difference=None if found == NO_MEASURE else found,
    )


def _answers(before: Contract, after: Contract) -> float:
    """The largest difference of the answers; infinity where another class is the answer."""
    import numpy as np

    then, now = before.parity, after.parity
    if (then.probabilities is None) != (now.probabilities is None):
        return NO_MEASURE
    labels, other = np.asarray(then.labels), np.asarray(now.labels)
    found = [array_difference(labels, other)] if labels.dtype.kind == "f" else []
    if not found and then.labels != now.labels:
        return NO_MEASURE
    if then.probabilities is not None:
        found.append(array_difference(np.asarray(then.probabilities), np.asarray(now.probabilities)))
    return max(found, default=0.0)


def _figures(before: RunClosed, after: RunClosed) -> Iterator[Comparison]:
    now = {figure.name: figure for figure in after.figures}
    for figure in before.figures:
        other = now.pop(figure.name, None)
        base = Comparison(kind="figure", name=figure.name, verdict=Verdict.DIVERGED, before=figure.digest[:12])
        if other is None:
            yield base.replace(after=GONE)
        elif None in (figure.picture, other.picture):
            yield base.replace(
                verdict=Verdict.IDENTICAL if figure.digest == other.digest else Verdict.NOT_COMPARED,
                after=other.digest[:12],
                note="" if figure.digest == other.digest else "its format cannot be compared",
            )
        else:
            same = figure.picture == other.picture
            yield base.replace(verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED, after=other.digest[:12])
    for figure in now.values():
        yield Comparison(
            kind="figure", name=figure.name, verdict=Verdict.DIVERGED, before=GONE, after=figure.digest[:12]
        )
