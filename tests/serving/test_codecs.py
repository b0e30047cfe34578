"""Whatever the form of a table, the model sees the rows that were sent: each codec is undone by its decoder."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.packaging.predictor import Predictions
from cellops.serving.protocols.binary_tensors import as_bytes
from support.loaded import DATATYPES, NAME, ROW, loaded
from support.policies import on
from support.wire import Wire

Rows = list[dict[str, Any]]
V1, V2, MLFLOW = f"/v1/models/{NAME}:predict", f"/v2/models/{NAME}/infer", "/invocations"
JSON, CSV, PARQUET, BYTES = "application/json", "text/csv", "application/vnd.apache.parquet", "application/octet-stream"
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "carrier": st.text(max_size=6),
    "distance": st.floats(allow_nan=False, allow_infinity=False),
    "hour": st.integers(-(2**63), 2**63 - 1),
    "night": st.booleans(),
}
MOST_EXACT = 2**53
"""Integers beside missing values are floats for the model; larger ones are refused."""
TYPES = {"carrier": pa.string(), "distance": pa.float64(), "hour": pa.int64(), "night": pa.bool_()}
Sent = tuple[str, str, bytes]


class Seen:
    """A wire whose model keeps the columns that it is asked about."""

    def __init__(self, wire: Wire, columns: dict[str, Any]) -> None:
        self._wire, self._columns = wire, columns

    def rows(self, sent: Sent, **headers: str) -> Rows:
        path, media_type, content = sent
        self._columns.clear()
        status, _, answer = self._wire.send(path, content, media_type.encode(), **headers)
        assert status == 200, answer
        columns = {name: [_plain(name, value) for value in self._columns[name].tolist()] for name in ROW}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(name: str, value: Any) -> Any:
    """As it was sent: NaN stands for a missing number, and integers with gaps are floats."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    return int(value) if name == "hour" else value


@pytest.fixture(scope="module", params=["whole", "gaps"])
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[Seen, bool]]:
    columns: dict[str, Any] = {}

    def predict(given: Mapping[str, Any]) -> Predictions:
        columns.update(given)
        return Predictions(np.zeros(len(given["hour"])), None)

    package = loaded(predict=predict)
    schema = package.contract.schema
    if request.param == "gaps":
        schema = schema.replace(inputs=tuple(field.replace(nullable=True) for field in schema.inputs))
    package = replace(package, contract=package.contract.replace(schema=schema))
    with on(package) as wire:
        yield Seen(wire, columns), request.param == "gaps"


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def tensors(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": [len(rows)], "datatype": DATATYPES[name], "data": values}
        for name, values in columns_of(rows).items()
    ]


def in_json(path: str, form: Callable[[Rows], Any]) -> Callable[[Rows], Sent]:
    return lambda rows: (path, JSON, json.dumps(form(rows)).encode())


def in_order(rows: Rows) -> list[list[Any]]:
    return [list(row.values()) for row in rows]


def in_csv(rows: Rows) -> Sent:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
    writer.writerows([list(rows[0]), *in_order(rows)])
    return MLFLOW, CSV, file.getvalue().encode()


def in_parquet(rows: Rows) -> Sent:
    file = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values, TYPES[name]) for name, values in columns_of(rows).items()}), file)
    return MLFLOW, PARQUET, file.getvalue()


FORMS: dict[str, Callable[[Rows], Sent]] = {
    "objects of V1": in_json(V1, lambda rows: {"instances": rows}),
    "lists of V1": in_json(V1, lambda rows: {"instances": in_order(rows)}),
    "columns of V1": in_json(V1, lambda rows: {"inputs": columns_of(rows)}),
    "tensors of V2": in_json(V2, lambda rows: {"inputs": tensors(rows)}),
    "split": in_json(MLFLOW, lambda rows: {"dataframe_split": {"columns": list(rows[0]), "data": in_order(rows)}}),
    "records": in_json(MLFLOW, lambda rows: {"dataframe_records": rows}),
    "instances": in_json(MLFLOW, lambda rows: {"instances": rows}),
    "inputs": in_json(MLFLOW, lambda rows: {"inputs": columns_of(rows)}),
    "csv": in_csv,
    "parquet": in_parquet,
}


def tables(*, gaps: bool) -> st.SearchStrategy[Rows]:
    whole = VALUES | {"hour": st.integers(-MOST_EXACT, MOST_EXACT)} if gaps else VALUES
    values = {name: st.none() | value if gaps else value for name, value in whole.items()}
    row = st.tuples(*values.values()).map(lambda given: dict(zip(values, given, strict=True)))
    return st.lists(row, min_size=1, max_size=4)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_model_sees_what_was_sent(seen: tuple[Seen, bool], form: str, data: st.DataObject) -> None:
    model, gaps = seen
    rows = data.draw(tables(gaps=gaps))
    if form == "csv" and gaps:
        # An empty cell is the only word that CSV has for a missing value.
        rows = [row | {"carrier": row["carrier"] or None} for row in rows]
    assert repr(model.rows(FORMS[form](rows))) == repr(rows)


@pytest.mark.parametrize("seen", ["whole"], indirect=True)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables(gaps=False))
def test_the_model_sees_what_was_sent_as_bytes(seen: tuple[Seen, bool], rows: Rows) -> None:
    model, _ = seen
    inputs, contents = tensors(rows), []
    for tensor in inputs:
        values = np.array(tensor.pop("data"), dtype=object)
        contents.append(as_bytes(values, tensor["datatype"]))
        tensor["parameters"] = {"binary_data_size": len(contents[-1])}
    head = json.dumps({"inputs": inputs}).encode()
    found = model.rows((V2, BYTES, head + b"".join(contents)), inference_header_content_length=str(len(head)))
    assert repr(found) == repr(rows)
