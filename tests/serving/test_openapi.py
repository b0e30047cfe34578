"""The OpenAPI document describes what the server takes and gives: real questions fit it, and real answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from cellops.data.expectations import parse
from cellops.records.contract import Contract, Field
from cellops.records.profile import ColumnKind
from cellops.serving import openapi
from cellops.serving.limits import Limits
from support.wire import Rows, Wire, wired

MODELS = ("flights", "cancer", "diabetes")


@pytest.fixture(scope="module", params=MODELS)
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
def document(wire: Wire) -> dict[str, Any]:
    status, _, content = wire.read(openapi.PATH)
    assert status == 200
    return json.loads(content)


def questions(rows: Rows) -> dict[str, list[Any]]:
    """What may be asked of a path, by its end."""
    ordered = [list(row.values()) for row in rows]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    split = {"columns": list(rows[0]), "data": ordered}
    tensors = [
        {"name": name, "shape": [len(values)], "datatype": datatype(values), "data": values}
        for name, values in columns.items()
    ]
    forms = [{"dataframe_split": split}, {"dataframe_records": rows}, {"instances": ordered}, {"inputs": columns}]
    return {
        ":predict": [{"instances": rows}, {"instances": ordered}, {"inputs": columns}],
        ":explain": [{"instances": rows[:2]}, {"instances": ordered[:1]}, {"inputs": columns}],
        "/infer": [{"inputs": tensors, "id": "a-7", "outputs": [{"name": "predict"}]}],
        "/invocations": forms,
        "/feedback": [{"labels": [{"prediction_id": "a:0", "label": None}], "foreign": True}],
    }


def datatype(values: list[Any]) -> str:
    return "BYTES" if isinstance(values[0], str) else "FP64"


def schema_of(document: dict[str, Any], part: dict[str, Any]) -> Draft202012Validator:
    if "$ref" in part:
        part = document["components"]["responses"][part["$ref"].rpartition("/")[2]]
    held = part["content"]["application/json"]["schema"]
    return Draft202012Validator({**held, "components": document["components"]})


def in_order(wire: Wire) -> Rows:
    names = [field.name for field in wire.package.contract.schema.inputs]
    return [{name: row[name] for name in names} for row in wire.rows]


def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    validate(document)


def test_questions_and_answers_fit_it(wire: Wire, document: dict[str, Any]) -> None:
    asked = questions(in_order(wire))
    tried = 0
    for path, item in document["paths"].items():
        bodies = next((bodies for end, bodies in asked.items() if path.endswith(end)), []) if "post" in item else []
        for body in bodies:
            if "labels" in body:
                body["labels"][0]["label"] = wire.package.contract.parity.labels[0]
            assert not list(schema_of(document, item["post"]["requestBody"]).iter_errors(body)), (path, body)
            status, _, content = wire.send(path, json.dumps(body).encode())
            assert status == 200, (path, content)
            answer = item["post"]["responses"]["200"]
            assert not list(schema_of(document, answer).iter_errors(json.loads(content))), (path, content)
            tried += 1
    assert tried == 19


def test_what_is_refused_does_not_fit_it_and_is_said_as_it_says(wire: Wire, document: dict[str, Any]) -> None:
    rows = in_order(wire)
    name = next(field.name for field in wire.package.contract.schema.inputs if not field.nullable)
    wrong = [rows[0] | {"colour": "red"}, {key: rows[0][key] for key in rows[0] if key != name}, rows[0] | {name: [1]}]
    path = next(path for path in document["paths"] if path.endswith(":predict"))
    operation = document["paths"][path]["post"]
    for row in wrong:
        body = {"instances": [row]}
        assert list(schema_of(document, operation["requestBody"]).iter_errors(body)), row
        status, _, content = wire.send(path, json.dumps(body).encode())
        assert status == 400
        assert not list(schema_of(document, operation["responses"]["400"]).iter_errors(json.loads(content)))


def test_every_path_of_the_server_is_described(wire: Wire, document: dict[str, Any]) -> None:
    assert set(document["paths"]) == set(wire.app.table.routes) - {openapi.PATH}
    for path, item in document["paths"].items():
        if "get" in item:
            status, headers, content = wire.read(path)
            assert status == 200, path
            media = headers[b"content-type"].decode().partition(";")[0]
            described = item["get"]["responses"]["200"]["content"]
            assert media in described, path
            if media == "application/json":
                assert not list(Draft202012Validator(described[media]["schema"]).iter_errors(json.loads(content)))


def test_only_probes_need_no_token(wire: Wire, document: dict[str, Any]) -> None:
    free = {path for path, item in document["paths"].items() if item.get("get", {}).get("security") == []}
    for path, item in document["paths"].items():
        if "get" in item:
            assert (wire.read(path, token=None)[0] == 200) == (path in free), path


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('expect_column_values_to_be_between("x", 1, 9)', {"minimum": 1, "maximum": 9}),
        ('expect_column_values_to_be_between("x", 1)', {"minimum": 1}),
        (
            'expect_column_values_to_be_between("x", 1, 9, strict_min=True, strict_max=True)',
            {"exclusiveMinimum": 1, "exclusiveMaximum": 9},
        ),
        ('expect_column_values_to_be_in_set("x", [1, 2])', {"enum": [1, 2, None]}),
        ('expect_column_values_to_be_between("x", 1, 9, severity="warning")', {}),
        ('expect_column_values_to_be_between("x", 1, 9, mostly=0.9)', {}),
        ('expect_column_mean_to_be_between("x", 1, 9)', {}),
    ],
)
def test_rules_whose_breach_is_refused_stand_in_it(rule: str, said: dict[str, Any]) -> None:
    field = Field(name="x", kind=ColumnKind.NUMBER, dtype="float64", nullable=True, minimum=0, maximum=8)
    plain = {"type": ["number", "null"], "description": "A number, or null; in training 0 to 8"}
    assert openapi.cell(field, parse("inputs", rule, {})) == plain | said


def test_limits_stand_in_it(wire: Wire) -> None:
    contract: Contract = wire.package.contract
    made = openapi.document(
        contract, Limits(10, 7), name="m", version="1", protocols=(), readable={"/": {"live": True}}, is_open=("/",)
    )
    assert {column["maxItems"] for column in made["components"]["schemas"]["Columns"]["properties"].values()} == {7}
