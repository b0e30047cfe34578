"""MLflow's scoring protocol: JSON in four forms, CSV or Parquet in, `{"predictions": [...]}` out; answers labels."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from cellops.data.csv_cells import bare_return, cell_values
from cellops.errors import CellopsError, InputError
from cellops.packaging.predictor import Predictions
from cellops.serving.errors import MediaTypeError, said, sentence
from cellops.serving.limits import Limits
from cellops.serving.protocols.operation import (
    COLUMNS,
    LABEL,
    ROW,
    SAYING,
    TABLE_IN_ROWS,
    WHEN,
    JSONSchema,
    Operation,
    listed,
    record,
)
from cellops.serving.protocols.parquet_body import PARQUET, parquet_table
from cellops.serving.protocols.parsing import JSON, decode_table, parse_object, refuse_unknown
from cellops.serving.protocols.protocol import Body, Document, Question, Served
from cellops.version import __version__

CSV = "text/csv"
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    413: "REQUEST_LIMIT_EXCEEDED",
    429: "REQUEST_LIMIT_EXCEEDED",
    501: "NOT_IMPLEMENTED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


class MlflowScoring:
    name = "mlflow"
    prefix = "/invocations"

    def __init__(self, served: Served) -> None:
        self._served = served

    def ask_paths(self) -> Iterable[str]:
        return ("/invocations",) if self._served.is_first else ()

    def documents(self) -> Mapping[str, Document]:
        return {"/version": __version__} if self._served.is_first else {}

    def probes(self) -> Mapping[str, Document]:
        return {"/ping": "", "/health": ""} if self._served.is_first else {}

    def decode(self, body: Body) -> Question:
        if body.media_type == CSV:
            return self._decode_csv(bytes(body.content))
        if body.media_type == PARQUET:
            return decode_table(self._served, parquet_table(body.content, self._served.limits))
        if body.media_type != JSON:
            fact = "The body is announced as neither JSON nor CSV nor Parquet"
            raise MediaTypeError(fact, remedy=f"Send the header Content-Type: {JSON}, {CSV} or {PARQUET}")
        return self._decode_json(body)

    def _decode_json(self, body: Body) -> Question:
        document = parse_object(body)
        refuse_unknown(document, (*FORMS, "params"))
        forms = [form for form in FORMS if form in document]
        if len(forms) != 1:
            fact = f"The body needs exactly one of {', '.join(FORMS)}"
            raise InputError(fact, remedy='Send {"dataframe_records": [{"column": value, …}, …]}')
        if document.get("params", {}) not in ({}, None):
            fact = "This model takes no params"
            raise InputError(fact, remedy="Leave params out")
        table = document[forms[0]]
        return decode_table(self._served, _split(table) if forms[0] == "dataframe_split" else table)

    def _decode_csv(self, content: bytes) -> Question:
        fields = self._served.decoder.fields
        line = bare_return(content.removeprefix(codecs.BOM_UTF8))
        if line is not None:
            fact = f"The body holds a carriage return outside of quotes in line {line}"
            raise InputError(fact, remedy="Put the cell into quotes, or leave the carriage return out")
        try:
            reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
            header, *rows = self._some(filter(None, reader))
        except UnicodeDecodeError as error:
            fact = "The body is not text in UTF-8"
            raise InputError(fact, remedy="Save it as UTF-8") from error
        except (csv.Error, ValueError) as error:
            fact = "The body is not CSV in UTF-8 with a header"
            raise InputError(fact, remedy="Send the names of the columns in the first line") from error
        if len(header) == 1 and header[0] not in fields and any(mark in header[0] for mark in ";\t"):
            fact = "The first line has no comma"
            raise InputError(fact, remedy="Separate columns by commas")
        table = _named(header, rows)
        known = {name: cell_values(fields[name], table[name]) for name in table if name in fields}
        return decode_table(self._served, table | known)

    def _some(self, lines: Iterator[list[str]]) -> list[list[str]]:
        """The header and the rows, of which no more are kept than the server takes."""
        kept = list(islice(lines, 1 + self._served.limits.max_rows))
        self._served.limits.check_rows(len(kept) - 1 + sum(1 for _ in lines))
        return kept

    def encode(self, question: Question, predictions: Predictions) -> Document:  # noqa: ARG002 - the shape of every protocol
        return {"predictions": predictions.labels.tolist()}

    def error(self, error: CellopsError, status: int) -> Document:
        return said(error) | {"error_code": CODES.get(status, "BAD_REQUEST"), "message": sentence(error)}

    def operations(self) -> Mapping[str, Operation]:
        split = {"data": listed({"type": "array"}), "columns": listed({"type": "string"}), "index": {"type": "array"}}
        forms: dict[str, JSONSchema] = {
            "dataframe_split": record(split, "data"),
            "dataframe_records": listed(ROW, minItems=1),
            "instances": {"anyOf": [TABLE_IN_ROWS, COLUMNS]},
            "inputs": {"anyOf": [TABLE_IN_ROWS, COLUMNS]},
        }
        params = {"params": {"type": ["object", "null"], "maxProperties": 0}}
        body = {"anyOf": [record({form: schema, **params}, form) for form, schema in forms.items()]}
        csv_body = {"type": "string", "description": "The names of the columns in the first line"}
        operation = Operation(
            summary="Predict labels",
            requests={JSON: body, CSV: csv_body, PARQUET: {"type": "string", "format": "binary"}},
            answer=record({"predictions": listed(LABEL)}, "predictions"),
            headers=WHEN,
        )
        return dict.fromkeys(self.ask_paths(), operation)

    def error_schema(self) -> JSONSchema:
        words = {"type": "string"}
        return record({"error_code": words, "message": words, **SAYING}, "error_code", "message", "code")


def _split(table: object) -> object:
    """A `dataframe_split` as columns, or as rows where it names none."""
    if not isinstance(table, dict) or not isinstance(table.get("data"), list):
        fact = "dataframe_split is not an object with data"
        raise InputError(fact, remedy='Send {"dataframe_split": {"columns": [name, …], "data": [[value, …], …]}}')
    refuse_unknown(table, ("data", "columns", "index"), "dataframe_split")
    names, rows = table.get("columns"), table["data"]
    if names is None:
        return rows
    if not isinstance(names, list) or not all(isinstance(row, list) for row in rows):
        fact = "In dataframe_split, columns is not a list, or data not a list of lists"
        raise InputError(fact, remedy='Send {"columns": [name, …], "data": [[value, …], …]}')
    return _named(names, rows)


def _named(names: list[Any], rows: list[list[Any]]) -> dict[str, list[Any]]:
    """Rows below a header as columns."""
    Limits.check_columns(len(names))
    if len({str(name) for name in names}) != len(names):
        fact = "A column is named twice"
        raise InputError(fact, remedy="Name each column once")
    for row, values in enumerate(rows):
        if len(values) != len(names):
            fact = f"Row {row}: {len(values)} values below {len(names)} columns"
            raise InputError(fact, remedy="Send one value for each column", rows=[row])
    columns = map(list, zip(*rows, strict=True)) if rows else ([] for _ in names)
    return {str(name): column for name, column in zip(names, columns, strict=True)}
