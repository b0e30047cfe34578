"""The binary extension of Open Inference gives the answers that JSON gives, and refuses what is no tensor."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cellops.errors import InputError
from cellops.records.profile import ColumnKind
from cellops.serving.protocols.binary_tensors import DTYPES, Tensors, as_bytes
from support.wire import Wire, wired

LENGTH = "inference_header_content_length"
NUMBERS = sorted(set(DTYPES) - {"BF16", "BOOL"})


@pytest.fixture(scope="module", params=["flights", "cancer", "diabetes", "narrow"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def path(wire: Wire) -> str:
    return f"/v2/models/{wire.package.manifest.name}/infer"


def texts(values: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in values)


def tensors(wire: Wire) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The parity rows as a client with numpy sends them: a missing number is NaN."""
    parity, inputs, contents = wire.package.contract.parity, [], []
    for field in wire.package.contract.schema.inputs:
        values = parity.inputs[field.name]
        if field.kind is ColumnKind.TEXT:
            datatype, content = "BYTES", texts(values)
        elif None in values or field.kind is ColumnKind.NUMBER:
            datatype, content = "FP64", np.array(values, "<f8").tobytes()
        else:
            datatype, content = "INT64", np.array(values, "<i8").tobytes()
        size = {"binary_data_size": len(content)}
        inputs.append({"name": field.name, "shape": [len(values)], "datatype": datatype, "parameters": size})
        contents.append(content)
    return inputs, contents


