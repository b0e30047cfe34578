"""Bodies of few bytes that would be much work, or a large table."""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from cellops.data.csv_cells import bare_return
from cellops.data.decoder import Decoder
from cellops.errors import InputError, LimitError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.serving.limits import Limits
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
