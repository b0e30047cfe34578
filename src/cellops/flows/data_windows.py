"""The windows of a file with data, answered by the model: as a whole, or in chunks where memory may not hold it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.data.problems import listed, shorten
from cellops.data.released import release
from cellops.errors import InputError
from cellops.flows.renamed_columns import renamed_columns, respelled
from cellops.flows.scored import Incomplete, Unscored, answered
from cellops.monitoring.gathered_windows import GatheredWindows
from cellops.monitoring.window_part import WindowPart
from cellops.monitoring.window_parts import WindowParts
from cellops.monitoring.windows import Window, cut, whole
from cellops.records.contract import Schema
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

    from cellops.data.table_chunks import TableChunks
    from cellops.packaging.load import LoadedPackage

LONGEST_LIST = 300
"""Characters of a file's column names in an error."""


@dataclass(frozen=True)
class Wanted:
    """What the windows of a file shall be."""

    time: str | None
    """The column by which rows are put into windows; None for one window of all."""
    label: str | None
    """The column with the truth; None for the model's target, where it is there."""
    by: str
    """`day`, `week` or `month`."""
    chunk_rows: int | None = None
    """Rows of a chunk. Given, a file of any length is read in chunks; else those that are long are."""


def data_windows(
    loaded: "LoadedPackage", path: Path, wanted: Wanted, on_stage: Callable[[str], None]
) -> tuple[Sequence[Window | WindowPart], list[Finding]]:
    """The windows of a file, and what could not be read or answered.

    Parameters
    ----------
    path
        A CSV or Parquet file, or a folder with Parquet files.
    wanted
        How rows are put into windows, and where the truth stands.
    on_stage
        Hears of the rows that have been read, where there are many.

    Returns
    -------
    windows, findings
        Windows with their rows, so that statistics are exact; or, of a file that is long, what its chunks showed, of
        which counts are exact and quantiles come from a sketch.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When the data cannot be read, or have no such column.
    """
    from cellops.data.table_chunks import TableChunks, is_long

    schema, label = loaded.contract.schema, wanted.label
    inputs = [needed.name for needed in schema.inputs]
    if label is not None and label in inputs:
        fact = f"{label} is an input of the model, so it cannot be the truth"
        raise InputError(fact, remedy=f"Name the column that holds {schema.target}", column=label)
    chunks = TableChunks(path, schema, label or schema.target, {*inputs, label or schema.target}, wanted.chunk_rows)
    chunks.columns |= set() if wanted.time is None else {wanted.time}
    read = None if wanted.chunk_rows or is_long(path, chunks.columns) else _read(chunks)
    windows: Sequence[Window | WindowPart]
    if read is None:
        windows, findings = _in_chunks(loaded, chunks, wanted, on_stage)
    else:
        windows, findings = _at_once(loaded, path, *read, wanted)
    return windows, [*findings, *renamed_columns(path, loaded.contract, chunks.columns - {*inputs})]


def _at_once(
    loaded: "LoadedPackage", path: Path, frame: "pd.DataFrame", findings: list[Finding], wanted: Wanted
) -> tuple[list[Window], list[Finding]]:
    schema, label = loaded.contract.schema, wanted.label
    unscored, incomplete = Unscored(), Incomplete()
    names = list(map(str, frame.columns))
    target = _target(path, names, schema, label)
    findings += _of_label(target, names, schema)
    incomplete.add(schema, frame)
    windows = whole(frame) if wanted.time is None else cut(frame, wanted.time, wanted.by)
    scored = [answered(loaded, part, target, unscored) for part in windows]
    return scored, [*findings, *incomplete.findings(), *unscored.findings()]


