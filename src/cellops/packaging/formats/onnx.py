"""ONNX: a graph of known operators over numbers and texts, executed by onnxruntime on the processor, in one thread."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cellops.data.matrix import array_of
from cellops.errors import IntegrityError
from cellops.packaging.formats import onnx_graph
from cellops.packaging.formats.base import extra
from cellops.packaging.formats.checked import CheckedFormat
from cellops.packaging.formats.onnx_layout import LABEL, MATRIX, chance_name, missing_text
from cellops.packaging.predictor import Array, Predictions, Predictor, doubles, to_matrix, to_numbers
from cellops.packaging.stopping import STOP
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


class Onnx(CheckedFormat):
    name = "onnx"
    file = "model.onnx"
    platform = "onnxruntime_onnx"
    language = "ONNX"
    astray = "holds what no graph has"
    author = "cellops"

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return OnnxPredictor(model, schema)

    def _read(self, content: bytes) -> Any:
        return onnx_graph.parse(content)

    def _problem(self, model: Any) -> str | None:
        return onnx_graph.problem(model)

    def _library(self) -> Any:
        return extra("onnxruntime", "onnx")

    def _opened(self, module: Any, model: Any) -> Any:
        """A session of onnxruntime."""
        options = module.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        # What was checked, and nothing that protobuf's readers could understand in two ways.
        return module.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


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
        self._run_options = extra("onnxruntime", "onnx").RunOptions
        self._schema = schema
        self._doubles = doubles(schema)
        self._dtypes = {name: DTYPES[kind] for name, kind in given.items()}

    def predict(self, columns: Mapping[str, Array]) -> Predictions:
        label, *chances = self._session.run(self._outputs, self._fed(columns), self._options())
        if not self._schema.classes:
            return Predictions(np.asarray(label, dtype=np.float64), None)
        probabilities = np.array(chances, dtype=np.float64).T if chances else None
        return Predictions(np.asarray(label), probabilities)

    def _options(self) -> Any:
        """Such that the run ends when nobody waits for it any more."""
        stop = STOP.get()
        if stop is None:
            return None
        options = self._run_options()
        stop.watch(options)
        return options

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
