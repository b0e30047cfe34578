"""The answers that a person should look at: those that the model was unsure of and that nobody has labelled.

The queue is no store of its own: it is what the prediction log holds and the label log does not.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cellops.monitoring.prediction_log import PROBABILITY
from cellops.records.contract import Schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

UNANSWERED = "fallback answer"
"""What the server writes down where no model gave the answer; its probability of 1 says nothing."""
BY_CHANCE = "drawn by chance"


def waiting(predictions: "pd.DataFrame", schema: Schema, *, below: float, sample: float) -> "pd.DataFrame":
    """The answers that wait, in the order in which they should be looked at.

    Parameters
    ----------
    predictions
        As `prediction_log.joined` gives them, of one package.
    schema
        Of that package.
    below
        Answers with less confidence than this wait; confidence is the highest probability (least confidence sampling:
        Lewis and Gale, A sequential algorithm for training text classifiers, SIGIR 1994). Answers of a model without
        probabilities wait where the server did something to the row, such as putting a default in.
    sample
        Share of the queue that is drawn by chance among all others, as a check of what is not looked at. They are
        spread over the queue; which they are follows from their ids.

    Returns
    -------
    DataFrame
        The rows without a label, with `confidence` (missing where no probability speaks for the answer) and `why`;
        answers without confidence first, then the least confident.
    """
    open_ = predictions[predictions["truth"].isna()].drop_duplicates("prediction_id").reset_index(drop=True)
    confidence = _confidence(open_, schema)
    why = _why(open_, schema, confidence, below)
    asking = np.flatnonzero(why != "")
    asking = asking[np.argsort(np.where(np.isnan(confidence[asking]), -1.0, confidence[asking]), kind="stable")]
    drawn = _drawn(open_, np.flatnonzero(why == ""), _checks(len(asking), sample))
    why[drawn] = BY_CHANCE
    order = _spread(asking, drawn)
    return open_.assign(confidence=confidence, why=why).iloc[order].reset_index(drop=True)


def asked(batch: "pa.RecordBatch", schema: Schema, below: float) -> int:
    """How many rows of a batch of the prediction log wait by themselves, whatever is drawn by chance beside them."""
    names = [name for name in batch.schema.names if name == "handled" or name.startswith(PROBABILITY)]
    rows = batch.select(names).to_pandas()
    return int(_asks(rows, schema, _confidence(rows, schema), below).sum())


def _confidence(rows: "pd.DataFrame", schema: Schema) -> NDArray[np.float64]:
    names = [f"{PROBABILITY}{name}" for name in schema.classes]
    if not schema.probabilities or not set(names) <= set(rows.columns):
        return np.full(len(rows), np.nan)
    highest: NDArray[np.float64] = rows[names].to_numpy(dtype=float).max(axis=1, initial=-np.inf)
    return np.where(_handled(rows, UNANSWERED), np.nan, highest)


def _why(
    rows: "pd.DataFrame", schema: Schema, confidence: NDArray[np.float64], below: float
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """For each row what brings it here, in words; empty for those that nothing does."""
    why = np.full(len(rows), "", dtype=object)
    asks = _asks(rows, schema, confidence, below)
    unsure = np.flatnonzero(asks & (confidence < below))
    why[unsure] = [f"confidence {value:.3g}, below {below:.3g}" for value in confidence[unsure]]
    others = asks & ~(confidence < below)
    why[others] = rows["handled"].to_numpy(dtype=object)[others]
    return why


def _asks(rows: "pd.DataFrame", schema: Schema, confidence: NDArray[np.float64], below: float) -> NDArray[np.bool_]:
    """Which rows a person should look at."""
    if schema.probabilities:
        return (confidence < below) | _handled(rows, UNANSWERED)
    handled: NDArray[np.bool_] = rows["handled"].notna().to_numpy(dtype=bool)
    return handled


def _handled(rows: "pd.DataFrame", word: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = rows["handled"].astype(object).str.contains(word, regex=False).eq(True).to_numpy(bool)
    return found


def _checks(asked: int, sample: float) -> int:
    """How many rows by chance make up that share of a queue; rounded up, and none where nothing waits.

    >>> _checks(19, 0.05), _checks(2, 0.05), _checks(0, 0.5), _checks(7, 0)
    (1, 1, 0, 0)
    """
    return int(np.ceil(round(asked * sample / (1 - sample), 9)))


def _drawn(rows: "pd.DataFrame", others: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """Those of the others whose ids have the smallest hashes: by chance, and the same whoever asks."""
    import xxhash

    if not number:
        return others[:0]
    hashes = [xxhash.xxh3_64_intdigest(str(name).encode()) for name in rows["prediction_id"].iloc[others]]
    return others[np.argsort(np.array(hashes, dtype=np.uint64), kind="stable")[:number]]


def _spread(asked: NDArray[np.intp], drawn: NDArray[np.intp]) -> NDArray[np.intp]:
    """Both together, the second at equal distances: at the end nobody would come to them."""
    places = np.concatenate([np.arange(len(asked)), (np.arange(len(drawn)) + 0.5) * len(asked) / max(len(drawn), 1)])
    together = np.concatenate([asked, drawn])
    return together[np.argsort(places, kind="stable")]
