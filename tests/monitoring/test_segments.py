import json
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import InputError, UsageError
from cellops.monitoring import prediction_log, segments
from cellops.monitoring.segment_files import Segment, compact, read_segments
from cellops.monitoring.segments import Room, SegmentWriter
from cellops.records.profile import ColumnKind
from support import logs
from support.disks import fill, small_disk
from support.logs import answered, field, request_numbers, schema_of, until, writer_on

TESTS = Path(logs.__file__).parents[1]
LIMITED = """
import json, resource, sys
from pathlib import Path
from support.logs import answered, until, writer_on

hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
writer = writer_on(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
asked = 0

def append():
    global asked
    writer.append(answered(asked), 1)
    asked += 1
    return any("File too large" in finding.seen for finding in writer.findings())

until(append)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for _ in range(100):
    append()
writer.close()
print(json.dumps({"asked": asked, "lost": writer.lost_rows, "reasons": len(writer.findings())}))
"""

LOADED = """
import json, sys
from pathlib import Path
from support.logs import answered, writer_on

writer = writer_on(Path(sys.argv[1]))
before = set(sys.modules)
writer.append(answered(0), 1)
writer.close()
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@contextmanager
def started(said, *arguments):
    """A process that says something in a file, and is killed at the end."""
    with said.open("w") as file:
        process = subprocess.Popen([sys.executable, *arguments], cwd=TESTS, stdout=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def names(folder):
    return sorted(path.name for path in (folder / "predictions").iterdir())


def numbers_batch(entries):
    return pa.record_batch({"number": pa.array(entries, type=pa.int64())})


def numbers(folder):
    return [number for table in read_segments(folder) for number in table["number"].to_pylist()]


def test_a_closed_writer_leaves_parquet_only(tmp_path):
    writer = writer_on(tmp_path)
    for number in range(100):
        assert writer.append(answered(number), 1)
    writer.close()
    writer.close()
    assert request_numbers(tmp_path) == list(range(100))
    assert [Path(name).suffix for name in names(tmp_path)] == [".parquet"]
    assert (writer.lost_rows, writer.findings()) == (0, ())


def test_a_log_is_read_gapless_while_it_is_written_and_compacted(tmp_path):
    writer = writer_on(tmp_path, segment_rows=50)
    seen = 0
    for number in range(0, 2000, 10):
        for step in range(10):
            writer.append(answered(number + step), 1)
        read = request_numbers(tmp_path)
        assert read == list(range(len(read)))
        assert len(read) >= seen
        seen = len(read)
    writer.close()
    assert request_numbers(tmp_path) == list(range(2000))


@pytest.mark.parametrize("segment_rows", [20, 1_000_000], ids=["while compacting", "while streaming"])
def test_a_killed_process_loses_nothing_that_was_flushed(tmp_path, segment_rows):
    said, counts = tmp_path / "said", {0}
    with started(said, "-m", "support.logs", str(tmp_path), str(segment_rows)) as process:
        until(lambda: counts.add(len(request_numbers(tmp_path))) or len(counts) > 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = request_numbers(tmp_path)
    appended = len(said.read_text().splitlines()) + 1
    assert max(counts) <= len(left) <= appended
    assert left == list(range(len(left)))
    writer_on(tmp_path).close()
    assert request_numbers(tmp_path) == left
    assert {Path(name).suffix for name in names(tmp_path)} == {".parquet"}
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@given(data=st.data())
def test_a_stream_torn_anywhere_is_read_up_to_its_last_whole_batch(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("torn")
    sizes = data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=4))
    segment = Segment(folder, "writer")
    ends = []
    for size in sizes:
        segment.write(numbers_batch(range(size)))
        ends.append(segment.path.stat().st_size)
    content = segment.path.read_bytes()
    segment.close()
    kept = data.draw(st.integers(0, len(content)))
    segment.path.write_bytes(content[:kept])
    whole = sum(end <= kept for end in ends)
    assert numbers(folder) == [number for size in sizes[:whole] for number in range(size)]


def test_a_full_disk_costs_the_rows_of_that_time_only(tmp_path):
    said = tmp_path / "said"
    with started(said, "-c", LIMITED, str(tmp_path)) as process:
        assert process.wait(timeout=logs.PATIENCE) == 0
    told = json.loads(said.read_text())
    left = request_numbers(tmp_path)
    assert told["lost"] > 0
    assert len(left) == told["asked"] - told["lost"]
    assert left[-1] == told["asked"] - 1
    assert told["reasons"] == 1
    assert {Path(name).suffix for name in names(tmp_path)} == {".parquet"}


def test_the_first_flush_loads_no_library(tmp_path):
    said = tmp_path / "said"
    with started(said, "-c", LOADED, str(tmp_path)) as process:
        assert process.wait(timeout=logs.PATIENCE) == 0
    assert [name for name in json.loads(said.read_text()) if "." not in name] == []


def test_a_removed_folder_is_made_again(tmp_path):
    writer = writer_on(tmp_path)
    writer.append(answered(0), 1)
    until(lambda: request_numbers(tmp_path) == [0])
    shutil.rmtree(tmp_path / "predictions")
    writer.append(answered(1), 1)
    until(lambda: request_numbers(tmp_path) == [1])
    writer.close()
    assert (request_numbers(tmp_path), writer.lost_rows) == ([1], 0)
    assert [Path(name).suffix for name in names(tmp_path)] == [".parquet"]


def test_rows_are_counted_as_lost_while_the_folder_cannot_be_made(tmp_path):
    writer = writer_on(tmp_path)
    writer.append(answered(0), 1)
    until(lambda: request_numbers(tmp_path) == [0])
    folder = tmp_path / "predictions"
    shutil.rmtree(folder)
    folder.write_text("in the way", encoding="utf-8")
    assert writer.append(answered(1, rows=3), 3)
    until(lambda: writer.lost_rows == 3)
    (finding,) = writer.findings()
    assert finding.code == "log-rows-lost"
    assert finding.seen.startswith("3 rows were not logged")
    folder.unlink()
    writer.append(answered(2), 1)
    writer.close()
    assert (request_numbers(tmp_path), writer.lost_rows) == ([2], 3)


def test_a_value_that_cannot_be_logged_takes_no_other_with_it(tmp_path):
    writer = writer_on(tmp_path, flush_seconds=3600)
    for number in range(20):
        writer.append(answered(number, columns={} if number == 7 else None), 1)
    writer.close()
    assert request_numbers(tmp_path) == [number for number in range(20) if number != 7]
    assert writer.lost_rows == 1


def test_a_full_queue_refuses_rows_and_counts_them(tmp_path):
    busy, go_on = threading.Event(), threading.Event()

    def slow_batch(entries):
        busy.set()
        go_on.wait()
        return numbers_batch(entries)

    writer = SegmentWriter(tmp_path, slow_batch, flush_seconds=0.01, segment_rows=100, room=Room(10))
    assert writer.append(0, 50), "an entry beyond the limit is taken where nothing waits"
    busy.wait()
    assert writer.append(1, 6)
    assert not writer.append(2, 6)
    assert writer.append(3, 4)
    go_on.set()
    writer.close()
    assert not writer.append(4, 2)
    assert numbers(tmp_path) == [0, 1, 3]
    assert writer.lost_rows == 8
    assert {finding.seen for finding in writer.findings()} == {
        "6 rows were not logged: more came than could be written",
        "2 rows were not logged: the log was closed",
    }


def test_a_queue_is_full_of_few_rows_that_are_long(tmp_path):
    held, go_on = threading.Event(), threading.Event()

    def slow_batch(entries):
        held.set()
        go_on.wait()
        return numbers_batch(entries)

    room, size = Room(size=100), {1: 60, 2: 41, 3: 40}
    writer = SegmentWriter(
        tmp_path,
        slow_batch,
        flush_seconds=0.01,
        segment_rows=100,
        room=room,
        weigh=lambda number: size.get(number, 1000),
    )
    assert writer.append(0, 1), "one beyond the limit is taken where nothing waits"
    held.wait()
    assert [writer.append(number, 1) for number in (1, 2, 3)] == [True, False, True]
    go_on.set()
    until(lambda: not writer.waiting_rows)
    # What has been written makes room.
    assert writer.append(2, 1)
    writer.close()
    assert numbers(tmp_path) == [0, 1, 3, 2]
    assert writer.lost_rows == 1


def test_an_answer_weighs_what_its_request_did_or_what_its_rows_take(tmp_path):
    schema = schema_of(field("distance", ColumnKind.NUMBER), field("carrier", ColumnKind.TEXT))
    writer = prediction_log.open_writer(tmp_path, schema, flush_seconds=3600, segment_rows=10, room=Room(size=1000))
    text = {"distance": np.arange(1.0), "carrier": np.array(["UA"], dtype=object)}
    packed = {name: np.repeat(values, 50) for name, values in text.items()}
    # Less than half of the room: more would be written at once.
    sizes = [(1, text, 400), (1, text, 601), (50, packed, 90), (1, text, 600)]
    entries = [
        msgspec.structs.replace(answered(number, rows, columns=columns), size=size)
        for number, (rows, columns, size) in enumerate(sizes)
    ]
    assert [writer.append(entry, len(entry.labels)) for entry in entries] == [True, False, False, True]
    writer.close()


def test_rows_that_are_kept_wait_for_the_disk_and_are_all_written(tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(segments, "Segment", lambda *where: tries.append(where) or Segment(*where))
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        writer = prediction_log.open_writer(disk, schema_of(), flush_seconds=0.01, segment_rows=1_000_000, keep=True)
        filler = fill(disk)
        taken = sum(writer.append(answered(number), 1) for number in range(1000))  # as many as have room there later
        until(lambda: writer.stalled is not None)
        assert writer.stalled == "No space left on device"
        taken += writer.append(answered(taken), 1)
        tries.clear()
        until(lambda: len(tries) > 5)
        assert len(names(disk)) <= 3, "the lock, a stream that was begun before, and one that is tried"
        filler.unlink()
        until(lambda: writer.stalled is None)
        writer.close()
        assert request_numbers(disk) == list(range(taken))
        assert (writer.lost_rows, writer.findings()) == (0, ())
        assert {Path(name).suffix for name in names(disk)} == {".parquet"}


def test_a_disk_that_takes_nothing_is_tried_with_few_of_many_rows(tmp_path):
    prepared = []

    def to_batch(entries):
        prepared.append(len(entries))
        return pa.RecordBatch.from_pydict({"number": list(entries)})

    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        filler = fill(disk)
        writer = SegmentWriter(disk, to_batch, flush_seconds=0.01, segment_rows=1_000_000, keep=True)
        taken = 0
        while writer.stalled is None:
            taken += writer.append(taken, 1)
            until(lambda: writer.stalled or not writer.waiting_rows)
        taken += sum(writer.append(number, 1) for number in range(taken, 5000))
        prepared.clear()
        until(lambda: len(prepared) > 5)
        assert max(prepared) <= segments.TRIED_ENTRIES
        filler.unlink()
        until(lambda: writer.stalled is None)
        writer.close()
        written = [number for table in read_segments(disk) for number in table["number"].to_pylist()]
        assert (written, taken, writer.lost_rows) == (list(range(5000)), 5000, 0)


def test_rows_that_wait_for_the_disk_at_the_end_are_counted(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        writer = prediction_log.open_writer(disk, schema_of(), flush_seconds=0.01, segment_rows=1_000_000, keep=True)
        fill(disk)
        writer.append(answered(0, rows=3), 3)
        until(lambda: writer.stalled)
        writer.close()
        (finding,) = writer.findings()
        assert (writer.lost_rows, finding.seen) == (3, "3 rows were not logged: No space left on device")


def test_writers_share_a_folder(tmp_path):
    first, second = writer_on(tmp_path), writer_on(tmp_path)
    first.append(answered(0), 1)
    until(lambda: request_numbers(tmp_path) == [0])
    second.append(answered(1), 1)
    second.close()
    assert {Path(name).suffix for name in names(tmp_path)} == {".frames", ".lock", ".parquet"}
    first.append(answered(2), 1)
    first.close()
    assert request_numbers(tmp_path) == [0, 1, 2]
    assert {Path(name).suffix for name in names(tmp_path)} == {".parquet"}


def test_a_folder_that_cannot_be_written_to_is_refused_at_the_start(tmp_path):
    (tmp_path / "predictions").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written to"):
        writer_on(tmp_path)


def test_a_damaged_parquet_file_is_named(tmp_path):
    writer = writer_on(tmp_path)
    writer.append(answered(0), 1)
    writer.close()
    (closed,) = (tmp_path / "predictions").iterdir()
    closed.write_bytes(closed.read_bytes()[:-20])
    with pytest.raises(InputError, match=closed.name):
        request_numbers(tmp_path)


def test_a_dictionary_is_written_only_of_values_that_repeat(tmp_path: Path) -> None:
    segment = Segment(tmp_path, "writer")
    different = np.random.default_rng(0).normal(size=20_000)
    segment.write(pa.record_batch({"different": different, "same": different.round(1), "text": ["a", "b"] * 10_000}))
    segment.close()
    assert compact(tmp_path, "writer")
    (path,) = tmp_path.glob("*.parquet")
    columns = pq.ParquetFile(path).metadata.row_group(0)
    encoded = {columns.column(place).path_in_schema: columns.column(place).encodings for place in range(3)}
    assert ["RLE_DICTIONARY" in encoded[name] for name in ("different", "same", "text")] == [False, True, True]
    assert read_segments(tmp_path)[0]["different"].to_pylist() == different.tolist()
