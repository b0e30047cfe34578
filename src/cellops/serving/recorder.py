"""What a server does with answers that cannot be logged: it goes on, or it refuses to answer."""

from cellops.errors import NotReadyError
from cellops.monitoring.answered import Answered
from cellops.monitoring.segments import SegmentWriter


class Recorder:
    """Hands what is answered to the prediction log.

    Parameters
    ----------
    writer
        Of the log. One that keeps what the disk does not take loses nothing that was answered.
    refuse
        Whether nothing is answered while the log cannot be written; else answers go on, and losses are counted.
    """

    def __init__(self, writer: SegmentWriter[Answered], *, refuse: bool) -> None:
        self.refuses = refuse
        self._writer = writer

    @property
    def is_ready(self) -> bool:
        """Whether predictions are answered."""
        return not (self.refuses and self._writer.stalled)

    def admit(self) -> None:
        """Refuse a request before the model has worked for it.

        Raises
        ------
        NotReadyError
            When its answer could not be logged.
        """
        if not self.is_ready:
            raise _unlogged()

    def take(self, answered: Answered, rows: int) -> bool:
        """Log an answer that is about to be given; whether it will be.

        Raises
        ------
        NotReadyError
            When there is no room for it, and it shall not be given then.
        """
        taken = self._writer.append(answered, rows)
        if self.refuses and not taken:
            raise _unlogged()
        return taken


def _unlogged() -> NotReadyError:
    fact = "The prediction log cannot be written, and nothing is answered that is not logged"
    return NotReadyError(fact, remedy="Send the request again later; whoever runs the server has to make room")
