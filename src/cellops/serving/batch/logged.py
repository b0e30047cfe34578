"""The answers of a batch in the prediction log of the model, where drift, labels and reviews find them."""

from collections.abc import Iterator
from pathlib import Path

from cellops.data.batch.chunk import from_bytes
from cellops.data.batch.target import writing
from cellops.errors import OutputError
from cellops.monitoring.log_store import LogStore, reason
from cellops.monitoring.prediction_log import FOLDER
from cellops.monitoring.segment_files import put_closed, remove
from cellops.serving.batch.part import Part
from cellops.serving.logs import LogPlace

SEGMENT = "batch-"


def put_logs(place: LogPlace, parts: Iterator[Part]) -> None:
    """Write a segment for each chunk, named by its prediction ids: the same rows scored again are there once.

    Raises
    ------
    OutputError
        When the log cannot be written.
    """
    store = None if place.address is None else LogStore(place.address)
    for part in parts:
        if part.log is None:
            continue
        rows = from_bytes(part.log)
        name = f"{SEGMENT}{rows['prediction_id'][0].as_py().partition(':')[0]}"
        with writing(str(place.folder)):
            segment = put_closed(place.folder / FOLDER, name, rows)
        if store is not None:
            _send(store, segment)


def _send(store: LogStore, segment: Path) -> None:
    try:
        store.take(segment, FOLDER)
    except Exception as error:  # drivers raise errors of their own
        fact = f"The prediction log {store.public} cannot be written: {reason(error)}"
        raise OutputError(fact, remedy="Go on with --resume when the store answers") from error
    remove(segment)
