"""A package as a folder: its files, each opened without following a link or waiting for a pipe."""

import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from cellops.packaging.paths import DEEPEST, absent, broken


class Folder:
    """The files below a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place.resolve()

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def names(self) -> Iterator[str]:
        """Paths of all files, relative, with forward slashes; links are never followed.

        Raises
        ------
        IntegrityError
            When there is something other than files and folders.
        """
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            if inside.count("/") > DEEPEST:
                raise broken(inside, f"lies deeper than the {DEEPEST} folders of any real package")
            with os.scandir(self.place / inside) as entries:
                for entry in entries:
                    path = f"{inside}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{path}/")
                    elif entry.is_file(follow_symlinks=False):
                        yield path
                    else:
                        raise broken(path, "is a link or a special file")

    def open(self, name: str) -> tuple[BufferedReader, int]:
        """A file and its size.

        Raises
        ------
        IntegrityError
            When it is not there, or is no file.
        """
        # Between the listing and this a file can become a link or a pipe, which would wait for a writer.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self.place / name, flags)
        except FileNotFoundError as error:
            raise absent(name) from error
        except OSError as error:
            raise broken(name, f"is not a file or cannot be read ({error.strerror})") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise broken(name, "is not a file")
        return os.fdopen(descriptor, "rb"), status.st_size
