"""Closed segments of a log at an address that fsspec takes: written there from a folder, read from there into one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellops.capture.temporary import temporary_folder
from cellops.data.address import Address
from cellops.errors import InputError, NotFoundError, UsageError
from cellops.monitoring import label_log, prediction_log
from cellops.monitoring.segment_files import CLOSED
from cellops.settings import without_credentials

FOLDERS = (prediction_log.FOLDER, label_log.FOLDER)
LONGEST_REASON = 200


class LogStore:
    """Where the segments of one log are kept for good.

    Parameters
    ----------
    place
        As fsspec takes it: `s3://bucket/logs/delays`. Whether it can be reached is not asked.

    Raises
    ------
    UsageError
        When fsspec or the driver for such addresses is not installed, or the address is wrong.
    """

    def __init__(self, place: str) -> None:
        public = without_credentials(place).rstrip("/")
        try:
            self._address = Address(place)
        except ImportError as error:
            fact = f"{public} is reached by fsspec, and it or a driver for such addresses is not installed: {error}"
            raise UsageError(fact, remedy='Run: pip install "cellops[store]", and the driver, such as s3fs') from error
        except Exception as error:  # a driver may refuse an address in any way
            fact = f"A log cannot be kept in {public}: {reason(error)}"
            raise UsageError(fact, remedy="Correct the address, or what it reaches") from error
        self.public = self._address.public

    def take(self, segment: Path, folder: str) -> None:
        """Put a closed segment there and see that all of it has come; the driver's own errors are raised."""
        name, size = f"{folder}/{segment.name}", segment.stat().st_size
        if self._address.size(name) == size:
            return
        self._address.put(segment, name)
        there = self._address.size(name)
        if there != size:
            message = f"{there} of {size} bytes came"
            raise OSError(message)

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """A folder with all segments, to read as one that a server has written; it is gone at the end.

        Raises
        ------
        NotFoundError
            When there is no log.
        InputError
            When the store does not answer.
        """
        with temporary_folder() as held:
            folder = held / "log"
            folder.mkdir()
            try:
                count = sum(self._fetch(part, folder / part) for part in FOLDERS)
            except Exception as error:  # drivers raise errors of their own
                fact = f"The prediction log {self.public} cannot be read: {reason(error)}"
                raise InputError(fact, remedy="Try again when the store answers") from error
            if not count:
                fact = f"There is no prediction log {self.public}"
                raise NotFoundError(fact, remedy="Give the address that cellops serve names when it starts")
            yield folder

    def _fetch(self, part: str, folder: Path) -> int:
        folder.mkdir()
        names = [name for name in self._address.names(part) if name.endswith(CLOSED)]
        for name in names:
            self._address.files.get_file(self._address.path(f"{part}/{name}"), str(folder / name))
        return len(names)


def is_address(place: object) -> bool:
    """Whether a log's place is an address and not a folder."""
    return "://" in str(place)


def reason(error: Exception) -> str:
    """Why a driver failed, without the secrets of an address."""
    said = without_credentials(str(getattr(error, "strerror", None) or error))
    return f"{type(error).__name__}: {said}"[:LONGEST_REASON]
