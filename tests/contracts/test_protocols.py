"""Every protocol gives the same answer to the same rows, and none meets garbage with a failure of the server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.serving.protocols import PROTOCOLS
from support.wire import Rows, Wire, wired

MODELS = ("flights", "cancer", "diabetes")


@dataclass(frozen=True)
class Dialect:
    """How a client of one protocol asks, and reads labels and errors from an answer."""

    path: Callable[[str], str]
    ask: Callable[[Rows], Any]
    labels: Callable[[Any], list[Any]]
    error: str


def columns(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def tensors(rows: Rows) -> dict[str, Any]:
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64"}
    named = columns(rows).items()
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(values)],
                "datatype": kinds.get(type(next((v for v in values if v is not None), 0.0)), "FP64"),
                "data": values,
            }
            for name, values in named
        ]
    }


DIALECTS = {
    "kserve-v1": Dialect(
        lambda model: f"/v1/models/{model}:predict",
        lambda rows: {"instances": rows},
        lambda answer: answer["predictions"],
        "error",
    ),
    "open-inference-v2": Dialect(
        lambda model: f"/v2/models/{model}/infer", tensors, lambda answer: answer["outputs"][0]["data"], "error"
    ),
    "mlflow": Dialect(
        lambda _model: "/invocations",
        lambda rows: {"dataframe_records": rows},
        lambda answer: answer["predictions"],
        "message",
    ),
}


def ask(wire: Wire, dialect: Dialect, question: Any) -> tuple[int, Any]:
    status, _, content = wire.send(dialect.path(wire.package.manifest.name), json.dumps(question).encode())
    return status, json.loads(content)


@pytest.fixture(scope="module", params=MODELS)
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """A protocol without a dialect here fails: the next one is tested unasked."""
    return DIALECTS[request.param.name]


def test_the_answer_is_that_of_training(wire: Wire, dialect: Dialect) -> None:
    status, answer = ask(wire, dialect, dialect.ask(wire.rows))
    assert status == 200, answer
    parity = wire.package.contract.parity
    assert dialect.labels(answer) == (
        parity.labels if wire.package.contract.schema.classes else pytest.approx(parity.labels)
    )


def test_a_missing_column_is_named(wire: Wire, dialect: Dialect) -> None:
    needed = next(field.name for field in wire.package.contract.schema.inputs if not field.nullable)
    rows = [{name: value for name, value in row.items() if name != needed} for row in wire.rows]
    status, answer = ask(wire, dialect, dialect.ask(rows))
    assert status == 400
    assert f"Column {needed} is missing" in answer[dialect.error]


def test_a_wrong_type_is_named_with_its_row(wire: Wire, dialect: Dialect) -> None:
    number = next(field.name for field in wire.package.contract.schema.inputs if field.kind.value != "text")
    rows = wire.rows
    rows[3] = {**rows[3], number: "a secret"}
    status, answer = ask(wire, dialect, dialect.ask(rows))
    assert status == 400
    assert f"Column {number}, row 3" in answer[dialect.error]
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"{", b"\xff", b'{"instances": [NaN]}', b"[" * 100])
def test_a_body_that_is_no_question_is_bad_input(wire: Wire, dialect: Dialect, content: bytes) -> None:
    status, _, answer = wire.send(dialect.path(wire.package.manifest.name), content)
    assert status == 400
    assert json.loads(answer)[dialect.error]


def test_nesting_and_rows_beyond_the_limit(wire: Wire, dialect: Dialect) -> None:
    path = dialect.path(wire.package.manifest.name)
    assert wire.send(path, b"[" * 5000)[0] == 413
    assert ask(wire, dialect, dialect.ask(wire.rows[:1] * 1001))[0] == 413


def test_a_request_without_rows_is_bad_input(wire: Wire, dialect: Dialect) -> None:
    question = dialect.ask(wire.rows[:1])
    empty = {key: [] for key in question} if "inputs" not in question else question
    for tensor in question.get("inputs", []):
        tensor.update(shape=[0], data=[])
    status, answer = ask(wire, dialect, empty)
    assert status == 400
    assert "no rows" in answer[dialect.error]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
KEYS = ("instances", "inputs", "outputs", "id", "dataframe_split", "dataframe_records", "data", "columns", "params")
PARTS = ("name", "shape", "datatype", "data", "parameters", "content_type", "binary_data", "distance", "age")
SHAPED = st.recursive(
    JSON | st.sampled_from(("BYTES", "FP64", "predict", "distance", "EWR")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PARTS), inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=st.dictionaries(st.sampled_from(KEYS), SHAPED, max_size=3) | JSON)
def test_garbage_is_never_a_failure_of_the_server(wire: Wire, dialect: Dialect, document: Any) -> None:
    assert ask(wire, dialect, document)[0] in (200, 400, 413, 501)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_question_with_one_thing_changed_is_never_a_failure(
    wire: Wire, dialect: Dialect, data: st.DataObject
) -> None:
    question = dialect.ask(wire.rows[:2])
    place = question
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(SHAPED)
            break
        place = place[key]
    assert ask(wire, dialect, question)[0] in (200, 400, 413, 501)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=60) | st.text(alphabet='ab1,."\n\r', max_size=60).map(str.encode))
def test_garbage_as_csv_is_never_a_failure(wire: Wire, content: bytes) -> None:
    assert wire.send("/invocations", content, b"text/csv")[0] == 400
