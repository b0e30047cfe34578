"""Nodes of an ONNX graph while skl2onnx writes it, each value and node with a name of its own."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.packaging.formats.base import extra

FLOAT, INT64, BOOL, DOUBLE = 1, 7, 9, 11


class Writer:
    """Adds nodes and constants to what skl2onnx is writing."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def node(
        self, kind: str, inputs: Iterable[str], output: str | None = None, *, domain: str = "", **options: Any
    ) -> str:
        """Add a node of one output; give the output's name."""
        made = output or self._scope.get_unique_variable_name(kind)
        name, version = self._scope.get_unique_operator_name(kind), 1 if domain else 13
        self._container.add_node(kind, list(inputs), made, op_domain=domain, op_version=version, name=name, **options)
        return made

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant; texts are arrays of dtype object."""
        name = str(self._scope.get_unique_variable_name("constant"))
        self._container.initializers.append(extra("onnx.numpy_helper", "onnx").from_array(np.asarray(values), name))
        return name

    def cast(self, value: str, variable: Any) -> None:
        """Give a value as an output, in the type that skl2onnx has foreseen for that."""
        self.node("Cast", [value], variable.full_name, to=element(variable))


def element(variable: Any) -> int:
    """The type of the numbers of a variable of skl2onnx."""
    return DOUBLE if "Double" in type(variable.type).__name__ else FLOAT


def number_type(operator: Any) -> Any:
    """The type of what an estimator gives: of single precision where what it is given is."""
    types = skl2onnx_types()
    single = any(isinstance(given.type, types.FloatTensorType) for given in operator.inputs)
    return types.FloatTensorType if single else types.DoubleTensorType


def skl2onnx_types() -> Any:
    return extra("skl2onnx.common.data_types", "onnx")
