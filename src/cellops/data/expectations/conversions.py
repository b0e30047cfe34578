"""Columns of other libraries, and of Python's own objects, as numpy holds them."""

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]


def encoded_texts(texts: Any) -> tuple[Codes, Values] | None:
    """Codes and distinct texts, as Arrow finds them in a third of the time of pandas; None for what it cannot hold."""
    import pyarrow as pa

    try:
        held = pa.array(texts, from_pandas=True)
    except (pa.ArrowInvalid, UnicodeError):
        return None
    encoded = (held if isinstance(held, pa.ChunkedArray) else pa.chunked_array([held])).dictionary_encode()
    chunks = encoded.unify_dictionaries().chunks
    if not chunks:
        return None
    codes = np.concatenate([chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks])
    return codes.astype(np.intp), np.asarray(chunks[0].dictionary.to_numpy(zero_copy_only=False), dtype=object)


def numbers_of(values: Values, *, whole: bool) -> Values:
    """Numbers of Python as numpy holds them: whole ones with all their digits, as far as 64 bits have them."""
    try:
        return values.astype(np.int64 if whole else float)
    except OverflowError:
        return values.astype(float)


def times_of(values: Values) -> Values:
    """Dates and times of Python as numpy holds them, in UTC."""
    import pandas as pd

    return np.asarray(pd.to_datetime(list(values), utc=True).tz_localize(None).to_numpy())


def series_of(data: Any) -> Any:
    """A column of polars or Arrow as pandas holds it: integers with missing ones stay integers."""
    import pandas as pd
    import pyarrow as pa

    arrow = data.to_arrow() if hasattr(data, "to_arrow") else data
    whole = {
        getattr(pa, name)(): getattr(pd, f"{'UInt' if name[0] == 'u' else 'Int'}{name.lstrip('uint')}Dtype")()
        for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    }
    return arrow.to_pandas(types_mapper=(whole | {pa.bool_(): pd.BooleanDtype()}).get if arrow.null_count else None)
