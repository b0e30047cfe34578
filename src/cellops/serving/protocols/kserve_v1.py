"""KServe's V1 protocol: `{"instances": [...]}` in, `{"predictions": [...]}` out; answers labels, as its servers do.

It is the only protocol that knows explanations: KServe's client refuses to ask for them in Open Inference.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cellops.errors import CellopsError, InputError
from cellops.packaging.predictor import Predictions
from cellops.serving.protocols.operation import (
    COLUMNS,
    EXPLANATION,
    LABEL,
    TABLE_IN_ROWS,
    WHEN,
    JSONSchema,
    Operation,
    listed,
    record,
)
from cellops.serving.protocols.parsing import (
    JSON,
    decode_numbers,
    decode_table,
    parse_numbers,
    parse_object,
    refuse_unknown,
)
from cellops.serving.protocols.protocol import ERROR, Body, Document, Question, Served, error_document

FIELDS = ("instances", "inputs")
CLASS = "class"


class KServeV1:
    name = "kserve-v1"
    prefix = "/v1/"

    def __init__(self, served: Served) -> None:
        self._served = served

    def ask_paths(self) -> Iterable[str]:
        return [f"{path}:predict" for path in self._model_paths()]

    def explain_paths(self) -> Iterable[str]:
        return [f"{path}:explain" for path in self._model_paths()]

    def documents(self) -> Mapping[str, Document]:
        return {"/v1/models": {"models": list(self._served.names)}} if self._served.is_first else {}

    def probes(self) -> Mapping[str, Document]:
        return {path: {"name": self._served.name, "ready": True} for path in self._model_paths()}

    def decode(self, body: Body) -> Question:
        if self._served.decoder.numbers_only:
            rows = parse_numbers(body, FIELDS)
            if rows is not None:
                return decode_numbers(self._served, rows)
        document = parse_object(body)
        refuse_unknown(document, FIELDS)
        return self._table(document)

    def decode_explained(self, body: Body) -> Question:
        document = parse_object(body)
        refuse_unknown(document, (*FIELDS, CLASS))
        explained_class = document.pop(CLASS, None)
        if isinstance(explained_class, list | dict):
            fact = "The field class is not one class"
            raise InputError(fact, remedy="Send one of the model's classes, or leave the field out")
        return msgspec.structs.replace(self._table(document), explained_class=explained_class)

    def _table(self, document: Mapping[str, Any]) -> Question:
        if len(document) != 1:
            fact = "The body needs exactly one of instances and inputs"
            raise InputError(fact, remedy='Send {"instances": [{"column": value, …}, …]}')
        return decode_table(self._served, next(iter(document.values())))

    def encode(self, question: Question, predictions: Predictions) -> Document:  # noqa: ARG002 - the shape of every protocol
        return {"predictions": predictions.labels.tolist()}

    def encode_explanations(self, predictions: Predictions, explanations: Sequence[Mapping[str, Any]]) -> Document:
        return {"predictions": predictions.labels.tolist(), "explanations": list(explanations)}

    def error(self, error: CellopsError, status: int) -> Document:  # noqa: ARG002
        return error_document(error)

    def operations(self) -> Mapping[str, Operation]:
        table = {"anyOf": [TABLE_IN_ROWS, COLUMNS]}
        one = {"minProperties": 1, "maxProperties": 1}
        requests = {JSON: record(dict.fromkeys(FIELDS, table), **one)}
        predict = Operation(
            summary="Predict labels",
            requests=requests,
            answer=record({"predictions": listed(LABEL)}, "predictions"),
            headers=WHEN,
        )
        fields = {"predictions": listed(LABEL), "explanations": listed(EXPLANATION)}
        most = self._served.limits.explained_rows
        either = [{"required": [name]} for name in FIELDS]
        also = {CLASS: {"anyOf": [LABEL, {"type": "null"}]}} if self._served.schema.classes else {}
        requests = {JSON: record(dict.fromkeys(FIELDS, table) | also, oneOf=either)}
        explain = Operation(
            summary=f"Predict labels, and say what each input adds to the answer, for up to {most} rows; not logged",
            requests=requests,
            answer=record(fields, *fields),
            headers={},
        )
        return dict.fromkeys(self.ask_paths(), predict) | dict.fromkeys(self.explain_paths(), explain)

    def error_schema(self) -> JSONSchema:
        return ERROR

    def _model_paths(self) -> list[str]:
        """KServe's own path for the default version, and TensorFlow Serving's for each."""
        return self._served.paths("/v1/models")
