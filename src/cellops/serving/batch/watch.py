"""A folder whose files are scored as they arrive, each of them once, however often the watch is stopped and begun."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from cellops.data.batch.duckdb_file import DIVIDER
from cellops.data.batch.files import KINDS, readable
from cellops.data.batch.source import digest
from cellops.data.batch.target import writing
from cellops.errors import CellopsError, InputError, NotFoundError, OutputError, UsageError
from cellops.records.batch import BatchProgress, Scored, Watched, WatchedFile

LEDGER, LOCK, BAD = "ledger.jsonl", ".lock", "bad"
SHORT = 12
"""Digits of a digest in a file's name."""
LONGEST = 200
"""Bytes of the name of a file: those beside its answers have longer ones."""
Stamp = tuple[int, int, int]
"""Inode, size and time of the last change, by which a file is known from one look to the next."""


class ScoreFile(Protocol):
    def __call__(self, source: Path, output: Path, on_progress: Callable[[BatchProgress], None], /) -> Scored:
        """Score a file, going on where that was stopped; raises as a batch does."""


class Watch:
    """Scores the files of a folder.

    Parameters
    ----------
    folder
        In which files arrive. It is never written to.
    output
        The folder of the answers: NAME.DIGEST.csv, or as the file ends; the ledger; and bad files with the reason.
    package
        The digest of what answers.
    score
        Scores one file.
    on_file
        Hears what has become of each.

    Raises
    ------
    NotFoundError
        When there is no such folder.
    UsageError
        When both are the same folder.
    """

    def __init__(
        self, folder: Path, output: Path, package: str, score: ScoreFile, on_file: Callable[[WatchedFile], None]
    ) -> None:
        if not folder.is_dir():
            fact = f"There is no folder {folder}"
            raise NotFoundError(fact, remedy="Make the folder in which files shall arrive")
        if output.resolve() == folder.resolve():
            fact = "Files cannot arrive in the folder of the answers"
            raise UsageError(fact, remedy="Give another folder for the answers")
        self._folder, self._output, self._package = folder, output, package
        self._score, self._on_file = score, on_file
        self._settled: dict[Path, Stamp] = {}
        """What was looked at and is done, as long as it stays what it was."""

    def run(self, *, every: float, once: bool, on_progress: Callable[[BatchProgress], None]) -> Watched:
        """Score what arrives until this is stopped.

        Parameters
        ----------
        every
            Seconds between two looks. A file is whole when nobody has it open to write, and it has not changed from one
            look to the next.
        once
            Whether to end when all that is there is done.

        Raises
        ------
        OutputError
            When the answers cannot be written, or another process watches for this folder.
        """
        with writing(str(self._output)):
            self._output.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(self._output / LOCK)
            lock.acquire(timeout=0)
        except Timeout as error:
            fact = f"Another process writes answers to {self._output}"
            raise OutputError(fact, remedy="Wait for it, or give another folder") from error
        files = rows = bad = 0
        pause = threading.Event()
        with lock:
            known = {(file.name, file.digest) for file in self._ledger()}
            before: dict[Path, Stamp] = {}
            while True:
                now = self._arrived()
                steady = [path for path, stamp in now.items() if before.get(path) == stamp and is_closed(path)]
                for path in steady:
                    done = self._take(path, now[path], known, on_progress)
                    if done is not None:
                        files, rows, bad = files + 1, rows + done.rows, bad + (done.trouble is not None)
                if once and len(steady) == len(now):
                    return Watched(files=files, rows=rows, bad=bad)
                before = now
                pause.wait(every)

    def _arrived(self) -> dict[Path, Stamp]:
        """The files that are not done, the oldest first."""
        found = {}
        for entry in self._entries():
            path = Path(entry.path)
            if entry.name.startswith(".") or path.suffix.lower() not in KINDS or not entry.is_file():
                continue
            try:
                told = entry.stat()
            except FileNotFoundError:
                continue
            stamp = (told.st_ino, told.st_size, told.st_mtime_ns)
            if self._settled.get(path) != stamp:
                found[path] = stamp
        return dict(sorted(found.items(), key=lambda one: (one[1][2], one[0].name)))

    def _entries(self) -> "Iterator[os.DirEntry[str]]":
        try:
            return os.scandir(self._folder)
        except OSError as error:
            fact = f"The folder {self._folder} cannot be looked at any more: {error.strerror}"
            raise NotFoundError(fact, remedy="Put it back, and begin the watch again: it goes on") from error

    def _take(
        self, path: Path, stamp: Stamp, known: set[tuple[str, str]], on_progress: Callable[[BatchProgress], None]
    ) -> WatchedFile | None:
        """Score a file, unless that was done before; None where it was, or the file has gone."""
        name = readable(path.name)
        try:
            content = digest(path)
        except FileNotFoundError:
            return None
        except OSError as error:  # where it can be read another time, it is looked at again
            self._settled[path] = stamp
            unread = WatchedFile(name=name, digest="", output=None, trouble=f"It cannot be read: {error.strerror}")
            self._on_file(unread)
            return unread
        self._settled[path] = stamp
        if (name, content) in known:
            return None
        output = self._output / _named(name, content)
        done = WatchedFile(name=name, digest=content, output=str(output))
        try:
            _require_name(name)
            scored = self._score(path, output, on_progress)
        except (InputError, NotFoundError, UsageError) as error:
            # Else it was scored before, and the ledger was not written any more.
            if not output.exists():
                done = done.replace(output=None, trouble=error.text())
                self._set_aside(path, _named(name, content), error)
        else:
            done = done.replace(rows=scored.report.answered, set_aside=scored.report.set_aside)
        known.add((name, content))
        self._note(done)
        self._on_file(done)
        return done

    def _set_aside(self, path: Path, name: str, error: CellopsError) -> None:
        """Keep a bad file with the reason; where it arrived it stays, too."""
        bad = self._output / BAD
        with writing(str(bad)):
            bad.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # it may have gone meanwhile
                shutil.copyfile(path, bad / name)
            (bad / f"{name}.reason.txt").write_text(error.text() + "\n", encoding="utf-8")

    def _note(self, done: WatchedFile) -> None:
        """Write to the ledger, behind a line that was perhaps not written to its end."""
        with writing(str(self._output)), (self._output / LEDGER).open("ab+") as ledger:
            if ledger.tell():
                ledger.seek(-1, os.SEEK_END)
                ledger.write(b"" if ledger.read() == b"\n" else b"\n")
            ledger.write(done.to_json() + b"\n")
            ledger.flush()
            os.fsync(ledger.fileno())

    def _ledger(self) -> Iterator[WatchedFile]:
        """What was done before; a line that was not written to its end says nothing."""
        path = self._output / LEDGER
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                yield WatchedFile.from_json(line)
            except ValueError:
                continue


def _named(name: str, content: str) -> str:
    """What the answers to a file are called, or its copy where it is bad."""
    path = Path(name)
    short = path.stem.encode()[:LONGEST].decode(errors="ignore")
    return f"{short}.{content[:SHORT]}{path.suffix.lower()}"


def _require_name(name: str) -> None:
    if DIVIDER in name:
        fact = f"A file cannot be called {name} here: {DIVIDER} stands for a table of DuckDB"
        raise UsageError(fact, remedy="Rename it")
    if len(name.encode()) > LONGEST:
        fact = f"The name of a file is longer than {LONGEST} bytes"
        raise UsageError(fact, received=name, remedy="Rename it")


def is_closed(path: Path) -> bool:
    """Whether no process has a file open to write to it, as far as the system tells: Linux does, of one's own files."""
    if not sys.platform.startswith("linux"):
        return True
    import fcntl
    import signal

    try:
        with path.open("rb") as file:
            # Whoever opens the file meanwhile has us told by a signal: SIGIO would end this process, and this one does
            # nothing.
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            # A lease to read is given for a file only that nobody writes to.
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return False
    except OSError:  # another's file, or a file system without leases
        return True
    return True
