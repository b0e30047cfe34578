"""Rows that a model was trained on, on their way to the writer, which sees how much its answers hang on each input.

A notebook does not wait for that: the model answers thousands of rows for it. They lie beside the pickled model,
readable by its owner only, and are deleted with it.
"""

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.records.run import ModelSpool, RunClosed
from cellops.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 1000
SUFFIX = ".rows"


def rows_beside(spool: Path) -> Path:
    """Where the rows of a model lie."""
    return spool.with_suffix(SUFFIX)


def keep_rows(spool: ModelSpool, inputs: "pd.DataFrame") -> None:
    """Write rows that are spread over the table of a model's training, as the model takes them."""
    kept = min(MOST_ROWS, len(inputs))
    places = [place * (len(inputs) - 1) // max(kept - 1, 1) for place in range(kept)]
    content = pickle.dumps(inputs.iloc[places], protocol=pickle.HIGHEST_PROTOCOL)
    descriptor = os.open(rows_beside(Path(spool.path)), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def with_importance(closed: RunClosed, settings: Settings) -> RunClosed:
    """The run with the importance of its model's inputs in the contract; as it is where that cannot be seen."""
    if closed.contract is None or closed.contract.importance or not closed.models:
        return closed
    own, folder = closed.models[0], settings.folder.resolve() / "spool" / closed.run
    if not rows_beside(Path(own.path)).exists():
        return closed
    from cellops.packaging.importance import importance
    from cellops.packaging.predictor import SklearnPredictor
    from cellops.tracking.model import importable, read_own, read_spool

    try:
        with importable(own.import_paths):
            inputs = pickle.loads(read_own(rows_beside(Path(own.path)), folder))  # noqa: S301 - what `read_own` gives is ours
            predictor = SklearnPredictor(read_spool(own, folder), closed.contract.schema)
            shares = importance(predictor, closed.contract.schema, inputs)
    except Exception:  # noqa: BLE001 - the model's own code; logging it says what is wrong with it
        return closed
    return closed.replace(contract=closed.contract.replace(importance=shares))
