"""Rows on which a converted model is asked: the parity rows, and mixtures of what the contract knows of each column.

A mixture takes each column's value by itself: real values, those between its bounds, missing ones, and the very
thresholds of the model's trees with their neighbours in both precisions, where a rounding would show.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.arrays import Array
from cellops.data.decoder import decode_columns
from cellops.packaging.formats.parts import parts
from cellops.records.contract import Contract, Field
from cellops.records.profile import ColumnKind

MIXED = 2000
BETWEEN = 100
MOST_THRESHOLDS = 5000
SEED = 20130401


def proof_rows(contract: Contract, model: Any) -> dict[str, Array]:
    """Columns as a request gives them, the parity rows first; the same for the same model and contract."""
    generator = np.random.default_rng(SEED)
    known = decode_columns(contract.schema, contract.parity.inputs)
    edges = thresholds(model)
    return {
        field.name: np.concatenate([known[field.name], _mixed(field, known[field.name], edges, generator)])
        for field in contract.schema.inputs
    }


def thresholds(model: Any) -> npt.NDArray[np.float64]:
    """The numbers at which trees in the model turn, with their neighbours in double and in single precision."""
    found = [_turns(part) for part in parts(model)]
    edges = np.unique(np.concatenate([np.empty(0), *found]))
    edges = edges[np.isfinite(edges)][:MOST_THRESHOLDS]
    single = edges.astype(np.float32)
    near = [np.nextafter(single, np.float32(side)).astype(float) for side in (-np.inf, np.inf)]
    return np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), single, *near])


def _turns(part: Any) -> npt.NDArray[np.float64]:
    match type(part).__name__:
        case "Tree":
            return np.asarray(part.threshold[part.children_left >= 0], dtype=float)
        case "TreePredictor":
            return np.asarray(part.nodes["num_threshold"][part.nodes["is_leaf"] == 0], dtype=float)
    return np.empty(0)


def _mixed(field: Field, known: Array, edges: Array, generator: np.random.Generator) -> Array:
    pool = known
    if field.kind in {ColumnKind.NUMBER, ColumnKind.INTEGER} and field.minimum is not None:
        low, high = field.minimum, field.maximum if field.maximum is not None else field.minimum
        between = generator.uniform(low, high, BETWEEN)
        inside = edges[(edges >= low) & (edges <= high)]
        several = np.tile(inside, 1 + BETWEEN // max(1, len(inside)))  # so that thresholds are not drowned
        values = np.concatenate([between, several])
        whole = field.kind is ColumnKind.INTEGER
        pool = np.concatenate([known, (np.floor(values) if whole else values).astype(known.dtype)])
    elif field.categories:
        pool = np.concatenate([known, np.array(field.categories, dtype=object)])
    drawn = pool[generator.integers(0, len(pool), MIXED)]
    if field.nullable:
        holes = generator.random(MIXED) < 1 / 8
        drawn[holes] = np.nan if drawn.dtype.kind == "f" else None
    return drawn
