"""The Open Inference Protocol (V2): a typed tensor for each column, in JSON or as bytes behind it.

It answers labels and probabilities.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from cellops.data.arrays import Array
from cellops.data.problems import shorten
from cellops.errors import CellopsError, InputError
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Field, Task
from cellops.serving.errors import MediaTypeError, UnsupportedError
from cellops.serving.protocols.binary_tensors import (
    DTYPES,
    EXTENSION,
    HEADER,
    MEDIA_TYPE,
    SIZE,
    Tensors,
    as_bytes,
    divided,
)
from cellops.serving.protocols.datatypes import DATATYPES, TAKEN, check_column, check_table
from cellops.serving.protocols.operation import ID, WHEN, JSONSchema, Operation, listed, record
from cellops.serving.protocols.parsing import JSON, decode_table, parse_object
from cellops.serving.protocols.protocol import ERROR, Body, Document, MixedDocument, Question, Served, error_document
from cellops.version import __version__

CONTENT_TYPES = (None, "pd", "np", "str")
"""How MLServer's clients say that a tensor is a column; they change nothing here."""
MATRIX = 2
PREDICT = "predict"
PROBABILITIES = "predict_proba"


class OpenInferenceV2:
    name = "open-inference-v2"
    prefix = "/v2"

    def __init__(self, served: Served) -> None:
        self._served = served
        schema = served.schema
        self._label_type = _label_type(schema.task, schema.classes)
        self._outputs = (PREDICT, PROBABILITIES) if schema.probabilities else (PREDICT,)

    def ask_paths(self) -> Iterable[str]:
        return [f"{path}/infer" for path in self._model_paths()]

    def documents(self) -> Mapping[str, Document]:
        server: Document = {"name": "cellops", "version": __version__, "extensions": [EXTENSION]}
        metadata = dict.fromkeys(self._model_paths(), self._metadata())
        return {"/v2": server, "/v2/health/live": {"live": True}} | metadata if self._served.is_first else metadata

    def probes(self) -> Mapping[str, Document]:
        ready: Document = {"name": self._served.name, "ready": True}
        models = {f"{path}/ready": ready for path in self._model_paths()}
        return {"/v2/health/ready": {"ready": True}} | models if self._served.is_first else models

    def decode(self, body: Body) -> Question:
        head, content = self._parts(body)
        document = parse_object(head)
        tensors = document.get("inputs")
        if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors) or not tensors:
            fact = "The body has no list of inputs"
            raise InputError(fact, remedy='Send {"inputs": [{"name", "shape", "datatype", "data"}, …]}')
        self._served.limits.check_columns(len(tensors))
        request_id = document.get("id")
        if request_id is not None and not isinstance(request_id, str):
            fact = "The id is not a string"
            raise InputError(fact, remedy="Send the id as a string, or none")
        outputs, binary = self._asked(document)
        table = self._table(tensors, content)
        if content is not None:
            content.require_taken()
        question = decode_table(self._served, table)
        return replace(question, request_id=request_id, outputs=outputs, binary=binary)

    def encode(self, question: Question, predictions: Predictions) -> Document | MixedDocument:
        document: dict[str, Any] = {"model_name": self._served.name, "model_version": self._served.version}
        if question.request_id is not None:
            document["id"] = question.request_id
        values = {PREDICT: predictions.labels, PROBABILITIES: predictions.probabilities}
        names = [name for name in question.outputs or self._outputs if values[name] is not None]
        parts = [self._output(name, values[name], binary=name in question.binary) for name in names]
        document["outputs"] = [tensor for tensor, _ in parts]
        if not question.binary:
            return document
        return MixedDocument(document, b"".join(content for _, content in parts), MEDIA_TYPE, HEADER)

    def _output(self, name: str, values: Any, *, binary: bool) -> tuple[dict[str, Any], bytes]:
        """A tensor of the answer, with its values in it or as bytes."""
        datatype = self._label_type if name == PREDICT else "FP64"
        tensor: dict[str, Any] = {"name": name, "shape": list(values.shape), "datatype": datatype}
        if not binary:
            return tensor | {"data": values.ravel().tolist()}, b""
        content = as_bytes(values, datatype)
        return tensor | {"parameters": {SIZE: len(content)}}, content

    def error(self, error: CellopsError, status: int) -> Document:  # noqa: ARG002 - the shape of every protocol
        return error_document(error)

    def operations(self) -> Mapping[str, Operation]:
        fields = self._served.schema.inputs
        tensors = [_described(field.name, sorted(TAKEN[field.kind])) for field in fields]
        parameters = {"type": "object"}
        wanted = record({"name": {"enum": list(self._outputs)}, "parameters": parameters}, "name")
        question = record(
            {
                "id": ID,
                "parameters": parameters,
                "inputs": listed({"anyOf": tensors}, minItems=1),
                "outputs": listed(wanted),
            },
            "inputs",
        )
        operation = Operation(
            summary="Predict labels, and probabilities where the model gives them",
            requests={JSON: question, MEDIA_TYPE: {"type": "string", "format": "binary"}},
            answer=record(
                {
                    "model_name": {"const": self._served.name},
                    "model_version": {"const": self._served.version},
                    "id": ID,
                    "outputs": listed(_answered(self._outputs)),
                },
                *("model_name", "model_version", "outputs"),
            ),
            headers={**WHEN, "Inference-Header-Content-Length": {"type": "integer", "minimum": 1}},
            binary_answer=True,
        )
        return dict.fromkeys(self.ask_paths(), operation)

    def error_schema(self) -> JSONSchema:
        return ERROR

    def _model_paths(self) -> list[str]:
        return self._served.paths("/v2/models")

    def _metadata(self) -> Document:
        schema = self._served.schema
        outputs = [{"name": PREDICT, "datatype": self._label_type, "shape": [-1]}]
        if schema.probabilities:
            outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, len(schema.classes)]})
        return {
            "name": self._served.name,
            "versions": list(self._served.versions),
            "platform": self._served.platform,
            "inputs": [{"name": f.name, "datatype": DATATYPES[f.kind], "shape": [-1]} for f in schema.inputs],
            "outputs": outputs,
        }

    def _parts(self, body: Body) -> tuple[Body, Tensors | None]:
        """The JSON part of a body, and the tensors behind it where there are any."""
        if HEADER not in body.headers:
            if body.media_type == MEDIA_TYPE:
                fact = "The body is announced as bytes, without the header Inference-Header-Content-Length"
                remedy = f"Send the length of the JSON part in it, or JSON alone with Content-Type: {JSON}"
                raise MediaTypeError(fact, remedy=remedy)
            return body, None
        if body.media_type not in (None, JSON, MEDIA_TYPE):
            fact = "The body is announced neither as JSON nor as bytes"
            raise MediaTypeError(fact, remedy=f"Send the header Content-Type: {MEDIA_TYPE}")
        head, tensors = divided(body)
        return replace(body, content=head, media_type=JSON), tensors

    def _asked(self, document: dict[str, Any]) -> tuple[tuple[str, ...], frozenset[str]]:
        """The outputs that are asked for, and those of them that are wanted as bytes."""
        outputs = document.get("outputs")
        default = _flag(_parameters(document), "binary_data_output", default=False)
        if outputs is None:
            return (), frozenset(self._outputs) if default else frozenset()
        if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
            fact = "The outputs are not a list of objects"
            raise InputError(fact, remedy='Send {"outputs": [{"name": "predict"}]}')
        names = [output.get("name") for output in outputs]
        if not all(name in self._outputs for name in names):
            fact = "An output is asked for that the model does not have"
            raise InputError(fact, remedy=f"Its outputs are {', '.join(self._outputs)}")
        if not names:
            return self._asked(document | {"outputs": None})
        wanted = [output for output in outputs if _flag(_parameters(output), "binary_data", default=default)]
        return tuple(dict.fromkeys(names)), frozenset(output["name"] for output in wanted)

    def _table(self, tensors: list[dict[str, Any]], content: Tensors | None) -> object:
        """The tensors as columns; one matrix that stands for all inputs as rows, or as columns if it came as bytes."""
        fields = self._served.decoder.fields
        names = [tensor.get("name") for tensor in tensors]
        if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
            fact = "The inputs are not all named, or not each once"
            raise InputError(fact, remedy="Send one input for each column, named as the column")
        if len(tensors) == 1 and 1 < len(fields) == _width(tensors[0]) and names[0] not in fields:
            return _matrix(tensors[0], fields, content)
        return {tensor["name"]: self._column(tensor, content) for tensor in tensors}

    def _column(self, tensor: dict[str, Any], content: Tensors | None) -> list[Any] | Array:
        field = self._served.decoder.fields.get(tensor["name"])
        shape = _shape(tensor)
        if field is None:
            # The decoder refuses it by name, beside whatever else is wrong.
            if SIZE in _parameters(tensor):
                _taken(tensor, content, shape)
            return []
        if shape[1:] not in ([], [1]):
            fact = f"Input {field.name} is not a column"
            raise InputError(fact, remedy="Send the shape [rows] or [rows, 1]", column=field.name)
        _check_datatype(tensor, TAKEN[field.kind], field.name)
        if SIZE in _parameters(tensor):
            return _taken(tensor, content, shape)
        data = _listed(tensor)
        if len(shape) == MATRIX and data and all(isinstance(row, list) and len(row) == 1 for row in data):
            data = [row[0] for row in data]
        check_column(field.name, tensor["datatype"], data)
        if len(data) != shape[0]:
            fact = f"Input {field.name} has {len(data)} values and the shape of {shape[0]}"
            raise InputError(fact, remedy="Send as many values as the shape says", column=field.name)
        return data


