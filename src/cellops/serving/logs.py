"""Where a package logs what it answers and what turns out to be true."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cellops.monitoring import label_log, prediction_log
from cellops.monitoring.segments import SegmentWriter
from cellops.records.contract import Schema
from cellops.records.finding import Finding
from cellops.settings import Settings


@dataclass(frozen=True)
class Logs:
    predictions: SegmentWriter[prediction_log.Answered]
    labels: SegmentWriter[label_log.Labelled]

    @classmethod
    def open(cls, folder: Path, schema: Schema, settings: Settings) -> Self:
        """Writers in the rhythm of the settings; several packages may log to one folder.

        Raises
        ------
        UsageError
            When the folder cannot be written to.
        """
        rhythm: dict[str, Any] = {
            "flush_seconds": settings.log_flush_seconds,
            "segment_rows": settings.log_segment_rows,
        }
        predictions = prediction_log.open_writer(folder, schema, **rhythm)
        try:
            return cls(predictions, label_log.open_writer(folder, schema, **rhythm))
        except BaseException:
            predictions.close()
            raise

    def close(self) -> None:
        """Write what waits; closing again does nothing."""
        try:
            self.labels.close()
        finally:
            self.predictions.close()

    def findings(self) -> tuple[Finding, ...]:
        """What of them is lost or damaged."""
        return (*self.predictions.findings(), *self.labels.findings())
