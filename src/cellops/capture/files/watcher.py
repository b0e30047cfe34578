"""The watcher of files: what a cell read and wrote, where it stands and what was in it."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellops.capture.files.audit import Opens, opens
from cellops.capture.files.findings import not_fetched, not_listed, over_the_network, untold
from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.looks import asked_by, looks
from cellops.capture.files.names import names_in
from cellops.capture.files.paths import asked_version, listed_by, matches, named_paths
from cellops.capture.files.pinning import Identity, Pinned, Pins, identify, is_folder, is_regular, pin
from cellops.capture.files.pointers import at_version, is_address, pointer_of, pointers_of, public_address, shown
from cellops.capture.files.recording import Recording
from cellops.capture.files.untold import untold_reads
from cellops.capture.redaction import redact
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.file import FileUse, Look

SMALL = 2**20
"""Bytes of a file that is hashed at once; a larger one is hashed beside the kernel's work."""
SMALL_IN_ALL = 4 * 2**20
"""Bytes that are hashed at once for one cell."""
MOST_OF_A_RUN = 1000
DEFERRED = Pinned("deferred", reason="it is being hashed beside the kernel's work")
WRITTEN = Pinned("metadata-only", reason="the cell wrote it")


ASKING = re.compile(r"\burl(?:open|retrieve)\b")
"""The habits of a cell tell of the network that it asks itself; here stands what readers of data ask for it."""


@dataclass(frozen=True)
class _Readers:
    """Where a file stood that was read, and by which cells."""

    path: Path
    seen: Identity
    cells: set[int] = field(default_factory=set)