def _matrix(tensor: dict[str, Any], fields: Mapping[str, Field], content: Tensors | None) -> object:
    for field in fields.values():
        _check_datatype(tensor, TAKEN[field.kind], "of the table")
    if SIZE in _parameters(tensor):
        shape = _shape(tensor)
        values = _taken(tensor, content, shape)
        if isinstance(values, np.ndarray):
            return values.reshape(shape)
        width = len(fields)
        return {name: values[place::width] for place, name in enumerate(fields)}
    data = _listed(tensor)
    shape = rows, width = _shape(tensor)
    if data and not isinstance(data[0], list) and len(data) == rows * width:
        data = [data[start : start + width] for start in range(0, len(data), width)]
    if len(data) != rows:
        fact = f"The matrix has {len(data)} rows or values and the shape {shape}"
        raise InputError(fact, remedy="Send as many values as the shape says, row by row")
    check_table(list(fields), tensor["datatype"], data)
    return data


def _taken(tensor: dict[str, Any], content: Tensors | None, shape: list[int]) -> list[Any] | Array:
    """The values of a tensor that came as bytes."""
    name, datatype = tensor["name"], str(tensor.get("datatype"))
    if content is None:
        fact = f"Input {shorten(name)} has a {SIZE}, and the request no header Inference-Header-Content-Length"
        raise InputError(fact, remedy="Send the length of the JSON part in that header, and the tensors behind it")
    if "data" in tensor:
        fact = f"Input {shorten(name)} has both data and a {SIZE}"
        raise InputError(fact, remedy="Send one of them")
    if datatype not in (*DTYPES, "BYTES"):
        fact = f"Input {shorten(name)} has a datatype that the protocol does not have"
        raise InputError(fact, remedy=f"Send one of {', '.join((*DTYPES, 'BYTES'))}")
    return content.take(shorten(name), datatype, shape, _parameters(tensor)[SIZE])


