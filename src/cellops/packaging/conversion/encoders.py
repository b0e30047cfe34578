"""Encoders of categories as ONNX: what the encoder itself says of each category stands in a table that rows look up.

skl2onnx's own are of single precision, and answer for a category that the encoder refuses.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.packaging.conversion.writer import BOOL, DOUBLE, INT64, Writer, number_type

UNKNOWN_TEXT = "\0unknown"


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    """By its class, how skl2onnx shall write each encoder."""
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    return dict.fromkeys((OneHotEncoder, OrdinalEncoder), _convert)


def shapes() -> dict[type, Callable[[Any], None]]:
    """By its class, what skl2onnx shall expect of each encoder."""
    return dict.fromkeys(converters(), _shape)


def tables(encoder: Any) -> list[npt.NDArray[np.float64]]:
    """What the encoder gives for each category of each column; a last row is for unknown ones, if it takes them."""
    kept = [list(categories) for categories in encoder.categories_]
    first = [categories[0] for categories in kept]
    takes = encoder.handle_unknown not in {"error", "warn"}
    made, begin = [], 0
    for place, categories in enumerate(kept):
        tried = [*categories, *([_unknown(encoder.categories_[place])] if takes else [])]
        rows = np.array([[*first[:place], value, *first[place + 1 :]] for value in tried], dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = encoder.transform(rows)
        given = np.asarray(given.toarray() if hasattr(given, "toarray") else given, dtype=float)
        width = _width(encoder, place)
        made.append(given[:, begin : begin + width])
        begin += width
    return made


def _width(encoder: Any, place: int) -> int:
    widths = getattr(encoder, "_n_features_outs", None)
    return 1 if widths is None else int(widths[place])


def _unknown(categories: npt.NDArray[Any]) -> Any:
    if categories.dtype.kind in "OUS":
        return UNKNOWN_TEXT
    return float(np.nanmax(categories.astype(float), initial=0.0)) + 1


def _shape(operator: Any) -> None:
    encoder = operator.raw_operator
    width = sum(_width(encoder, place) for place in range(len(encoder.categories_)))
    operator.outputs[0].type = number_type(operator)([operator.inputs[0].get_first_dimension(), width])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    writer, encoder = Writer(scope, container), operator.raw_operator
    columns = zip(_columns(writer, operator), encoder.categories_, tables(encoder), strict=True)
    found = [_looked_up(writer, column, categories, table) for column, categories, table in columns]
    writer.cast(writer.node("Concat", found, axis=1), operator.outputs[0])


def _columns(writer: Writer, operator: Any) -> Iterator[str]:
    for given in operator.inputs:
        width = given.get_second_dimension()
        for place in range(width):
            which = [given.full_name, writer.constant(np.array([place]))]
            yield given.full_name if width == 1 else writer.node("Gather", which, axis=1)


def _looked_up(writer: Writer, column: str, categories: npt.NDArray[Any], table: npt.NDArray[np.float64]) -> str:
    """The rows of the table; where it has none for unknown categories, onnxruntime refuses the row."""
    text = categories.dtype.kind in "OUS"
    names = np.array([str(value) for value in categories], dtype=object) if text else categories.astype(float)
    values = column if text else writer.node("Cast", [column], to=DOUBLE)
    same = writer.node("Equal", [values, writer.constant(names.reshape(1, -1))])
    if not text and np.isnan(names).any():
        holes = writer.node("And", [writer.node("IsNaN", [values]), writer.constant(np.isnan(names).reshape(1, -1))])
        same = writer.node("Or", [same, holes])
    hits = writer.node("Cast", [same], to=INT64)
    place = writer.node("ArgMax", [hits], axis=1, keepdims=0)
    known = writer.node("ReduceMax", [hits, writer.constant(np.array([1]))], keepdims=0)
    known = writer.node("Cast", [known], to=BOOL)
    place = writer.node("Where", [known, place, writer.constant(np.array(len(names)))])
    return writer.node("Gather", [writer.constant(table), place], axis=0)
