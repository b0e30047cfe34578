"""Segments on their way to a store that goes away, comes back, and keeps half of what it is given."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.errors import InputError, NotFoundError, UsageError
from cellops.monitoring import prediction_log
from cellops.monitoring.log_store import LogStore
from cellops.monitoring.segment_files import closed
from cellops.monitoring.uploading import Uploader
from support.flaky import FlakyFileSystem, flaky
from support.logs import answered, request_numbers, schema_of, until, writer_on

PLACE = "flaky://user:a-pass-word@host/logs/delays"


@pytest.fixture
def away() -> Iterator[type[FlakyFileSystem]]:
    with flaky() as files:
        yield files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "delays"


def write(folder: Path, *numbers: int) -> None:
    writer = writer_on(folder)
    for number in numbers:
        writer.append(answered(number), 1)
    writer.close()


def uploader(folder: Path) -> Uploader:
    return Uploader(LogStore(PLACE), [folder / "predictions", folder / "labels"], rhythm=0.01)


def fetched() -> list[int]:
    with LogStore(PLACE).fetched() as copy:
        return request_numbers(copy)


def test_closed_segments_go_to_the_store_and_leave_the_disk(away: type[FlakyFileSystem], folder: Path) -> None:
    write(folder, 1, 2)
    carrying = uploader(folder)
    until(lambda: carrying.waiting() == 0)
    write(folder, 3)
    carrying.close()
    carrying.close()
    assert closed(folder / "predictions") == []
    assert fetched() == [1, 2, 3]
    assert carrying.findings() == ()
    assert not [name for name in away.store if ".part" in name]


def test_a_live_segment_is_closed_after_its_seconds_also_when_nothing_comes(
    away: type[FlakyFileSystem], folder: Path
) -> None:
    writer = prediction_log.open_writer(
        folder, schema_of(), flush_seconds=0.01, segment_rows=1_000_000, segment_seconds=0.05
    )
    carrying = uploader(folder)
    writer.append(answered(1), 1)
    until(lambda: away.store and carrying.waiting() == 0)
    assert fetched() == [1]
    writer.close()
    carrying.close()


def test_what_a_store_does_not_take_stays_and_goes_when_it_is_back(
    away: type[FlakyFileSystem], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away.away = True
    write(folder, 1)
    write(folder, 2)
    with caplog.at_level(logging.WARNING):
        carrying = uploader(folder)
        until(lambda: away.asked > 2)
    assert carrying.waiting() == 2
    (finding,) = carrying.findings()
    assert (finding.code, "2 segments are not in" in finding.seen) == ("log-not-uploaded", True)
    assert request_numbers(folder) == [1, 2], "nothing is removed that is not up"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1, "once for as long as it lasts"
    assert "a-pass-word" not in said[0] + finding.seen
    away.away = False
    until(lambda: carrying.waiting() == 0)
    carrying.close()
    assert (fetched(), carrying.findings()) == ([1, 2], ())


def test_half_a_segment_is_sent_again(away: type[FlakyFileSystem], folder: Path) -> None:
    away.torn = True
    write(folder, 1)
    carrying = uploader(folder)
    until(lambda: any("bytes came" in finding.seen for finding in carrying.findings()))
    away.torn = False
    until(lambda: carrying.waiting() == 0)
    carrying.close()
    assert fetched() == [1]


def test_the_next_server_carries_what_was_left(away: type[FlakyFileSystem], folder: Path) -> None:
    away.away = True
    write(folder, 1)
    first = uploader(folder)
    first.close()
    assert first.waiting() == 1
    away.away = False
    second = uploader(folder)
    second.close()
    assert (second.waiting(), fetched()) == (0, [1])


def test_servers_on_one_folder_carry_each_segment_once(away: type[FlakyFileSystem], folder: Path) -> None:
    for number in range(10):
        write(folder, number)
    both = [uploader(folder), uploader(folder)]
    ends = [threading.Thread(target=one.close) for one in both]
    for end in ends:
        end.start()
    for end in ends:
        end.join()
    uploader(folder).close()
    assert fetched() == list(range(10))
    assert closed(folder / "predictions") == []


def test_a_log_that_is_not_there_or_does_not_answer_is_said(away: type[FlakyFileSystem]) -> None:
    with pytest.raises(NotFoundError, match="There is no prediction log flaky://host/logs/delays"):
        fetched()
    away.away = True
    with pytest.raises(InputError, match="ConnectionError") as caught:
        fetched()
    assert "a-pass-word" not in str(caught.value)


@pytest.mark.parametrize(("place", "said"), [("nosuch://x", "nosuch"), ("s3nothing:// /", "s3nothing")])
def test_an_address_that_no_driver_takes_is_refused(place: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        LogStore(place)
