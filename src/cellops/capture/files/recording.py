"""What one thread opens, lists, moves and takes away while a cell runs."""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cellops.capture.files.names import Names, names_in

MOST_FILES = 500
"""Files of one cell that are listed; the others are counted."""
CLOCK_STEP = 20_000_000
"""Nanoseconds by which the clock of a file system may be behind."""


@dataclass(eq=False)
class Recording:
    """What one thread does to files."""

    thread: int | None
    """None for all that have no recording of their own."""
    own: set[str] = field(default_factory=set)
    """Absolute paths of the files and folders that this process has made; its recordings share them."""
    opened: dict[str, str] = field(default_factory=dict)
    """Absolute paths with the way they were opened: `read`, `write` or `update`."""
    addresses: dict[str, None] = field(default_factory=dict)
    looked: dict[str, Names | None] = field(default_factory=dict)
    """Absolute paths of folders with the names in them when they were listed first; None where nothing was there, as
    in the places of files that were to be read."""
    matched: dict[tuple[str, str], Names | None] = field(default_factory=dict)
    """Absolute paths of folders and the patterns that `glob` asked for there without listing all, with what matched
    first."""
    made: set[str] = field(default_factory=set)
    """Absolute paths of files that were not there when they were opened first, to be written."""
    placed: dict[str, None] = field(default_factory=dict)
    """Absolute paths of folders and symbolic links that were made, or were to be where they stood already."""
    removed: dict[str, bool] = field(default_factory=dict)
    """Absolute paths of what was to be taken away and was not made here, and whether anything was there."""
    missed: set[int] = field(default_factory=set)
    """Hashes of the paths beyond the most that are listed."""
    _whole: dict[str, Names | None] = field(default_factory=dict)
    """All names in the folders of which only those that match a pattern count, as long as nothing else is asked."""
    looking: set[int] = field(default_factory=set)
    """Threads in which what is heard now is ours."""
    began: int = field(default_factory=time.time_ns)

    @property
    def has_heard(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.opened or self.addresses or self.looked or self.matched or self.placed or self.removed)

    def use(self, path: str, way: str) -> None:
        """Write down that a file was opened."""
        known = self.opened.get(path)
        if known is None and len(self.opened) >= MOST_FILES:
            self.missed.add(hash(path))
            return
        if known is None and not os.path.lexists(path):
            if way == "read":
                self.looked.setdefault(path, None)
            else:
                self._make(path)
        self.opened[path] = way if known in {None, way} else "update"

    def look(self, path: str, pattern: str | None = None) -> None:
        """Write down the names that are in a folder as it is listed, or those that match what was asked for."""
        if path in self.looked:
            known = self.looked[path]
            if known is not None and known.pattern not in {None, pattern}:
                self.looked[path] = self._whole[path]
            return
        if len(self.looked) >= MOST_FILES:
            self.missed.add(hash(path))
            return
        with self._looking():
            whole = names_in(path)
            self.looked[path] = whole if pattern is None else names_in(path, pattern=pattern)
        if pattern is not None:
            self._whole[path] = whole

    def match(self, folder: str, pattern: str) -> None:
        """Write down what is there of what `glob` asks for."""
        if (folder, pattern) in self.matched:
            return
        if len(self.matched) >= MOST_FILES:
            self.missed.add(hash((folder, pattern)))
            return
        with self._looking():
            self.matched[folder, pattern] = names_in(folder, pattern=pattern)

    def place(self, path: str) -> None:
        """Write down that a folder or a symbolic link is made."""
        if not os.path.lexists(path):
            self.own.add(path)
        self.placed[path] = None

    def remove(self, path: str) -> None:
        """Write down that something is taken away; what was made here leaves no trace."""
        for inner in (*self._files_below(path), path):
            if self.is_own(inner):
                self.opened.pop(inner, None)
                continue
            if self.opened.get(inner) in {"read", "update"}:
                self.opened[inner] = "update"
            else:
                self.opened.pop(inner, None)
            self.removed[inner] = self.removed.get(inner, False) or os.path.lexists(inner)

    def link(self, source: str | None, target: str | None) -> None:
        """Write down that a file gets a second name; None is a place that is not listed."""
        if source is not None and not self.is_own(source):
            self.use(source, "read")
        if target is not None:
            self.use(target, "write")

    def move(self, source: str | None, target: str | None) -> None:
        """Write down that something goes to another place: written there, and read and gone here unless made here.

        None is a place that is not listed.
        """
        if source is None:
            self.link(source, target)
            return
        if target is None:
            self.remove(source)
            return
        if not os.path.lexists(source):
            self.looked.setdefault(source, None)
            return
        if os.path.isdir(source) and not os.path.islink(source):  # noqa: PTH112, PTH114 - a path of the user's
            for inner in self._files_below(source):
                self._move_file(inner, os.path.join(target, os.path.relpath(inner, source)))  # noqa: PTH118
            self.place(target)
        else:
            self._move_file(source, target)

    def gone(self) -> list[str]:
        """What stood there before, was taken away and has not come back."""
        return [path for path, stood in self.removed.items() if stood and not os.path.lexists(path)]

    def has_made(self, path: str) -> bool:
        """Whether this process has made a file, or a folder in which it is."""
        return path in self.own or any(str(folder) in self.own for folder in Path(path).parents)

    def is_own(self, path: str) -> bool:
        """Whether a file was made by this process: by Python, in a folder of its own, or just now by other code."""
        if self.has_made(path) or path in self.opened:
            return self.has_made(path)
        try:
            return os.lstat(path).st_mtime_ns >= self.began - CLOCK_STEP
        except OSError:
            return False

    def _make(self, path: str) -> None:
        self.own.add(path)
        if path not in self.removed:
            self.made.add(path)

    def _move_file(self, source: str, target: str) -> None:
        if self.is_own(source):
            self.opened.pop(source, None)
            self.own.add(source)
        else:
            self.use(source, "update")
            self.removed[source] = True
        self.use(target, "write")

    def _files_below(self, folder: str) -> list[str]:
        """The files below a folder; none below a file or a link to a folder."""
        if os.path.islink(folder) or not os.path.isdir(folder):  # noqa: PTH112, PTH114 - a path of the user's
            return []
        with self._looking():
            below = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)  # noqa: PTH118
            found = list(itertools.islice(below, MOST_FILES + 1))
        self.missed.update(map(hash, found[MOST_FILES:]))
        return found[:MOST_FILES]

    @contextlib.contextmanager
    def _looking(self) -> Iterator[None]:
        """Hear nothing of what this thread does meanwhile."""
        thread = threading.get_ident()
        self.looking.add(thread)
        try:
            yield
        finally:
            self.looking.discard(thread)
