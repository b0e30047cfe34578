"""Where a package logs what it answers and what turns out to be true."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cellops.monitoring import label_log, prediction_log
from cellops.monitoring.answered import Answered
from cellops.monitoring.log_store import FOLDERS, LogStore
from cellops.monitoring.review_queue import number_asking
from cellops.monitoring.segments import Room, SegmentWriter
from cellops.monitoring.uploading import Uploader
from cellops.records.contract import Schema
from cellops.records.finding import Finding
from cellops.serving.recorder import Recorder
from cellops.settings import Settings


@dataclass(frozen=True)
class LogPlace:
    """Where the log of a model is."""

    folder: Path
    """Where it is written first."""
    address: str | None = None
    """Where closed segments are uploaded to, with its credentials; None where the folder is all."""


@dataclass(frozen=True)
class Logs:
    predictions: SegmentWriter[Answered]
    labels: SegmentWriter[label_log.Labelled]
    recorder: Recorder
    uploader: Uploader | None = None

    @classmethod
    def open(
        cls,
        place: LogPlace,
        schema: Schema,
        settings: Settings,
        to_review: Callable[[int], None] = lambda _rows: None,
    ) -> Self:
        """Writers in the rhythm of the settings; several packages may log to one place.

        Parameters
        ----------
        place
            Where they write.
        schema
            What the package takes and gives.
        settings
            Their rhythm, and below which confidence an answer is to be reviewed.
        to_review
            Hears of so many more answers that are, in the thread of a writer.

        Raises
        ------
        UsageError
            When the folder cannot be written to, or the address is none.
        """
        store = None if place.address is None else LogStore(place.address)
        refuse = settings.log_on_full == "refuse"
        rhythm: dict[str, Any] = {
            "flush_seconds": settings.log_flush_seconds,
            "segment_rows": settings.log_segment_rows,
            "segment_seconds": None if store is None else settings.log_segment_seconds,
            "keep": refuse,
        }
        key = settings.log_pii_key.encode() if settings.log_pii_key else None
        predictions = prediction_log.open_writer(
            place.folder,
            schema,
            key=key,
            room=Room(settings.log_queue_rows, settings.log_queue_mb * 2**20),
            on_written=lambda batch: to_review(number_asking(batch, schema, settings.review_below)),
            **rhythm,
        )
        try:
            labels = label_log.open_writer(place.folder, schema, **rhythm)
        except BaseException:
            predictions.close()
            raise
        uploader = None if store is None else Uploader(store, [place.folder / name for name in FOLDERS])
        return cls(predictions, labels, Recorder(predictions, refuse=refuse), uploader)

    def take_labels(self, labels: label_log.Labelled, rows: int) -> bool:
        """Log labels; False where they are not taken, as none are that wait for a disk and may be lost with them."""
        if self.recorder.refuses and self.labels.stalled:
            return False
        return self.labels.append(labels, rows)

    def close(self) -> None:
        """Write what waits, and try once more to upload it; closing again does nothing."""
        try:
            self.labels.close()
        finally:
            self.predictions.close()
            if self.uploader is not None:
                self.uploader.close()

    def waiting(self) -> int:
        """Closed segments that are not at their address yet."""
        return 0 if self.uploader is None else self.uploader.waiting()

    def findings(self) -> tuple[Finding, ...]:
        """What of them is lost or damaged, or not at its address yet."""
        waiting = () if self.uploader is None else self.uploader.findings()
        return (*self.predictions.findings(), *self.labels.findings(), *waiting)