def _read(chunks: "TableChunks") -> "tuple[pd.DataFrame, list[Finding]] | None":
    """A file or a folder as a whole; None where the files of a folder do not have the same columns, or doubled ones.

    Nor are those the same of which one holds truths and the other numbers, which pandas would join without a word.
    """
    from cellops.data.tables import doubled, read_table

    if not chunks.path.is_dir():
        return read_table(chunks.path, chunks.schema, chunks.label)
    import pandas as pd

    tables = list(chunks)
    layouts = {frozenset((name, dtype.kind == "b") for name, dtype in table.dtypes.items()) for table in tables}
    if len(layouts) > 1 or any(doubled(table.columns) for table in tables):
        return None
    return pd.concat(tables), []


def _in_chunks(
    loaded: "LoadedPackage",
    chunks: "TableChunks",
    wanted: Wanted,
    on_stage: Callable[[str], None],
) -> tuple[WindowParts, list[Finding]]:
    schema, unscored, incomplete = loaded.contract.schema, Unscored(), Incomplete()
    held, gathered = WindowParts(), GatheredWindows()
    of_label: list[Finding] = []
    rows = 0

    def take(windows: Iterator[Window]) -> None:
        for window in windows:
            target = chunks.label if (window.frame.columns == chunks.label).sum() == 1 else None
            held.add(WindowPart.of(loaded.contract, answered(loaded, window, target, unscored)))

    for frame in chunks:
        if not rows:
            target = _target(chunks.path, chunks.names, schema, wanted.label)
            of_label = _of_label(target, chunks.names, schema)
        rows += len(frame)
        incomplete.add(schema, frame)
        for window in _cut(frame, wanted):
            take(gathered.add(window))
        release()
        on_stage(f"{rows:,} rows read")
    take(gathered.rest())
    if not held:
        whole(frame)  # which refuses a table without rows
    return held, [*chunks.findings(), *of_label, *incomplete.findings(), *unscored.findings()]


def _cut(frame: "pd.DataFrame", wanted: Wanted) -> tuple[Window, ...]:
    if not len(frame):
        return ()
    return whole(frame) if wanted.time is None else cut(frame, wanted.time, wanted.by)


def _target(path: Path, names: list[str], schema: Schema, label: str | None) -> str | None:
    """The column with the truth, where there is one.

    Raises
    ------
    InputError
        When the file is of something else, or one whose cells are not divided by commas; when it has no such column.
    """
    told = shorten(listed(names), LONGEST_LIST)
    if {needed.name for needed in schema.inputs}.isdisjoint(names):
        fact = f"{path.name} has none of the model's columns {listed(needed.name for needed in schema.inputs)}"
        alike = [
            f"{name} is {wanted}" for name, wanted in respelled([one.name for one in schema.inputs], names).items()
        ]
        said = f"Call them as in training: {shorten(listed(alike), LONGEST_LIST)}" if alike else ""
        comma = f"Its columns are: {told}. A CSV file needs commas between its cells"
        raise InputError(fact, remedy=said or comma)
    if label is not None and label not in names:
        fact = f"{path.name} has no column {label}"
        raise InputError(fact, remedy=f"Its columns are {told}", column=label)
    if label is not None and names.count(label) > 1:
        fact = f"{path.name} has {names.count(label)} columns called {label}"
        raise InputError(fact, remedy="Name the column with the truth once", column=label)
    return label or (schema.target if names.count(schema.target) == 1 else None)


def _of_label(target: str | None, names: list[str], schema: Schema) -> list[Finding]:
    """What is to be said of the truth: that it is taken from another column, or cannot be."""
    if target is None and schema.target in names:
        return [
            Finding(
                code="label-not-compared",
                severity=Severity.ERROR,
                where=f"column {schema.target}",
                seen=f"{names.count(schema.target)} columns have this name, so the answers are held against no truth",
                remedy="Name the column with the truth once",
            )
        ]
    if target in (None, schema.target):
        return []
    return [
        Finding(
            code="label-not-target",
            severity=Severity.INFO,
            where=f"column {target}",
            seen=f"it is taken for the truth, while the model was trained to predict {schema.target}",
            remedy=f"Nothing, if {target} holds {schema.target} under another name",
        )
    ]
