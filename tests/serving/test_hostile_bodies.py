"""Bodies that are made to hurt: each is refused with a remedy, soon and in little memory, and nothing of it is said."""

import gzip
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.wire import Wire, wired

V1, EXPLAIN, V2 = "/v1/models/flights:predict", "/v1/models/flights:explain", "/v2/models/flights/infer"
MLFLOW, FEEDBACK = "/invocations", "/feedback"
BYTES, CSV, PARQUET = b"application/octet-stream", b"text/csv", b"application/vnd.apache.parquet"
SECRET = "nobody may read this back"
ROWS = 4
REFUSED = (400, 413, 415, 501)
LARGE = 900_000
"""Bytes of a body below the server's limit of a million."""
SECONDS = 5.0
"""Of a processor, for a body of a megabyte: what is refused takes a tenth of this at most, traced as it is here."""
MEMORY = 160 << 20
"""Bytes: what the parser makes of a megabyte of the smallest values there are."""


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired("flights", tmp_path_factory.mktemp("flights")) as made:
        yield made


def refused(wire: Wire, path: str, content: bytes, media_type: bytes = b"application/json", **headers: str) -> str:
    """The sentence of a refusal: what is wrong, and what to do."""
    status, _, answer = wire.send(path, content, media_type, **headers)
    document = json.loads(answer)
    assert status in REFUSED, document
    said = str(document.get("message") or document["error"])
    assert len(answer) < 2000
    assert ". " in said
    assert SECRET not in said
    return said


def tensors() -> tuple[list[dict[str, Any]], list[bytes]]:
    """Four rows as bytes."""
    values = {
        "distance": np.array([100, 200, 300, 400], "<i8").tobytes(),
        "hour": np.array([5, 6, 7, 8], "<i8").tobytes(),
        "wind_gust": np.array([1.5, 2.5, np.nan, 4.5], "<f8").tobytes(),
        "carrier": b"\x02\0\0\0UA" * ROWS,
        "origin": b"\x03\0\0\0EWR" * ROWS,
    }
    types = {"distance": "INT64", "hour": "INT64", "wind_gust": "FP64"}
    made = [
        {
            "name": name,
            "shape": [ROWS],
            "datatype": types.get(name, "BYTES"),
            "parameters": {"binary_data_size": len(content)},
        }
        for name, content in values.items()
    ]
    return made, list(values.values())


def binary(inputs: list[dict[str, Any]], contents: list[bytes]) -> tuple[bytes, dict[str, str]]:
    head = json.dumps({"inputs": inputs}).encode()
    return head + b"".join(contents), {"inference_header_content_length": str(len(head))}


sizes = st.integers(-(2**70), 2**70) | st.sampled_from(
    [0, 1, ROWS, 2**31, 2**63, 2**64, True, None, 1.5, SECRET, [ROWS]]
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "shape": sizes
    | st.lists(sizes, max_size=4)
    | st.lists(st.integers(2**60, 2**64), min_size=300, max_size=600)
    | st.just([ROWS, 10**300]),
    "datatype": st.sampled_from(
        ["INT8", "UINT64", "FP16", "BF16", "BOOL", "FP65", "bytes", "", SECRET, None, 7, [], {}]
    ),
    "parameters": st.just([]) | st.dictionaries(st.sampled_from(["binary_data_size", "content_type", SECRET]), sizes),
}


@pytest.mark.parametrize("field", CHANGES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_tensor_that_lies_is_refused_by_name(wire: Wire, field: str, data: st.DataObject) -> None:
    inputs, contents = tensors()
    place = data.draw(st.integers(0, len(inputs) - 1))
    wrong = inputs[place] = inputs[place] | {field: data.draw(CHANGES[field])}
    content, headers = binary(inputs, contents)
    if wire.send(V2, content, BYTES, **headers)[0] != 200:
        assert wrong["name"] in refused(wire, V2, content, BYTES, **headers)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    length=st.text(max_size=8) | st.integers(-(10**30), 10**30).map(str),
    cut=st.integers(0, 1000),
    more=st.binary(max_size=9),
)
def test_a_body_that_is_not_as_long_as_it_says_is_refused(wire: Wire, length: str, cut: int, more: bytes) -> None:
    content, headers = binary(*tensors())
    whole = headers["inference_header_content_length"]
    try:
        length.encode("latin-1")
    except UnicodeEncodeError:
        length = "none"
    if length != whole:
        refused(wire, V2, content, BYTES, inference_header_content_length=length)
    refused(wire, V2, content[: -1 - cut], BYTES, **headers)
    if more:
        assert "behind its tensors" in refused(wire, V2, content + more, BYTES, **headers)


