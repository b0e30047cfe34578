"""A batch from its first chunk to its output: bounded memory, whole at the end or resumable."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from cellops.data.batch.chunk import Chunk
from cellops.data.batch.source import Source
from cellops.data.batch.target import Target
from cellops.data.released import release
from cellops.errors import CellopsError, InputError
from cellops.monitoring import drift_profile
from cellops.records.batch import BatchProgress, Scored
from cellops.records.contract import Contract
from cellops.serving.batch.draw import one_of
from cellops.serving.batch.gathering import Gathering
from cellops.serving.batch.logged import put_logs
from cellops.serving.batch.part import PackedPart
from cellops.serving.batch.parts import Parts
from cellops.serving.logs import LogPlace

REPORT, DRIFT = ".report.json", ".drift"


class Performer(Protocol):
    """Who scores chunks: this process, others beside it, or those of a cluster."""

    def __call__(self, chunks: Iterator[Chunk], /) -> Iterator[PackedPart]:
        """The parts of all chunks in any order, no more chunks taken at a time than there are hands for.

        Where one fails, the parts of those that are under way come first, and then the error of the first of them.
        """


@dataclass(frozen=True)
class Batch:
    """What is scored, by whom, and where it goes."""

    source: Source
    perform: Performer
    target: Target
    contract: Contract
    digest: str
    """SHA-256 of the manifest of the package."""
    name: str
    """Of the source, as it may be shown."""
    chunk_rows: int | None
    on_progress: Callable[[BatchProgress], None]
    profile_rows: int | None = None
    """Rows that the drift profile is counted from, at most; None for all."""
    log: LogPlace | None = None
    """Prediction log to which the answers go, too."""

    def run(self, parts: Parts) -> Scored:
        """Score every chunk that is not done yet, and put all of them together.

        Raises
        ------
        InputError
            When something cannot be read or answered; what is done stays.
        OutputError
            When there is no room; what is done stays.
        """
        gathering = Gathering(parts, self.target, self.contract, self.digest)
        try:
            total = self.source.rows()
            progress = _Progress(total, self.on_progress)
            waiting = _Waiting(parts, progress, one_of(total, self.profile_rows))
            for packed in self.perform(waiting.filtered(self.source.chunks(self.chunk_rows))):
                parts.keep(packed)
                gathering.add(packed.part, waiting.count)
                progress.add(packed.part.report.rows, fresh=True)
                release()
            return self._put(parts, gathering, waiting, progress)
        except (KeyboardInterrupt, CellopsError) as error:
            gathering.abandon()
            done = parts.done()
            if done:
                error.add_note(f"{done:,} chunk{'s are' if done > 1 else ' is'} done: go on with --resume")
            else:
                parts.remove()
            raise

    def _put(self, parts: Parts, gathering: Gathering, waiting: "_Waiting", progress: "_Progress") -> Scored:
        """Put everything in its place, the output last, and let go of the parts."""
        report, drift = gathering.told(waiting.count)
        report = report.replace(source=self.name)
        staging = parts.folder
        profile = None
        if drift is not None:
            profile = self.target.beside(DRIFT)
            profile.put_bytes(drift_profile.to_bytes(drift, self.digest), staging)
        if gathering.has_rejects:
            gathering.aside.put(gathering.rejects)
        elif self.target.stands():
            gathering.aside.remove()  # they were of the answers that are replaced
        told = self.target.beside(REPORT)
        told.put_bytes(report.to_pretty_json(), staging)
        if self.log is not None:
            put_logs(self.log, parts.kept(waiting.count))
        self.target.put(gathering.output)
        parts.remove()
        return Scored(
            report=report,
            output=self.target.public,
            report_file=told.public,
            drift_file=None if profile is None else profile.public,
            rejects_file=gathering.aside.public if gathering.has_rejects else None,
            chunks=waiting.count,
            resumed=waiting.resumed,
            seconds=progress.seconds(),
        )


class _Waiting:
    """The chunks that are not done yet."""

    def __init__(self, parts: Parts, progress: "_Progress", every: int) -> None:
        self._parts, self._progress, self._every = parts, progress, every
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
                yield replace(chunk, every=self._every)
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
