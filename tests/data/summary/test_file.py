"""Saved summaries: small, equal when they are read, refused when they are damaged."""

import hashlib
import math
import struct
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cellops.data.summary.arrays import pack, unpack
from cellops.data.summary.file import HEAD, MAGIC, VERSION, from_bytes, is_summary, read, to_bytes, write
from cellops.data.summary.summarize import summarize
from cellops.data.summary.table import merge
from cellops.errors import InputError, NotFoundError

MEGABYTE = 10**6


def table(rows: int) -> pd.DataFrame:
    generator = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "number": np.append(generator.normal(size=rows - 2), [np.inf, np.nan]),
            "price": generator.integers(0, 10**6, rows) / 100,
            "wide": generator.integers(2**60, 2**62, rows),
            "word": generator.choice(["UA", "ÅA"], rows),
            "name": [f"name {number}" for number in range(rows)],
            "time": pd.Timestamp("2013-01-01") + pd.to_timedelta(generator.integers(0, 10**8, rows), unit="s"),
            "flag": generator.random(rows) < 0.5,
            "list": pd.Series([[1]] * rows, dtype=object),
        }
    )


@pytest.mark.parametrize("rows", [2, 300, 6_000])
def test_a_saved_summary_is_the_same_and_merges_as_it_did(rows: int, tmp_path: Path) -> None:
    summary = summarize(table(rows))
    write(summary, tmp_path / "new" / "table.summary")
    again = read(tmp_path / "new" / "table.summary")

    assert again == summary
    assert merge(again, summary) == merge(summary, summary)
    assert is_summary(tmp_path / "new" / "table.summary")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["table.summary"]


def test_a_thousand_columns_of_ten_thousand_rows_take_less_than_five_megabytes() -> None:
    generator = np.random.default_rng(0)
    kinds = [
        generator.normal(size=10_000),
        generator.lognormal(0, 2, 10_000),
        generator.integers(0, 10**6, 10_000).astype(float),
        generator.integers(0, 10**5, 10_000) / 100,
    ]
    columns = {str(number): np.roll(kinds[number % 4], number) * (1 + number // 4 % 3) for number in range(24)}

    assert len(to_bytes(summarize(pd.DataFrame(columns)))) / 24 * 1000 < 5 * MEGABYTE


@pytest.mark.parametrize("rows", [100, 512, 513, 1_000, 2_048, 3_000])
def test_so_do_those_of_fewer_rows(rows: int) -> None:
    generator = np.random.default_rng(rows)
    columns = {str(number): generator.normal(size=rows) for number in range(20)}

    assert len(to_bytes(summarize(pd.DataFrame(columns)))) / 20 * 1000 < 5 * MEGABYTE


@given(st.integers(0, 2**16), st.integers(0, 255))
def test_a_byte_that_is_not_what_it_was_is_noticed(place: int, value: int) -> None:
    data = bytearray(to_bytes(summarize(pd.DataFrame({"hour": [5, 6]}))))
    place %= len(data)
    if data[place] == value:
        value ^= 1
    data[place] = value

    with pytest.raises(InputError, match=r"damaged|no profile|of version"):
        from_bytes(bytes(data))


def test_what_is_cut_off_is_refused() -> None:
    data = to_bytes(summarize(pd.DataFrame({"hour": [5, 6]})))

    for length in range(len(data)):
        with pytest.raises(InputError):
            from_bytes(data[:length])


def test_another_version_and_another_file_are_named(tmp_path: Path) -> None:
    data = bytearray(to_bytes(summarize(pd.DataFrame({"hour": [5, 6]}))))
    struct.pack_into(">H", data, 16, VERSION + 1)
    (tmp_path / "newer").write_bytes(data)
    (tmp_path / "other").write_bytes(b"PAR1" * HEAD.size)

    with pytest.raises(InputError, match=r"newer is a profile of version 2, and this cellops reads version 1"):
        read(tmp_path / "newer")
    with pytest.raises(InputError, match="other is no profile"):
        read(tmp_path / "other")
    with pytest.raises(NotFoundError, match="missing"):
        read(tmp_path / "missing")


@given(arrays.arrays(np.int64, st.integers(0, 30)))
def test_whole_numbers_come_back(numbers: np.ndarray) -> None:
    assert unpack(pack(numbers)).tolist() == numbers.tolist()


@given(arrays.arrays(np.float64, st.integers(0, 30), elements=st.floats(allow_infinity=False)))
def test_floats_come_back(numbers: np.ndarray) -> None:
    again = unpack(pack(numbers + 0.0))

    assert np.array_equal(again, numbers, equal_nan=True)


@given(st.lists(st.decimals(-(10**6), 10**6, places=2), max_size=30))
def test_prices_come_back(prices: list) -> None:
    numbers = np.array(prices, dtype=float) + 0.0

    assert unpack(pack(numbers)).tolist() == numbers.tolist()


def made_up(content: bytes, size: int | None = None) -> bytes:
    """A file whose digest is right, whatever it holds."""
    packed, size = zlib.compress(content), len(content) if size is None else size
    digest = hashlib.sha256(struct.pack(">HQ", VERSION, size) + packed).digest()
    return HEAD.pack(MAGIC, VERSION, size, digest) + packed


def test_a_file_that_says_it_is_empty_is_not_unpacked_without_limit() -> None:
    bomb = made_up(bytes(64 * MEGABYTE), size=0)

    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        from_bytes(bomb)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < MEGABYTE


@pytest.mark.parametrize(
    "array",
    [
        ["f", 2, b"\x01\x02", 1, 10**9, b""],  # 10 to the power of a thousand million
        ["f", 2**24, b"", 1, -1, b"\0"],  # a byte that stands for a hundred megabytes
        ["i", 2, b"\x01\x02", 3, -1, b""],
    ],
)
def test_arrays_that_would_take_all_time_or_memory_are_refused(array: list[object]) -> None:
    content = msgspec.msgpack.decode(zlib.decompress(to_bytes(summarize(pd.DataFrame({"hour": [5, 6]})))[HEAD.size :]))
    content["columns"][0]["parts"]["numbers"]["sketch"]["values"] = array

    with pytest.raises(InputError, match="cannot be read"):
        from_bytes(made_up(msgspec.msgpack.encode(content)))


@pytest.mark.parametrize("place", ["extremes", "level", "minimum"])
def test_extremes_that_are_no_numbers_are_refused(place: str) -> None:
    saved = to_bytes(summarize(pd.DataFrame({"delay": np.random.default_rng(1).normal(size=3_000)})))
    content = msgspec.msgpack.decode(zlib.decompress(saved[HEAD.size :]))
    numbers = content["columns"][0]["parts"]["numbers"]
    if place == "extremes":
        numbers["sketch"]["extremes"][0] = math.nan
    elif place == "level":
        numbers["sketch"]["even"]["level"] = 2**40
    else:
        numbers["moments"]["minimum"] = -math.inf

    with pytest.raises(InputError, match="does not fit together"):
        from_bytes(made_up(msgspec.msgpack.encode(content)))


def test_what_is_no_profile_is_not_written_over(tmp_path: Path) -> None:
    data = tmp_path / "flights.csv"
    data.write_text("hour\n5\n")

    with pytest.raises(InputError, match="is no profile"):
        write(summarize(data), data)

    assert data.read_text() == "hour\n5\n"


def test_several_may_write_to_one_path_at_once(tmp_path: Path) -> None:
    summaries = [summarize(table(rows)) for rows in (300, 600)]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(write, summaries[number % 2], tmp_path / "one") for number in range(40)]:
            future.result()

    assert read(tmp_path / "one") in summaries
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
