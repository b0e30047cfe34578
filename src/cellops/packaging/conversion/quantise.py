"""Weights of an ONNX graph in fewer bits: the model gets smaller, and what that costs in answers is measured.

Only the tables by which rows are multiplied are changed: each column of an `int8` table has a scale of its own, so that
its largest weight is 127. onnxruntime unpacks them when it loads the model, so that answers take as long as before.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.errors import PackageError
from cellops.packaging.conversion.writer import FLOAT
from cellops.packaging.formats.base import extra

Weights = npt.NDArray[Any]
FEWEST = 16
"""Smaller tables are left alone: their scales would take as much room."""
LARGEST = 127
MULTIPLIES = frozenset({"MatMul", "Gemm"})


def quantised(content: bytes, precision: str) -> bytes:
    """The same graph with its weights in `int8` or `float16`.

    Raises
    ------
    PackageError
        When it multiplies by no weights, as a model of trees does not.
    """
    onnx = extra("onnx", "onnx")
    model = onnx.load_from_string(content)
    constants = {held.name: held for held in model.graph.initializer}
    chosen = list(dict.fromkeys(_tables(model.graph, constants)))
    if not chosen:
        fact = "The model has no table of weights, so there is nothing to quantise"
        raise PackageError(fact, remedy="Package it without --quantise; trees, for one, are thresholds and not weights")
    packed, nodes = [], []
    for name in chosen:
        table = onnx.numpy_helper.to_array(constants[name])
        held, unpacking = PRECISIONS[precision](name, table)
        packed += [onnx.numpy_helper.from_array(values, title) for title, values in held.items()]
        nodes += [*unpacking, onnx.helper.make_node("Cast", [f"{name}:wide"], [name], to=constants[name].data_type)]
    kept = [held for held in model.graph.initializer if held.name not in chosen]
    rest = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend([*kept, *packed])
    model.graph.node.extend([*nodes, *rest])
    return bytes(model.SerializeToString(deterministic=True))


def _tables(graph: Any, constants: dict[str, Any]) -> Iterator[str]:
    for node in graph.node:
        for name in node.input[1:2] if node.op_type in MULTIPLIES else ():
            if name in constants and len(constants[name].dims) == 2 and np.prod(constants[name].dims) >= FEWEST:  # noqa: PLR2004
                yield name


def _int8(name: str, table: Weights) -> tuple[dict[str, Weights], list[Any]]:
    largest = np.abs(table).max(axis=0)
    scale = np.where(largest > 0, largest / LARGEST, 1.0).astype(np.float32)
    values = np.clip(np.rint(table / scale), -LARGEST, LARGEST).astype(np.int8)
    held: dict[str, Weights] = {f"{name}:int8": values, f"{name}:scale": scale}
    node = extra("onnx.helper", "onnx").make_node("DequantizeLinear", list(held), [f"{name}:wide"], axis=1)
    return held, [node]


def _float16(name: str, table: Weights) -> tuple[dict[str, Weights], list[Any]]:
    limit = float(np.finfo(np.float16).max)
    if np.abs(table).max() > limit:
        fact = f"The model has weights beyond {limit:.0f}, which float16 does not reach"
        raise PackageError(fact, remedy="Quantise it to int8, or not at all")
    node = extra("onnx.helper", "onnx").make_node("Cast", [f"{name}:half"], [f"{name}:wide"], to=FLOAT)
    return {f"{name}:half": table.astype(np.float16)}, [node]


PRECISIONS: dict[str, Callable[[str, Weights], tuple[dict[str, Weights], list[Any]]]] = {
    "int8": _int8,
    "float16": _float16,
}