def test_bytes_without_their_header_are_told_which(wire: Wire) -> None:
    assert "Inference-Header-Content-Length" in refused(wire, V2, binary(*tensors())[0], BYTES)


def test_a_bomb_stays_packed(wire: Wire) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for path, media_type in ((V1, b"application/json"), (V2, BYTES), (MLFLOW, CSV), (MLFLOW, PARQUET)):
        for headers in ({"content_encoding": "gzip"}, {}):
            measured(wire, path, bomb, media_type, **headers)
        measured(wire, path, bomb, b"application/gzip")
    assert "Content-Encoding" in refused(wire, V1, bomb, content_encoding="gzip")


def measured(wire: Wire, path: str, content: bytes, media_type: bytes = b"application/json", **headers: str) -> str:
    """The same, held against the time and the memory that it may take."""
    tracemalloc.start()
    begun = time.process_time()
    try:
        said = refused(wire, path, content, media_type, **headers)
        seconds, (_, most) = time.process_time() - begun, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < SECONDS
    assert most < MEMORY
    return said


def filled(begin: str, each: str, end: str) -> bytes:
    count = (LARGE - len(begin) - len(end)) // len(each)
    return (begin + each * count).removesuffix(",").encode() + end.encode()


HOSTILE = {
    "deep lists": filled("", "[", ""),
    "deep lists, closed": b'{"instances": ' + b"[" * (LARGE // 2) + b"]" * (LARGE // 2) + b"}",
    "deep objects": filled("", '{"instances":', ""),
    "deep cells": b'{"instances": [{"distance": ' + b"[" * 900 + b"]" * 900 + b"}]}",
    "empty rows": filled('{"instances": [', "{},", "]}"),
    "empty tensors": filled('{"inputs": [', "{},", "]}"),
    "nulls": filled('{"dataframe_records": [', "null,", "]}"),
    "numbers": filled('{"inputs": [', "1,", "]}"),
    "one column of many": filled('{"inputs": {"distance": [', "1,", "]}}"),
    "one row of many": filled('{"instances": [[', "1,", "]]}"),
    "one label of many": filled('{"labels": [', '{"prediction_id":"a:0","label":1},', "]}"),
    "many sizes": filled('{"inputs": [{"name": "x", "datatype": "INT64", "data": [], "shape": [', f"{2**63},", "]}]}"),
    "a large size": filled('{"inputs": [{"name": "x", "datatype": "INT64", "data": [], "shape": [', "9", "]}]}"),
    "a large number": filled('{"instances": [{"distance": ', "9", "}]}"),
    "a long fraction": filled('{"instances": [{"distance": 0.', "9", "x}]}"),
    "many names": b'{"instances": [{' + b",".join(b'"%d":1' % place for place in range(80_000)) + b"}]}",
    "one name again and again": filled('{"instances": [{', '"distance":1,', "}]}"),
    "a long name": filled('{"instances": [{"', "x", '": 1}]}'),
    "escapes": filled('{"instances": [{"carrier": "', "\\u0000", '", "x": 1}]}'),
    "quotes": filled('{"instances": "', '\\"', ""),
    "outputs": filled('{"inputs": [{"name": "x"}], "outputs": [', '{"name":"predict"},', "]}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_body_made_to_hurt_is_refused_soon_and_in_little_memory(wire: Wire, name: str) -> None:
    for path in (V1, EXPLAIN, V2, MLFLOW, FEEDBACK):
        measured(wire, path, HOSTILE[name])


@pytest.mark.parametrize(
    "content",
    [
        filled("", ",", ""),
        filled("", "\n", ""),
        filled("distance", "\n1", ""),
        filled('distance\n"', '""', ""),
        filled("", "a,", "\n1"),
    ],
    ids=["columns", "lines", "rows", "quotes", "a name again and again"],
)
def test_csv_made_to_hurt_is_refused_soon_and_in_little_memory(wire: Wire, content: bytes) -> None:
    measured(wire, MLFLOW, content, CSV)
