"""The parts of a batch put together in their order, as they come: at the end, little is left to be done."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cellops.data.batch.chunk import from_bytes
from cellops.errors import InputError
from cellops.monitoring import drift_profile
from cellops.monitoring.window_part import WindowPart
from cellops.records.batch import BatchReport
from cellops.records.contract import Contract
from cellops.serving.batch.part import Part
from cellops.serving.batch.parts import Parts

if TYPE_CHECKING:
    from cellops.data.batch.target import Target

TOGETHER = 8
"""Drift profiles of chunks that are merged at once."""
REJECTS = ".rejects"


class Gathering:
    """What a batch comes to: its answers, the rows without one, the report and the drift profile.

    Parameters
    ----------
    parts
        Where parts are kept: those of an earlier attempt, and those that came out of turn, are read from there.
    target
        Where the answers will stand.
    contract, digest
        Of the package.
    """

    def __init__(self, parts: Parts, target: "Target", contract: Contract, digest: str) -> None:
        self._parts, self._contract, self._digest = parts, contract, digest
        self.aside = target.beside(f"{REJECTS}{target.suffix}")
        self.output = target.file(parts.folder)
        self.rejects = self.aside.file(parts.folder)
        self.has_rejects = False
        self._report: BatchReport | None = None
        self._drift: list[WindowPart] = []
        self._next = 0

    def add(self, part: Part | None, chunks: int) -> None:
        """Append a part that has just been kept, and all kept ones whose turn comes then.

        Parameters
        ----------
        part
            None for none: only those that are kept.
        chunks
            Read so far; a part beyond them is of another time.

        Raises
        ------
        InputError
            When columns are not of one type.
        OutputError
            When there is no room.
        """
        while self._next < chunks:
            turn = part if part is not None and part.number == self._next else self._parts.part(self._next)
            if turn is None:
                return
            self._append(turn)
            self._next += 1

    def told(self, chunks: int) -> tuple[BatchReport, WindowPart | None]:
        """The report and the drift profile of all chunks; raises `InputError` where one of them is not there."""
        self.add(None, chunks)
        if self._next < chunks or self._report is None:
            fact = f"What was kept of chunk {self._next} is damaged"
            raise InputError(fact, remedy="Score it again with --resume")
        if not self._drift:
            return self._report, None
        drift = WindowPart.merged(self._drift)
        total = self._report.rows
        return self._report.replace(profiled=drift.rows), replace(drift, drawn_of=total if drift.rows < total else None)

    def abandon(self) -> None:
        """Leave the parts only."""
        for file in (self.output, self.rejects):
            file.abandon()

    def _append(self, part: Part) -> None:
        self._report = part.report if self._report is None else self._report.joined(part.report)
        self.output.write(from_bytes(part.output))
        if part.rejects is not None:
            self.has_rejects = True
            self.rejects.write(from_bytes(part.rejects))
        if part.drift is not None:
            self._drift.append(drift_profile.from_bytes(part.drift, self._contract, self._digest))
        if len(self._drift) == TOGETHER:
            self._drift = [WindowPart.merged(self._drift)]
