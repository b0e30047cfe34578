"""Tables of Parquet are answered as those of JSON, and what is none or too much is refused."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.errors import InputError, LimitError
from cellops.serving import limits
from cellops.serving.limits import Limits
from cellops.serving.protocols import parquet_pages
from cellops.serving.protocols.parquet_body import PARQUET, parquet_table
from cellops.serving.protocols.parquet_pages import unpacked
from support.wire import Wire, wired

LIMITS = Limits(1000, 100)


@pytest.fixture(scope="module", params=["flights", "cancer", "narrow"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def written(table: pa.Table | pd.DataFrame | dict[str, Any], **options: Any) -> bytes:
    """As Parquet; a frame as pandas itself writes it."""
    file = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(file, **options)
    else:
        pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), file, **options)
    return file.getvalue()


def ask(wire: Wire, content: bytes) -> tuple[int, Any]:
    status, _, answer = wire.send("/invocations", content, PARQUET.encode())
    return status, json.loads(answer)


@pytest.mark.parametrize("strings", ["object", "str", "category"])
def test_a_frame_is_answered_as_its_rows(wire: Wire, strings: str) -> None:
    frame = pd.DataFrame(wire.rows)
    for field in wire.package.contract.schema.inputs:
        if field.kind == "text":
            frame[field.name] = frame[field.name].astype(strings)
    status, _, content = wire.send("/invocations", json.dumps({"dataframe_records": wire.rows}).encode())
    assert (status, ask(wire, written(frame))) == (200, (200, json.loads(content)))
    some, answers = [4, 1, 7], json.loads(content)["predictions"]
    assert ask(wire, written(frame.iloc[some])) == (200, {"predictions": [answers[row] for row in some]})


@pytest.mark.parametrize("wire", ["flights"], indirect=True)
def test_columns_that_do_not_fit_are_named(wire: Wire) -> None:
    frame = pd.DataFrame(wire.rows)
    for changed, words in (
        (frame.drop(columns="hour"), "Column hour is missing"),
        (frame.assign(colour="red"), "no input colour"),
        (frame.assign(hour=np.nan), "Column hour, rows 0"),
        (frame.assign(carrier=7), "Column carrier"),
    ):
        status, answer = ask(wire, written(changed))
        assert (status, words in answer["message"]) == (400, True), answer


def test_values_are_those_of_json() -> None:
    table = {
        "a": pa.array([1, None, 3]),
        "b": pa.array([1.5, None, float("nan")]),
        "c": pa.array([True, None, False]),
        "d": pa.array(["x", None, ""]).dictionary_encode(),
        "e": pa.array([0, None, 1_500_000], pa.timestamp("us")),
        "f": pa.array([1, 2, 3], pa.uint8()),
    }
    found = parquet_table(written(table), LIMITS)
    np.testing.assert_array_equal(found.pop("b"), [1.5, np.nan, np.nan])
    assert {name: list(values) for name, values in found.items()} == {
        "a": [1, None, 3],
        "c": [True, None, False],
        "d": ["x", None, ""],
        "e": ["1970-01-01T00:00:00", None, "1970-01-01T00:00:01.500000"],
        "f": [1, 2, 3],
    }


def test_too_many_rows_are_refused_before_they_are_read() -> None:
    with pytest.raises(LimitError, match="101 rows"):
        parquet_table(written({"a": range(101)}), LIMITS)


def test_a_table_that_is_far_larger_when_unpacked_is_refused() -> None:
    text = "x" * 100_000
    content = written({"a": [text + str(number) for number in range(20)]}, compression="zstd", use_dictionary=False)
    assert len(content) < LIMITS.max_bytes * 10
    with pytest.raises(LimitError, match="far larger when it is unpacked"):
        parquet_table(content, LIMITS)


def test_the_footer_is_not_believed_of_what_its_pages_become() -> None:
    def varint(number: int, width: int = 0) -> bytes:
        """As Thrift's compact protocol has it, zigzag, in so many bytes at least."""
        left, parts = number << 1, []
        while left >= 0x80 or len(parts) + 1 < width:
            parts.append(left & 0x7F | 0x80)
            left >>= 7
        return bytes([*parts, left])

    content = written({"a": ["x" * 100_000]}, compression="zstd", use_dictionary=False, write_statistics=False)
    told = varint(pq.ParquetFile(pa.BufferReader(content)).metadata.row_group(0).total_byte_size)
    lie = content.replace(told, varint(50, len(told)))
    assert pq.ParquetFile(pa.BufferReader(lie)).metadata.row_group(0).total_byte_size == 50
    with pytest.raises(LimitError, match="far larger when it is unpacked"):
        parquet_table(lie, LIMITS)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_the_pages_of_any_writer_are_counted(version: str, compression: str) -> None:
    table = {"a": list(range(1000)), "b": [str(number % 7) for number in range(1000)], "c": [None, 0.5] * 500}
    options = {"compression": compression, "data_page_version": version, "row_group_size": 300, "data_page_size": 64}
    content = written(table, **options, write_page_checksum=True, write_page_index=True)
    footer = pq.ParquetFile(pa.BufferReader(content)).metadata
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    told, heads = sum(group.total_byte_size for group in groups), unpacked(content, footer).total
    assert 0.5 * told < heads < told