def _shape(tensor: dict[str, Any]) -> list[int]:
    shape: Any = tensor.get("shape")
    # The product of many sizes takes the square of their number.
    if isinstance(shape, list) and 0 < len(shape) <= MATRIX and all(type(size) is int and size >= 0 for size in shape):
        return shape
    name = shorten(tensor["name"])
    fact = f"The shape of input {name} is not a list of sizes, of one or two"
    raise InputError(fact, remedy="Send the shape [rows] or [rows, 1]", column=name)


def _width(tensor: dict[str, Any]) -> int | None:
    """Columns of a tensor that is a table."""
    shape = _shape(tensor)
    return shape[1] if len(shape) == MATRIX else None


def _listed(tensor: dict[str, Any]) -> list[Any]:
    data: Any = tensor.get("data")
    if not isinstance(data, list):
        name = shorten(tensor["name"])
        fact = f"The data of input {name} are not a list"
        raise InputError(fact, remedy=f"Send a list, or bytes with the parameter {SIZE}", column=name)
    return data


def _parameters(part: dict[str, Any]) -> dict[str, Any]:
    parameters = part.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        of = f" of {shorten(part['name'])}" if "name" in part else ""
        fact = f"The parameters{of} are not an object"
        raise InputError(fact, remedy='Send {"parameters": {"content_type": "pd"}}, or none')
    return parameters


def _check_datatype(tensor: dict[str, Any], taken: frozenset[str], name: str) -> None:
    parameters = _parameters(tensor)
    if parameters.get("content_type") not in CONTENT_TYPES:
        fact = f"Input {name} has a content type that this server does not decode"
        raise UnsupportedError(fact, remedy="Send the values themselves, with content type pd, np, str or none")
    if str(tensor.get("datatype")) not in taken:
        fact = f"Input {name} has a datatype that its column does not take"
        raise InputError(fact, remedy=f"Send one of {', '.join(sorted(taken))}", column=name)


def _described(name: str, datatypes: list[str]) -> JSONSchema:
    """A tensor of a question."""
    size = {"type": "integer", "minimum": 0}
    return record(
        {
            "name": {"const": name},
            "shape": listed(size, minItems=1, maxItems=MATRIX),
            "datatype": {"enum": datatypes},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        *("name", "shape", "datatype"),
    )


def _answered(names: tuple[str, ...]) -> JSONSchema:
    """A tensor of an answer."""
    return record(
        {
            "name": {"enum": list(names)},
            "shape": listed({"type": "integer", "minimum": 0}),
            "datatype": {"enum": ["FP64", "INT64", "BOOL", "BYTES"]},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        *("name", "shape", "datatype"),
    )


def _flag(parameters: dict[str, Any], name: str, *, default: bool) -> bool:
    given = parameters.get(name, default)
    if not isinstance(given, bool):
        fact = f"The parameter {name} is neither true nor false"
        raise InputError(fact, remedy="Send true or false, or leave it out")
    return given


def _label_type(task: Task, classes: tuple[Any, ...]) -> str:
    if task is Task.REGRESSION:
        return "FP64"
    return {bool: "BOOL", int: "INT64", float: "FP64"}.get(type(classes[0]) if classes else str, "BYTES")
