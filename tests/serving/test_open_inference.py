"""Tensors of the Open Inference Protocol: their numbers must be of their datatype, and their names the model's."""

import json
from typing import Any

import pytest

from cellops.data.decoder import Decoder
from cellops.errors import InputError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.serving.limits import Limits
from cellops.serving.protocols.open_inference_v2 import OpenInferenceV2
from cellops.serving.protocols.protocol import Body, Question, Served


def decode(names: str, tensors: list[dict[str, Any]], **more: Any) -> Question:
    fields = tuple(Field(name=name, kind=ColumnKind.NUMBER, dtype="float64", nullable=True) for name in names)
    decoder = Decoder(Schema(inputs=fields, task=Task.REGRESSION, target="y"))
    protocol = OpenInferenceV2(Served("model", "1", "sklearn", decoder, Limits(1000, 100)))
    return protocol.decode(Body(json.dumps({"inputs": tensors, **more}).encode(), None, {}))


def column(datatype: str, *values: object) -> list[dict[str, Any]]:
    return [{"name": "a", "shape": [len(values)], "datatype": datatype, "data": values}]


def table(datatype: str, *values: object) -> list[dict[str, Any]]:
    return [{"name": "rows", "shape": [len(values), 2], "datatype": datatype, "data": [[value, 1] for value in values]}]


@pytest.mark.parametrize("made", [column, table])
@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("INT64", 1.5),
        ("INT64", 2**63),
        ("INT8", -129),
        ("UINT8", 300),
        ("UINT8", -1),
        ("UINT64", -1),
        ("UINT64", 1e20),
        ("FP16", 70_000),
        ("FP32", 1e39),
        ("BF16", -3.4e38),
    ],
)
def test_a_number_that_its_datatype_cannot_hold_is_named(made: Any, datatype: str, value: float) -> None:
    names = "a" if made is column else "ab"
    with pytest.raises(InputError, match=f"Column a, row 2: .*{datatype}") as caught:
        decode(names, made(datatype, 1, None, value))
    assert (caught.value.data["column"], caught.value.data["rows"]) == ("a", [2])


@pytest.mark.parametrize("made", [column, table])
@pytest.mark.parametrize(
    ("datatype", "value"),
    [("INT64", 2**62), ("INT8", -128), ("UINT8", 255.0), ("FP16", 65_504), ("FP32", 1e38), ("FP64", 1e300)],
)
def test_a_number_that_its_datatype_holds_is_taken(made: Any, datatype: str, value: float) -> None:
    names = "a" if made is column else "ab"
    assert decode(names, made(datatype, value, None)).columns["a"].tolist()[0] == value


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_a_model_of_one_input_does_not_take_another_name_for_it(shape: list[int]) -> None:
    tensor = {"name": "b", "shape": shape, "datatype": "FP64", "data": [1.0, 2.0]}
    with pytest.raises(InputError, match="no input b"):
        decode("a", [tensor])


@pytest.mark.parametrize("outputs", [0, "", False, {}, 1, "predict"])
def test_outputs_that_are_no_list_are_refused(outputs: object) -> None:
    with pytest.raises(InputError, match="outputs are not a list"):
        decode("a", column("FP64", 1.0), outputs=outputs)
    assert decode("a", column("FP64", 1.0), outputs=None).outputs == ()


@pytest.mark.parametrize("parameters", [0, "", [], False])
def test_parameters_that_are_no_object_are_refused(parameters: object) -> None:
    (tensor,) = column("FP64", 1.0)
    with pytest.raises(InputError, match="parameters of a are not an object"):
        decode("a", [tensor | {"parameters": parameters}])