class Files:
    """Files that cells read and write.

    Parameters
    ----------
    at_once
        Whether large files are hashed in front of the next cell too, as where a run is executed again.
    """

    name = "files"

    def __init__(self, project: Path, own: Path, *, at_once: bool = False) -> None:
        self._at_once = at_once
        self._project = Path(os.path.realpath(project))
        self._own = (f"{own}{os.sep}", f"{os.path.realpath(own)}{os.sep}")
        self._pins = Pins()
        self._opens: Opens | None = None
        self._namespace: Mapping[str, Any] = {}
        self._bound: set[str] = set()
        """Names that functions of the notebook bind by `global`."""
        self._read: dict[FileUse, _Readers] = {}
        self._waiting: list[FileUse] = []
        """What is being hashed, until somebody has been told."""

    def start(self, shell: Any) -> None:
        """Begin to hear what python opens."""
        self._namespace = shell.user_ns
        self._opens = opens()
        self._opens.project = self._project

    def stop(self) -> None:
        """Hear no more; what is being hashed is left."""
        self._pins.stop()

    def before(self, cell: OpenCell) -> Recording:
        if self._opens is None:
            raise RuntimeError
        return self._opens.begin(cell.thread)

    def after(self, cell: OpenCell, state: Recording, _ending: Ending) -> Seen:
        if self._opens is not None:
            self._opens.end(state)
        unknown = untold(untold_reads(cell.flow, self._namespace, self._bound), cell.where)
        if not state.has_heard and not cell.flow.calls:
            return Seen(findings=tuple(unknown))
        files = {path: (way, "open") for path, way in state.opened.items() if not path.startswith(self._own)}
        addresses = dict.fromkeys(() if ASKING.search(cell.body) else state.addresses)
        versions: dict[str, str] = {}
        for named in named_paths(cell.flow, self._namespace):
            if is_address(named.text):
                addresses[named.text] = None
            else:
                for listed in listed_by(named.text):
                    state.looked.setdefault(listed, names_in(listed))
                for path in matches(named.text):
                    absolute = os.path.normpath(os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
                    if not absolute.startswith(self._own) and not is_ignored(absolute, self._project):
                        files.setdefault(absolute, (named.mode, "argument"))
                        version = asked_version(named.call, self._namespace)
                        if version is not None:
                            versions[absolute] = version
        uses = [*self._uses(files, cell.order, versions), *self._gone(state)]
        public = {public_address(address): pointer_of(address) for address in addresses}
        remote = [
            FileUse(path=path, mode="read", opened="argument", reason="it is remote", pointers=(pointer,))
            for path, pointer in public.items()
        ]
        found = [
            *over_the_network(public, cell.where),
            *not_fetched(uses, cell.where),
            *not_listed(state, cell.where),
            *unknown,
        ]
        looked = self._looked(state, cell)
        return Seen({"files": (*uses, *remote), "looks": looked}, tuple(found))

    def _looked(self, state: Recording, cell: OpenCell) -> tuple[Look, ...]:
        asked = asked_by(cell.flow, self._namespace, self._project)
        return tuple(looks(state, asked, self._project, cell.started)) if asked or state.has_heard else ()

    def read_by(self, cells: Collection[int] | None) -> tuple[FileUse, ...]:
        """What some cells of the trail have read, or all; with the digests that have been had meanwhile."""
        wanted = [use for use, by in self._read.items() if cells is None or not by.cells.isdisjoint(cells)]
        return tuple(dict.fromkeys(map(self._completed, wanted[-MOST_OF_A_RUN:])))

    def newly_pinned(self) -> tuple[FileUse, ...]:
        """The files whose hashing has ended since this was asked last."""
        done = [found for use in self._waiting if (found := self._completed(use)) is not use]
        if done:
            paths = {use.path for use in done}
            self._waiting = [use for use in self._waiting if use.path not in paths]
        return tuple(done)

    def _completed(self, use: FileUse) -> FileUse:
        by = self._read[use]
        pinned = self._pins.get(by.path, by.seen)
        if use.method != DEFERRED.method or pinned is None:
            return use
        return use.replace(method=pinned.method, digest=pinned.digest, reason=pinned.reason)

    def _uses(self, files: Mapping[str, tuple[str, str]], order: int, versions: Mapping[str, str]) -> list[FileUse]:
        """What was used, with digests of small files; missing ones were looked for, and folders were listed."""
        left = SMALL_IN_ALL
        uses = []
        for text, (mode, opened) in files.items():
            path = Path(text)
            seen = identify(path)
            if seen is None or (opened == "open" and is_folder(seen)):
                continue
            pinned = self._pinned(path, seen, mode, left)
            left -= seen.size if pinned is not DEFERRED and is_regular(seen) else 0
            pointers = pointers_of(path, self._project)
            use = FileUse(
                path=redact(shown(path, self._project)),
                mode=mode,
                opened=opened,
                size=seen.size if is_regular(seen) else None,
                modified=seen.modified / 1e9,
                method=pinned.method,
                digest=pinned.digest,
                reason=pinned.reason,
                pointers=at_version(pointers, versions[text], path) if text in versions else pointers,
            )
            uses.append(use)
            if pinned is DEFERRED:
                self._waiting.append(use)
            if mode != "write":
                self._read.setdefault(use, _Readers(path, seen)).cells.add(order)
        return uses

    def _gone(self, state: Recording) -> list[FileUse]:
        """What the cell has taken away of others: it was used, and is not as it was."""
        paths = [path for path in state.gone() if not path.startswith(self._own)]
        return [use_of_gone(Path(path), self._project) for path in paths]

    def _pinned(self, path: Path, seen: Identity, mode: str, left: int) -> Pinned:
        if mode != "read":
            return WRITTEN
        known = self._pins.get(path, seen)
        if known is not None:
            return known
        if self._at_once or (not is_regular(seen) and not is_folder(seen)):
            return self._pins.pin(path, seen)
        if is_folder(seen) or seen.size > min(SMALL, left):
            self._pins.defer(path, seen)
            return DEFERRED
        return self._pins.pin(path, seen)


def use_of_gone(path: Path, project: Path) -> FileUse:
    """The use of a file that was taken away."""
    return FileUse(path=redact(shown(path, project)), mode="update", opened="open", reason="it was taken away")


def completed(use: FileUse, project: Path) -> FileUse:
    """What was deferred until its kernel had gone, hashed now, if the file is still the one that was read."""
    if use.method != DEFERRED.method:
        return use
    path = project / Path(use.path).expanduser()
    seen = identify(path)
    if seen is None or seen.modified / 1e9 != use.modified or (is_regular(seen) and seen.size != use.size):
        pinned = Pinned("metadata-only", reason="it was written to before it had been hashed")
    else:
        pinned = pin(path, seen)
    return use.replace(method=pinned.method, digest=pinned.digest, reason=pinned.reason)
