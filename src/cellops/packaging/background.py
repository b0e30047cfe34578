"""The background of explanations: real rows of the training data, drawn at random, that stand for all of it.

What an input adds to an answer is held against what the answer would have been without it: with the values of such
rows in its place (Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017, equations 9 to 11).
"""

from typing import TYPE_CHECKING

import numpy as np

from cellops.data.frames import scalars
from cellops.packaging.parity import expressible
from cellops.records.contract import Background, Schema

if TYPE_CHECKING:
    import pandas as pd

ROWS = 100
DRAWN = 4
"""How many times as many rows are drawn: some cannot be sent in a request."""
SEED = 20170522


def build_background(schema: Schema, inputs: "pd.DataFrame", rows: int = ROWS) -> Background | None:
    """Rows that stand for a table, the same for the same table.

    Parameters
    ----------
    schema
        Of the model's inputs.
    inputs
        The training table, with those columns at least.
    rows
        How many are kept at most.

    Returns
    -------
    Background or None
        None where no row that was drawn could be sent in a request.
    """
    drawn = np.random.default_rng(SEED).permutation(len(inputs))[: DRAWN * rows]
    table = inputs.iloc[drawn]
    kept = table.iloc[np.flatnonzero(expressible(schema, table))[:rows]]
    if not len(kept):
        return None
    values = {field.name: list(scalars(kept[field.name])) for field in schema.inputs}
    return Background(inputs=values, drawn_from=len(inputs))