def ask(wire: Wire, document: dict[str, Any], *contents: bytes) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Status, JSON part, and the outputs that came as bytes."""
    head = json.dumps(document).encode()
    sent = {LENGTH: str(len(head))} if contents else {}
    status, headers, body = wire.send(path(wire), head + b"".join(contents), b"application/octet-stream", **sent)
    length = int(headers.get(b"inference-header-content-length", len(body)))
    answer, rest = json.loads(body[:length]), body[length:]
    found = {}
    for output in answer.get("outputs", []):
        size = output.get("parameters", {}).get("binary_data_size", 0)
        found[output["name"]], rest = rest[:size], rest[size:]
    assert not rest
    return status, answer, found


def test_columns_as_bytes_are_answered_as_columns_in_json(wire: Wire) -> None:
    inputs, contents = tensors(wire)
    status, answer, _ = ask(wire, {"inputs": inputs}, *contents)
    assert status == 200, answer
    listed = [
        {key: value for key, value in tensor.items() if key != "parameters"}
        | {"data": wire.package.contract.parity.inputs[tensor["name"]]}
        for tensor in inputs
    ]
    status, _, body = wire.send(path(wire), json.dumps({"inputs": listed}).encode())
    assert (status, json.loads(body)["outputs"]) == (200, answer["outputs"])


def test_outputs_as_bytes_hold_the_answers(wire: Wire) -> None:
    inputs, contents = tensors(wire)
    _, plain, _ = ask(wire, {"inputs": inputs}, *contents)
    status, answer, found = ask(wire, {"inputs": inputs, "parameters": {"binary_data_output": True}}, *contents)
    assert status == 200
    for tensor, output in zip(plain["outputs"], answer["outputs"], strict=True):
        assert (output["name"], output["shape"], output["datatype"]) == (
            tensor["name"],
            tensor["shape"],
            tensor["datatype"],
        )
        content = found[output["name"]]
        if output["datatype"] == "BYTES":
            assert content == texts(tensor["data"])
        else:
            assert np.frombuffer(content, DTYPES[output["datatype"]]).tolist() == tensor["data"]


def test_one_output_as_bytes_and_another_in_json(wire: Wire) -> None:
    inputs, contents = tensors(wire)
    names = ["predict", "predict_proba"] if wire.package.contract.schema.probabilities else ["predict"]
    outputs = [{"name": name, "parameters": {"binary_data": name != "predict"}} for name in names]
    status, answer, found = ask(wire, {"inputs": inputs, "outputs": outputs}, *contents)
    assert status == 200
    assert ["data" in output for output in answer["outputs"]] == [name == "predict" for name in names]
    assert [bool(found[name]) for name in names] == [name != "predict" for name in names]


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
@pytest.mark.parametrize("datatype", ["FP64", "FP32"])
def test_a_matrix_as_bytes_stands_for_all_columns(wire: Wire, datatype: str) -> None:
    contract = wire.package.contract
    rows = np.array([contract.parity.inputs[field.name] for field in contract.schema.inputs], DTYPES[datatype]).T
    size = {"binary_data_size": rows.nbytes}
    tensor = {"name": "rows", "shape": list(rows.shape), "datatype": datatype, "parameters": size}
    status, answer, _ = ask(wire, {"inputs": [tensor]}, rows.tobytes())
    assert status == 200, answer
    assert answer["outputs"][0]["data"] == pytest.approx(contract.parity.labels, rel=1e-5)


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parameters": {"binary_data_size": 8}}, "8 bytes, and 16 by its shape"),
        ({"parameters": {"binary_data_size": 2**40}}, "no number of the bytes that are left"),
        ({"parameters": {"binary_data_size": -1}}, "no number of the bytes that are left"),
        ({"parameters": {"binary_data_size": "16"}}, "no number of the bytes that are left"),
        ({"parameters": {"binary_data_size": True}}, "no number of the bytes that are left"),
        ({"shape": [2**62]}, "by its shape"),
        ({"name": "weight", "shape": [2**63] * 1000}, "not a list of sizes"),
        ({"shape": [3]}, "16 bytes, and 24 by its shape"),
        ({"datatype": "FP32"}, "16 bytes, and 8 by its shape"),
        ({"datatype": "FP65"}, "datatype that its column does not take"),
        ({"name": "weight", "datatype": "FP65"}, "datatype that the protocol does not have"),
        ({"name": "weight"}, "no input weight"),
        ({"data": [1.0, 2.0]}, "both data and a binary_data_size"),
        ({"parameters": {}}, "not a list"),
    ],
)
def test_a_tensor_that_does_not_fit_its_bytes_is_named(wire: Wire, change: dict[str, Any], words: str) -> None:
    tensor = {"name": "age", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}
    status, answer, _ = ask(wire, {"inputs": [tensor | change]}, bytes(16))
    assert status == 400
    assert words in answer["error"]


@pytest.mark.parametrize("wire", ["flights"], indirect=True)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x02\0\0\0UA\x02\0\0\0U", "not 2 strings"),
        (b"\x02\0\0\0UA\x02\0\0\0UA\0", "not 2 strings"),
        (b"\x02\0\0\0UA", "not 2 strings"),
        (b"\xff\xff\xff\xffUA\x02\0", "not 2 strings"),
        (b"\x02\0\0\0UA\x02\0\0\0\xff\xfe", "row 1: not in UTF-8"),
    ],
)
def test_bytes_that_are_no_strings_are_refused(wire: Wire, content: bytes, words: str) -> None:
    size = {"binary_data_size": len(content)}
    tensor = {"name": "carrier", "shape": [2], "datatype": "BYTES", "parameters": size}
    status, answer, _ = ask(wire, {"inputs": [tensor]}, content)
    assert (status, words in answer["error"]) == (400, True), answer


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
def test_a_missing_value_where_training_had_none_is_named(wire: Wire) -> None:
    inputs, contents = tensors(wire)
    for value, words in ((np.nan, "null"), (np.inf, "not a finite number")):
        changed = np.frombuffer(contents[0], "<f8").copy()
        changed[1] = value
        status, answer, _ = ask(wire, {"inputs": inputs}, changed.tobytes(), *contents[1:])
        assert (status, answer["rows"]) == (400, [1])
        assert words in answer["error"]


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
@pytest.mark.parametrize(
    "length",
    ["-1", "0", "999999", "9" * 5000, "0" * 19 + "1" + "9" * 10, "0" * 19 + "1" + "9" * 5000, "1.5", "", "0x10", "٣"],
    ids=lambda length: length[:40],
)
def test_a_length_of_the_json_part_that_is_none_is_refused(wire: Wire, length: str) -> None:
    inputs, contents = tensors(wire)
    content = json.dumps({"inputs": inputs}).encode() + b"".join(contents)
    status, _, body = wire.send(path(wire), content, b"application/octet-stream", **{LENGTH: length})
    assert (status, "Inference-Header-Content-Length" in json.loads(body)["error"]) == (400, True)


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
def test_bytes_that_belong_to_no_tensor_are_refused(wire: Wire) -> None:
    inputs, contents = tensors(wire)
    status, answer, _ = ask(wire, {"inputs": inputs}, *contents, b"more")
    assert (status, "4 bytes behind its tensors" in answer["error"]) == (400, True)
    status, answer, _ = ask(wire, {"inputs": inputs})
    assert status == 415 or "no header" in answer["error"]


@pytest.mark.parametrize("wire", ["diabetes"], indirect=True)
def test_more_rows_than_the_server_takes_are_refused(wire: Wire) -> None:
    names = wire.package.contract.parity.inputs
    content = np.zeros(1001 * len(names)).tobytes()
    size = {"binary_data_size": len(content)}
    tensor = {"name": "rows", "shape": [1001, len(names)], "datatype": "FP64", "parameters": size}
    assert ask(wire, {"inputs": [tensor]}, content)[0] == 413


@given(st.data(), st.sampled_from(NUMBERS))
def test_numbers_come_out_as_they_went_in(data: st.DataObject, datatype: str) -> None:
    values = data.draw(arrays.arrays(DTYPES[datatype], st.integers(0, 20)))
    content = as_bytes(values, datatype)
    tensor = Tensors(content).take("x", datatype, [len(values)], len(content))
    assert np.asarray(tensor).tobytes() == values.tobytes()


@given(st.lists(st.text(max_size=5), max_size=10))
def test_strings_come_out_as_they_went_in(values: list[str]) -> None:
    content = as_bytes(np.array(values, dtype=object), "BYTES")
    assert Tensors(content).take("x", "BYTES", [len(values)], len(content)) == values


@given(arrays.arrays(np.bool_, st.integers(0, 20)))
def test_booleans_come_out_as_they_went_in(values: Any) -> None:
    content = as_bytes(values, "BOOL")
    assert np.array_equal(Tensors(content).take("x", "BOOL", [len(values)], len(content)), values)


@given(st.binary(max_size=30).filter(lambda content: any(byte > 1 for byte in content)))
def test_bytes_that_are_no_booleans_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="neither 0 nor 1"):
        Tensors(content).take("x", "BOOL", [len(content)], len(content))


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 3.3895313892515355e38])
def test_a_brain_float_is_the_upper_half_of_a_single(value: float) -> None:
    half = struct.pack("<f", value)[2:]
    assert np.asarray(Tensors(half).take("x", "BF16", [1], 2)).tolist() == [value]


@pytest.mark.parametrize("wire", ["flights"], indirect=True)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_body_with_some_bytes_changed_is_never_a_failure(wire: Wire, data: st.DataObject) -> None:
    inputs, contents = tensors(wire)
    head = json.dumps({"inputs": inputs}).encode()
    body = bytearray(head + b"".join(contents))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    sent = bytes(body[:cut]) if data.draw(st.booleans()) else bytes(body)
    length = data.draw(st.just(len(head)) | st.integers(0, len(body) + 5))
    status, _, _ = wire.send(path(wire), sent, b"application/octet-stream", **{LENGTH: str(length)})
    assert status in (200, 400, 413, 501)
