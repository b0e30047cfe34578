"""A batch from its first chunk to its output: bounded memory, whole at the end or resumable."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from cellops.data.batch.chunk import Chunk, from_bytes
from cellops.data.batch.files import said
from cellops.data.batch.source import Source
from cellops.data.batch.target import AddressTarget, FileTarget, TableTarget
from cellops.data.released import release
from cellops.errors import CellopsError, InputError
from cellops.monitoring import drift_profile
from cellops.monitoring.window_part import WindowPart
from cellops.records.batch import BatchProgress, BatchReport, Scored
from cellops.records.contract import Contract
from cellops.serving.batch.part import Part
from cellops.serving.batch.parts import Parts

REPORT, DRIFT, REJECTS = ".report.json", ".drift", ".rejects"
TOGETHER = 8
"""Drift profiles of chunks that are merged at once."""


class Performer(Protocol):
    """Who scores chunks: this process, others beside it, or those of a cluster."""

    def __call__(self, chunks: Iterator[Chunk], /) -> Iterator[Part]:
        """The parts of all chunks in any order, no more chunks taken at a time than there are hands for.

        Where one fails, the parts of those that are under way come first, and then the error of the first of them.
        """


@dataclass(frozen=True)
class Batch:
    """What is scored, by whom, and where it goes."""

    source: Source
    perform: Performer
    target: FileTarget | AddressTarget | TableTarget
    contract: Contract
    digest: str
    """SHA-256 of the manifest of the package."""
    name: str
    """Of the source, as it may be shown."""
    chunk_rows: int | None
    on_progress: Callable[[BatchProgress], None]

    def run(self, parts: Parts) -> Scored:
        """Score every chunk that is not done yet, and put all of them together.

        Raises
        ------
        InputError
            When something cannot be read or answered; what is done stays.
        OutputError
            When there is no room; what is done stays.
        """
        try:
            progress = _Progress(self.source.rows(), self.on_progress)
            waiting = _Waiting(parts, progress)
            for part in self.perform(waiting.filtered(self.source.chunks(self.chunk_rows))):
                parts.keep(part)
                progress.add(part.report.rows, fresh=True)
                release()
        except (KeyboardInterrupt, CellopsError) as error:
            done = parts.done()
            if done:
                error.add_note(f"{done:,} chunk{'s are' if done > 1 else ' is'} done: go on with --resume")
            else:
                parts.remove()
            raise
        return self._put(parts, waiting, progress)

    def _put(self, parts: Parts, waiting: "_Waiting", progress: "_Progress") -> Scored:
        """Write everything, the output itself last, and let go of the parts."""
        report, drift, rejects = self._gathered(parts, waiting.count)
        report = report.replace(source=self.name)
        staging = parts.folder
        beside = self.target.beside
        profile = None
        if drift is not None:
            profile = beside(DRIFT)
            profile.put_bytes(drift_profile.to_bytes(drift, self.digest), staging)
        aside = beside(f"{REJECTS}{self.target.suffix}")
        if rejects:
            tables = (from_bytes(part.rejects) for part in parts.kept(waiting.count) if part.rejects is not None)
            _put(aside, tables, parts)
        elif self.target.stands():
            aside.remove()  # they were of the answers that are replaced
        told = beside(REPORT)
        told.put_bytes(report.to_pretty_json(), staging)
        _put(self.target, (from_bytes(part.output) for part in parts.kept(waiting.count)), parts)
        parts.remove()
        return Scored(
            report=report,
            output=self.target.public,
            report_file=told.public,
            drift_file=None if profile is None else profile.public,
            rejects_file=aside.public if rejects else None,
            chunks=waiting.count,
            resumed=waiting.resumed,
            seconds=progress.seconds(),
        )

    def _gathered(self, parts: Parts, count: int) -> tuple[BatchReport, WindowPart | None, int]:
        """The report and the drift profile of all chunks, and how many have rows that were set aside."""
        report: BatchReport | None = None
        held: list[WindowPart] = []
        rejects = 0
        for part in parts.kept(count):
            report = part.report if report is None else report.joined(part.report)
            rejects += part.rejects is not None
            if part.drift is not None:
                held.append(drift_profile.from_bytes(part.drift, self.contract, self.digest))
            if len(held) == TOGETHER:
                held = [WindowPart.merged(held)]
        assert report is not None  # noqa: S101 - a source has a chunk
        return report, WindowPart.merged(held) if held else None, rejects


class _Waiting:
    """The chunks that are not done yet."""

    def __init__(self, parts: Parts, progress: "_Progress") -> None:
        self._parts, self._progress = parts, progress
        self.count = self.resumed = 0

    def filtered(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks of which no part is kept.

        Raises
        ------
        InputError
            When the input is not what it was when a part was kept.
        """
        for chunk in chunks:
            self.count += 1
            part = self._parts.part(chunk.number)
            if part is None:
                yield chunk
                continue
            if part.source != chunk.source:
                fact = f"{chunk.file} is not what it was when its rows from {chunk.first} on were scored"
                raise InputError(fact, remedy="Begin anew with --force", file=chunk.file)
            self.resumed += 1
            self._progress.add(chunk.rows, fresh=False)


class _Progress:
    def __init__(self, total: int | None, on_progress: Callable[[BatchProgress], None]) -> None:
        self._total, self._tell = total, on_progress
        self._began = time.monotonic()
        self._rows = self._fresh = 0

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def add(self, rows: int, *, fresh: bool) -> None:
        self._rows += rows
        self._fresh += rows if fresh else 0
        self._tell(BatchProgress(rows=self._rows, total=self._total, seconds=self.seconds(), fresh=self._fresh))


def _put(place: FileTarget | AddressTarget | TableTarget, tables: Iterator[Any], parts: Parts) -> None:
    """Write tables whose types are those of the first."""
    first = next(tables)
    try:
        place.put(first.schema, _alike(first, tables), parts.folder)
    except BaseException:
        with suppress(OSError):
            (parts.folder / place.public.rpartition("/")[2]).unlink(missing_ok=True)
        raise


def _alike(first: Any, rest: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as pa

    yield first
    for table in rest:
        try:
            yield table.cast(first.schema)
        except (pa.ArrowException, ValueError) as error:
            fact = f"A column is not of one type in all of the input: {said(error)}"
            raise InputError(
                fact, remedy="Write the files with the same columns and types, or leave it out with --keep"
            ) from error
