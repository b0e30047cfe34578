"""The answers that nobody gets: a prediction log of their own, with the ids of the answers that were given."""

from cellops.monitoring import prediction_log
from cellops.monitoring.answered import Answered
from cellops.records.contract import Schema
from cellops.serving.logs import LogPlace
from cellops.settings import Settings

SHADOW = "shadow"
"""The folder, in that of the model's log."""


class ShadowLog:
    """Takes what a challenger answers in the shadow.

    Parameters
    ----------
    place
        Where it is.
    schema
        Of the champion, which is the challenger's.
    settings
        Its rhythm.
    """

    def __init__(self, place: LogPlace, schema: Schema, settings: Settings) -> None:
        key = settings.log_pii_key.encode() if settings.log_pii_key else None
        self._writer = prediction_log.open_writer(
            place.folder,
            schema,
            key=key,
            flush_seconds=settings.log_flush_seconds,
            segment_rows=settings.log_segment_rows,
        )

    def take(self, answered: Answered, rows: int) -> None:
        """Log an answer, where the disk takes it: what is lost here nobody was told."""
        self._writer.append(answered, rows)

    def close(self) -> None:
        self._writer.close()
