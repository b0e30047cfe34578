"""Labelled rows of a prediction log as the next training takes them."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import InputError, UsageError
from cellops.flows.review_log import opened
from cellops.flows.whole_file import write_whole
from cellops.records.review import ReviewFile
from cellops.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

ID = "prediction_id"
REVIEW = "review."
"""Before what is told of a label, so that inputs may be called as they like."""


def training_rows(
    what: Path | str, output: Path, *, log: Path | str | None = None, settings: Settings | None = None
) -> ReviewFile:
    """Write every labelled row as the next training takes it: inputs and target, and how the label came to be.

    Parameters
    ----------
    what, log
        As for `review`.
    output
        A Parquet or CSV file; one that stands there is replaced.

    Raises
    ------
    UsageError
        When it is neither, or cannot be written.
    InputError
        When no row has a label.
    """
    from cellops.monitoring import prediction_log

    if output.suffix.lower() not in {".parquet", ".csv"}:
        fact = f"{output.name} is neither a Parquet nor a CSV file by its name"
        raise UsageError(fact, remedy="Give a name that ends in .parquet or .csv")
    with opened(what, log, None, settings) as held:
        schema = held.contract.schema
        predictions = held.predictions()
        done = predictions[predictions["truth"].notna()].drop_duplicates(ID).reset_index(drop=True)
        if done.empty:
            fact = f"No prediction of {held.name} has a label yet"
            raise InputError(fact, remedy="Label some with cellops review, or send labels to /feedback")
        disputed = {each.prediction_id for each in held.disagreements(list(done[ID]))}
        inputs = prediction_log.inputs(done)
        clear = [field.name for field in schema.inputs if field.personal is None and field.name in inputs]
        hidden = [field.name for field in schema.inputs if field.name not in clear]
        table = inputs[clear].assign(
            **{
                schema.target: done["truth"].infer_objects(),
                f"{REVIEW}reviewed": done["reviewer"].notna(),
                f"{REVIEW}reviewer": done["reviewer"],
                f"{REVIEW}disputed": done[ID].isin(disputed),
                f"{REVIEW}observed": done["observed"],
                f"{REVIEW}time": done["time"],
                f"{REVIEW}answer": done["label"],
                f"{REVIEW}prediction_id": done[ID],
            }
        )
        write_whole(output, lambda torn: _write_table(torn, table, output.suffix.lower()))
        notes = (
            (f"Personal columns are not in clear in the log, so the rows lack {', '.join(hidden)}",) if hidden else ()
        )
        return ReviewFile(
            path=str(output),
            rows=len(table),
            reviewed=int(done["reviewer"].notna().sum()),
            disputed=len(disputed),
            notes=notes,
        )


def _write_table(path: Path, table: "pd.DataFrame", suffix: str) -> None:
    if suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
