"""ONNX: a graph of known operators over numbers and texts, executed by onnxruntime on the processor, in one thread."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cellops.data.matrix import array_of
from cellops.errors import IntegrityError, PackageError
from cellops.packaging.formats import onnx_graph
from cellops.packaging.formats.base import Trust, extra
from cellops.packaging.formats.onnx_layout import LABEL, MATRIX, chance_name, missing_text
from cellops.packaging.predictor import Array, Predictions, Predictor, doubles, to_matrix, to_numbers
from cellops.records.contract import Field, Schema
from cellops.records.profile import ColumnKind

DTYPES = {
    "tensor(bool)": np.dtype("bool"),
    "tensor(double)": np.dtype("float64"),
    "tensor(float)": np.dtype("float32"),
    "tensor(int64)": np.dtype("int64"),
    "tensor(string)": np.dtype("O"),
}
ERRORS_ONLY = 3


class Onnx:
    name = "onnx"
    file = "model.onnx"
    platform = "onnxruntime_onnx"

    def untrusted(self, content: bytes) -> list[str]:
        self._checked(content)
        return []

    def load(self, content: bytes, trust: Trust) -> Any:
        """A session of onnxruntime; it runs no code of the file, whatever the trust."""
        del trust
        model = self._checked(content)
        runtime = extra("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        try:
            # What was checked, and nothing that protobuf's readers could understand in two ways.
            return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no base of their own
            fact = f"onnxruntime {runtime.__version__} cannot load {self.file}: {str(error)[:200]}"
            raise PackageError(fact, remedy="Install the distributions of the package's lock") from error

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return OnnxPredictor(model, schema)

    def _checked(self, content: bytes) -> Any:
        extra("onnx", "onnx")
        try:
            model = onnx_graph.parse(content)
        except ValueError as error:
            fact = f"{self.file} cannot be read as ONNX: {error}"
            raise PackageError(fact, remedy="Package the run again") from error
        found = onnx_graph.problem(model)
        if found:
            fact = f"{self.file} {found}"
            raise IntegrityError(fact, remedy="Do not use this model; cellops did not write it")
        return model


class OnnxPredictor:
    """A graph whose inputs are the columns of a contract."""

    def __init__(self, session: Any, schema: Schema) -> None:
        given = {held.name: held.type for held in session.get_inputs()}
        self._outputs = [LABEL]
        if schema.probabilities:
            self._outputs += [chance_name(place) for place in range(len(schema.classes))]
        self._matrix = list(given) == [MATRIX] and not (len(schema.inputs) == 1 and schema.inputs[0].name == MATRIX)
        wanted = {MATRIX} if self._matrix else {field.name for field in schema.inputs}
        known = {held.name for held in session.get_outputs()}
        if set(given) != wanted or not set(self._outputs) <= known or not set(given.values()) <= set(DTYPES):
            fact = "The inputs and outputs of the model are not those of the contract"
            raise IntegrityError(fact, remedy="Build the package again from its run")
        self._session = session
        self._schema = schema
        self._doubles = doubles(schema)
        self._dtypes = {name: DTYPES[kind] for name, kind in given.items()}

    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        label, *chances = self._session.run(self._outputs, self._fed(columns))
        if not self._schema.classes:
            return Predictions(np.asarray(label, dtype=np.float64), None)
        probabilities = np.array(chances, dtype=np.float64).T if chances else None
        return Predictions(np.asarray(label), probabilities)

    def _fed(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        if self._matrix:
            matrix = array_of(columns, self._doubles)
            matrix = to_matrix(self._schema, columns) if matrix is None else matrix
            return {MATRIX: matrix.astype(self._dtypes[MATRIX], copy=False)}
        return {field.name: self._column(field, columns[field.name]) for field in self._schema.inputs}

    def _column(self, field: Field, values: Array) -> Array:
        if field.kind is not ColumnKind.TEXT:
            if values.dtype == self._dtypes[field.name] == field.dtype:
                return values
            return to_numbers(field, values).astype(self._dtypes[field.name], copy=False)
        if not field.nullable:
            return values.astype(object, copy=False)
        stands, texts = missing_text(field), values.tolist()
        # A text that is the same as what stands for a missing one is none that training saw.
        fed = [stands if text is None else f"{text}\0" if text == stands else text for text in texts]
        return np.array(fed, dtype=object)