def test_more_pages_than_make_sense_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "MOST_PAGES", 3)
    with pytest.raises(LimitError, match="more than 3 pages"):
        parquet_table(written({name: [1] for name in "abcd"}, use_dictionary=False), LIMITS)


@pytest.mark.parametrize("kind", ["str", "category", "large", "view"])
def test_a_text_that_stands_once_in_the_file_and_in_every_row_is_counted_as_often(kind: str) -> None:
    kinds = {"large": pa.large_string(), "view": pa.string_view()}
    repeated = pa.array(["x" * 1000] * 100, kinds.get(kind, pa.string()))
    content = written({"a": repeated.dictionary_encode() if kind == "category" else repeated})
    assert len(content) < LIMITS.max_bytes * 10
    with pytest.raises(LimitError, match="far larger when it is unpacked"):
        parquet_table(content, LIMITS)
    short = pa.array(["x" * 10] * 100, kinds.get(kind, pa.string()))
    assert list(parquet_table(written({"a": short}), LIMITS)["a"]) == ["x" * 10] * 100


def test_texts_that_share_their_beginning_are_counted_whole() -> None:
    texts = ["x" * 1000 + str(number) for number in range(100)]
    content = written({"a": texts}, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"})
    with pytest.raises(LimitError, match="far larger when it is unpacked"):
        parquet_table(content, LIMITS)


def test_columns_of_lists_are_refused_before_they_are_read() -> None:
    for nested in ([[0] * 100_000], [{"b": 1}], [[(1, 2)]]):
        with pytest.raises(InputError, match="Column a has lists or objects in its rows"):
            parquet_table(written({"a": nested}), LIMITS)


def test_too_many_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COLUMNS", 3)
    with pytest.raises(LimitError, match="4 columns"):
        parquet_table(written({name: [1] for name in "abcd"}), LIMITS)


def test_a_column_named_twice_is_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(InputError, match="named twice"):
        parquet_table(written(table), LIMITS)


def test_strings_that_are_not_utf8_are_refused() -> None:
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\x80"))
    with pytest.raises(InputError, match="cannot be read"):
        parquet_table(written({"a": broken}), LIMITS)


WHOLE = written({"a": [1.5, None], "b": ["x", "yy"]})


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_bytes_that_are_changed_are_a_table_or_refused(data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        parquet_table(bytes(content[: data.draw(st.integers(0, len(content)))]), LIMITS)
        parquet_table(bytes(content), LIMITS)
    except (InputError, LimitError):
        pass
