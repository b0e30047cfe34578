"""What a session has to say, on disk before anyone else has it: through a full disk, and a folder that was deleted."""

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import RLock

from cellops.capture.journal import Journal, path_of
from cellops.capture.lease import Lease, lease_of
from cellops.records.base import Record
from cellops.records.run import SessionOpened
from cellops.settings import Settings, prepare, unusable


class SessionJournal:
    """The journal of a session, with the lease that says that its kernel lives.

    Parameters
    ----------
    opened
        The first event of the journal.
    held
        Gives the events that are still in memory, for a journal that has to be begun anew.
    warn
        Is told of what was lost.

    Raises
    ------
    SettingsError
        When nothing can be kept in the folder of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        opened: SessionOpened,
        held: Callable[[], Iterable[Record]],
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._held = held
        self._warn = warn
        self._unwritten: list[Record] = []
        self._writing = RLock()
        folder = self._folder()
        try:
            self._begin(folder)
            for event in held():
                self._journal.append(event)
        except OSError as error:
            raise unusable(folder, error.strerror or str(error)) from error

    @property
    def path(self) -> Path:
        return self._journal.path

    def write(self, event: Record) -> None:
        """Append an event, behind those that could not be written before it; cells of subshells end at once.

        Raises
        ------
        OSError
            When the disk refuses it: it is kept for the next time.
        """
        with self._writing:
            self._unwritten.append(event)
            if self._journal.is_gone():
                self._begin_anew()
            while self._unwritten:
                self._journal.append(self._unwritten[0])
                self._unwritten.pop(0)

    def close(self) -> None:
        """Write no more, and give the lease back."""
        self._journal.close()
        self._lease.release()

    def _folder(self) -> Path:
        return prepare(self._settings.folder) / "journal"

    def _begin(self, folder: Path) -> None:
        self._lease = Lease(lease_of(path_of(folder, self._opened.session)))
        self._journal = Journal(folder, self._opened.session, first=self._opened)

    def _begin_anew(self) -> None:
        """Make the folder and the journal again when someone has deleted them, with all that is still in memory."""
        self.close()
        self._begin(self._folder())
        self._unwritten = [*(e for e in self._held() if e not in self._unwritten), *self._unwritten]
        self._warn(
            f"{self._settings.folder} was deleted while this kernel ran. It was made again; "
            "runs that had ended and were not in the tracking store are lost: run their cells again"
        )
