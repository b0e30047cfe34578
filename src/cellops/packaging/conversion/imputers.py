"""Imputers as ONNX: onnxruntime's own takes single precision only, and no indicators of what was missing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cellops.packaging.conversion.trees import UnconvertibleError
from cellops.packaging.conversion.writer import DOUBLE, Writer, element, number_type, skl2onnx_types


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    from sklearn.impute import SimpleImputer

    return {SimpleImputer: _convert}


def shapes() -> dict[type, Callable[[Any], None]]:
    from sklearn.impute import SimpleImputer

    return {SimpleImputer: _shape}


def _is_text(imputer: Any) -> bool:
    return bool(imputer.statistics_.dtype.kind in "OUS")


def _shape(operator: Any) -> None:
    imputer = operator.raw_operator
    extra = 0 if imputer.indicator_ is None else len(imputer.indicator_.features_)
    kind = skl2onnx_types().StringTensorType if _is_text(imputer) else number_type(operator)
    operator.outputs[0].type = kind([operator.inputs[0].get_first_dimension(), len(imputer.statistics_) + extra])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    writer, imputer = Writer(scope, container), operator.raw_operator
    text, indicator = _is_text(imputer), imputer.indicator_
    missing, given = imputer.missing_values, [value.full_name for value in operator.inputs]
    number = not text and isinstance(missing, float) and np.isnan(missing)
    if not (number or (text and indicator is None)) or _drops(imputer):
        fact = "its imputer looks for a value of its own, or leaves out columns"
        raise UnconvertibleError(fact)
    table = writer.node("Concat", given, axis=1) if len(given) > 1 else given[0]
    if text:
        holes = writer.node("Equal", [table, writer.constant(np.array([[missing]], dtype=object))])
        filling = writer.constant(imputer.statistics_.astype(object).reshape(1, -1))
        writer.node("Where", [holes, filling, table], operator.outputs[0].full_name)
        return
    table = writer.node("Cast", [table], to=DOUBLE)
    holes = writer.node("IsNaN", [table])
    filled = writer.node("Where", [holes, writer.constant(imputer.statistics_.reshape(1, -1).astype(float)), table])
    if indicator is not None:
        marks = writer.node("Cast", [holes], to=element(operator.outputs[0]))
        marks = writer.node("Gather", [marks, writer.constant(indicator.features_.astype(np.int64))], axis=1)
        filled = writer.node("Cast", [filled], to=element(operator.outputs[0]))
        filled = writer.node("Concat", [filled, marks], axis=1)
    writer.cast(filled, operator.outputs[0])


def _drops(imputer: Any) -> bool:
    """Columns without any value in training are left out."""
    return not _is_text(imputer) and bool(np.isnan(imputer.statistics_.astype(float)).any())
