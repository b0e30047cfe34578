"""Bodies of few bytes that would be much work, or a large table."""

import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cellops.data.csv_cells import bare_return
from cellops.data.decoder import Decoder
from cellops.errors import CellopsError, InputError, LimitError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.serving.limits import Limits
from cellops.serving.protocols import parsing
from cellops.serving.protocols.kserve_v1 import KServeV1
from cellops.serving.protocols.mlflow_scoring import CSV, MlflowScoring
from cellops.serving.protocols.parsing import JSON
from cellops.serving.protocols.protocol import Body, Served

MEGABYTE = 1_000_000


def served(*names: str, nullable: bool = False, max_bytes: int = MEGABYTE, max_rows: int = 1000) -> Served:
    fields = [Field(name=name, kind=ColumnKind.NUMBER, dtype="float64", nullable=nullable) for name in names]
    decoder = Decoder(Schema(inputs=tuple(fields), task=Task.REGRESSION, target="y"))
    return Served(name="m", version="1", platform="p", decoder=decoder, limits=Limits(max_bytes, max_rows))


def peak(work: Callable[[], object]) -> int:
    """Bytes that it takes in between."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rows(count: int, **row: Any) -> Body:
    return Body(json.dumps({"instances": [row] * count}).encode(), JSON, {})


def test_rows_of_csv_beyond_the_limit_are_counted_and_not_kept() -> None:
    protocol, body = MlflowScoring(served("a")), Body(b"a\n" + b"1\n" * 200_000, CSV, {})

    def refused() -> None:
        with pytest.raises(LimitError, match="has 200000 rows, and the server takes 1000"):
            protocol.decode(body)

    assert peak(refused) < 8 * len(body.content)


def test_a_header_of_more_columns_than_any_table_has_becomes_no_table() -> None:
    content = ",".join(f"c{number}" for number in range(100_000)) + "\n"

    def refused() -> None:
        with pytest.raises(LimitError, match="100000 columns"):
            MlflowScoring(served("a")).decode(Body(content.encode(), CSV, {}))

    assert peak(refused) < 18 * MEGABYTE


@pytest.mark.parametrize("end", ['",1\r2\n', "\r"])
def test_a_long_cell_of_csv_is_read_without_a_memory_of_each_character(end: str) -> None:
    content = b'a,b\n"' + b"x" * MEGABYTE + end.encode()
    assert peak(lambda: bare_return(content)) < 2 * MEGABYTE


def test_rows_that_name_no_input_make_no_table_beyond_the_limit() -> None:
    wide = KServeV1(served(*(f"f{number}" for number in range(3000)), nullable=True, max_bytes=100_000))
    assert len(wide.decode(rows(10, f1=1)).columns["f2999"]) == 10
    with pytest.raises(LimitError, match="far larger when it is unpacked"):
        wide.decode(rows(1000, f1=1))


def test_columns_that_many_rows_lack_are_not_looked_for_one_by_one() -> None:
    wide = KServeV1(served(*(f"f{number}" for number in range(2000))))

    def refused() -> None:
        with pytest.raises(
            InputError, match=r"Column f0 is missing in rows 0, 1, 2, 3, 4 and 995 more; .*more problems"
        ):
            wide.decode(rows(1000, other=1))

    assert peak(refused) < 4 * MEGABYTE


def test_names_that_are_like_many_others_take_no_long_search() -> None:
    names = [f"feature_{number:04d}_mean_over_seven_days" for number in range(3000)]
    wide, given = KServeV1(served(*names)), [f"feature_x{number:03d}_mean_over_seven_days" for number in range(10)]
    began = time.thread_time()
    with pytest.raises(InputError, match="no input feature_x000"):
        wide.decode(rows(1, **dict.fromkeys(given, 1)))
    assert time.thread_time() - began < 0.5
    with pytest.raises(InputError, match="Send feature_0007_mean_over_seven_days in place of FEATURE_0007"):
        wide.decode(rows(1, FEATURE_0007_mean_over_seven_days=1))


LONG = "[1, 2.5], " * 300
BODIES = {
    "numbers": f'{{"instances": [{LONG}[3e-3, -0.0]]}}',
    "the other name": f'{{"inputs": [{LONG}[12345678901234567890, 1e300]]}}',
    "another name": f'{{"input": [{LONG}[1, 2]]}}',
    "a name twice": f'{{"instances": [{LONG}[1, 2]], "instances": [[1, 2]]}}',
    "two names": f'{{"instances": [{LONG}[1, 2]], "inputs": [[1, 2]]}}',
    "a null": f'{{"instances": [{LONG}[1, null]]}}',
    "a boolean": f'{{"instances": [{LONG}[1, true]]}}',
    "a text": f'{{"instances": [{LONG}[1, "2"]]}}',
    "a list": f'{{"instances": [{LONG}[1, [2]]]}}',
    "a row that is short": f'{{"instances": [{LONG}[1]]}}',
    "a row that is long": f'{{"instances": [{LONG}[1, 2, 3]]}}',
    "a number beyond all": f'{{"instances": [{LONG}[1, 1e400]]}}',
    "an integer beyond all": f'{{"instances": [{LONG}[1, 1{"0" * 400}]]}}',
    "no number": f'{{"instances": [{LONG}[1, NaN]]}}',
    "no JSON": f'{{"instances": [{LONG}[1, 02]]}}',
    "no end": f'{{"instances": [{LONG}[1, 2]',
    "too many rows": f'{{"instances": [{LONG * 4}[1, 2]]}}',
    "blanks": f'  {{ "instances" :\n[{LONG}[1, 2] ] }} ',
}


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("media_type", [JSON, None, CSV])
def test_a_long_body_of_numbers_is_read_as_any_other(
    content: str, media_type: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol, body = KServeV1(served("a", "b", nullable=True)), Body(content.encode(), media_type, {})

    def read() -> Any:
        try:
            return {name: column.tolist() for name, column in protocol.decode(body).columns.items()}
        except CellopsError as error:
            return type(error), error.fact, error.remedy, error.data

    soon = read()
    monkeypatch.setattr(parsing, "LONG", len(content) * 2)
    assert str(soon) == str(read()), "NaN is no other NaN"


def test_a_long_body_of_integers_stays_one() -> None:
    field = Field(name="a", kind=ColumnKind.INTEGER, dtype="int64", nullable=False)
    decoder = Decoder(Schema(inputs=(field,), task=Task.REGRESSION, target="y"))
    protocol = KServeV1(replace(served("a"), decoder=decoder))
    content = json.dumps({"instances": [[number] for number in range(900)]}).encode()
    assert protocol.decode(Body(content, JSON, {})).columns["a"].dtype.kind == "i"
