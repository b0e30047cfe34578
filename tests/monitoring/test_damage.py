"""What disks do to a log: bits flip, tails come back as zeros, reads fail. Nothing unread is ever deleted."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.errors import InputError
from cellops.monitoring.segment_files import Segment, compact_leftovers, damage, read_segments
from cellops.monitoring.segments import SegmentWriter
from support.logs import until

SIZES = (3, 20, 7)


def batch_of(entries):
    return pa.record_batch({"number": pa.array(entries, type=pa.int64()), "text": [str(entry) for entry in entries]})


def numbers(folder):
    return [number for table in read_segments(folder) for number in table["number"].to_pylist()]


def left_behind(folder):
    """The stream of a writer that is no more, and where each of its frames ends."""
    segment, ends = Segment(folder, "writer"), [0]
    for size in SIZES:
        segment.write(batch_of(range(100 * size, 101 * size)))
        ends.append(segment.path.stat().st_size)
    segment.close()
    (folder / "writer.lock").touch()
    return segment.path, ends


def rows_of(places):
    return [number for place in places for number in range(100 * SIZES[place], 101 * SIZES[place])]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_costs_its_frame_and_no_byte_of_the_file(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flipped")
    stream, ends = left_behind(folder)
    content = bytearray(stream.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    stream.write_bytes(content)
    hit = sum(end <= at for end in ends) - 1
    in_header = at - ends[hit] < 16
    kept = rows_of(place for place in range(len(SIZES)) if place < hit or (place > hit and not in_header))
    assert numbers(folder) == kept
    compact_leftovers(folder)
    assert numbers(folder) == kept
    assert stream.with_suffix(".damaged").read_bytes() == content
    assert not stream.exists()


@pytest.mark.parametrize("lost", [10, 300])
def test_a_tail_of_zeros_after_a_power_cut_costs_the_last_frame(tmp_path, lost):
    stream, _ = left_behind(tmp_path)
    content = stream.read_bytes()
    stream.write_bytes(content[:-lost] + bytes(lost + 4096))
    assert numbers(tmp_path) == rows_of((0, 1))
    compact_leftovers(tmp_path)
    assert numbers(tmp_path) == rows_of((0, 1))
    assert len(list(tmp_path.glob("*.damaged"))) == 1


def test_the_next_writer_has_a_finding_for_what_is_damaged(tmp_path):
    stream, _ = left_behind(tmp_path)
    stream.write_bytes(b"\xff" * 100)
    writer = SegmentWriter(tmp_path, batch_of, flush_seconds=0.01, segment_rows=100)
    writer.close()
    (finding,) = writer.findings()
    assert (finding.code, writer.lost_rows) == ("log-damaged", 0)
    assert stream.with_suffix(".damaged").name in finding.seen


@pytest.mark.skipif(sys.platform != "linux", reason="a file that fails to be read, as only Linux has one")
def test_a_stream_whose_disk_fails_is_neither_deleted_nor_passed_over(tmp_path):
    stream = tmp_path / "20130401T000000000000-writer.frames"
    stream.symlink_to("/proc/self/mem")
    (tmp_path / "writer.lock").touch()
    with pytest.raises(InputError, match=r"-writer\.frames cannot be read: .*Input/output error"):
        numbers(tmp_path)
    compact_leftovers(tmp_path)
    assert stream.is_symlink()


def test_a_compaction_that_was_killed_loses_and_doubles_nothing(tmp_path, tmp_path_factory):
    left_behind(tmp_path)
    before = tmp_path_factory.mktemp("before") / "log"
    shutil.copytree(tmp_path, before)
    compact_leftovers(tmp_path)
    (closed,) = tmp_path.glob("*.parquet")
    (before / f".{closed.name}").write_bytes(closed.read_bytes()[:100])
    assert numbers(before) == rows_of((0, 1, 2)), "killed while it wrote"
    shutil.copy(closed, before)
    assert numbers(before) == rows_of((0, 1, 2)), "killed before it removed the stream"
    (before / "writer.lock").touch()
    compact_leftovers(before)
    assert numbers(before) == rows_of((0, 1, 2))
    assert [path.name for path in before.iterdir()] == [closed.name]


def test_a_compaction_that_was_killed_keeps_a_damaged_stream(tmp_path, tmp_path_factory):
    stream, _ = left_behind(tmp_path)
    content = bytearray(stream.read_bytes())
    content[40] ^= 1
    stream.write_bytes(content)
    before = tmp_path_factory.mktemp("before") / "log"
    shutil.copytree(tmp_path, before)
    compact_leftovers(tmp_path)
    shutil.copy(next(tmp_path.glob("*.parquet")), before)
    compact_leftovers(before)
    assert (before / stream.name).with_suffix(".damaged").read_bytes() == content
    assert numbers(before) == rows_of((1, 2))


def flip(path: Path, at: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_the_pages_of_a_parquet_file_is_said(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flipped")
    left_behind(folder)
    compact_leftovers(folder)
    (closed,) = folder.glob("*.parquet")
    footer = int.from_bytes(closed.read_bytes()[-8:-4], "little") + 8
    flip(closed, data.draw(st.integers(0, closed.stat().st_size - footer - 1)), data.draw(st.integers(0, 7)))
    with suppress(InputError):
        assert numbers(folder) == rows_of((0, 1, 2))


def test_a_value_that_no_page_can_hold_is_said_and_looked_at_by_nobody(tmp_path):
    """Its pages are whole, so that no checksum tells; what a text is made of is no Unicode."""
    offsets, characters = pa.py_buffer(np.array([0, 1], dtype=np.int32)), pa.py_buffer(b"\xff")
    text = pa.StringArray.from_buffers(1, offsets, characters)
    pq.write_table(
        pa.table({"number": [1], "text": text}), tmp_path / "20130401T000000000000-w.parquet", write_page_checksum=True
    )
    with pytest.raises(InputError, match=r"-w\.parquet cannot be read: .*UTF8"):
        numbers(tmp_path)


def test_damage_is_told_also_while_a_writer_lives(tmp_path):
    stream, ends = left_behind(tmp_path)
    assert damage(tmp_path) == []
    content = bytearray(stream.read_bytes())
    content[ends[1] - 1] ^= 1
    stream.write_bytes(content)
    assert [finding.code for finding in damage(tmp_path)] == ["log-damaged"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_log_whose_thread_has_ended_says_so(tmp_path):
    def ending(_entries):
        raise SystemExit

    writer = SegmentWriter(tmp_path, ending, flush_seconds=0.01, segment_rows=10)
    writer.append(0, 1)
    until(lambda: writer.lost_rows)
    assert not writer.append(1, 1)
    writer.close()
    assert writer.lost_rows >= 1
