"""The watcher of the project's own modules: what their files held when imported, and whether they still do."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from cellops.capture.blobs import Blobs, digest
from cellops.capture.redaction import redact_source
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.finding import Finding, Severity
from cellops.records.module import ModuleSource

INSTALLED = ("site-packages", "dist-packages")
LIBRARY = os.path.join(os.path.dirname(os.__file__), "")  # noqa: PTH118, PTH120 - compared as a text, a thousand times
"""Where python's own modules stand."""
AUTORELOAD = "IPython.extensions.autoreload"
OURS = "cellops"
LARGEST_SOURCE = 500_000
"""Bytes of one source that are kept; a larger one is pinned by its digest only."""
MOST_KEPT = 5_000_000
"""Bytes of all sources that are held and kept."""
MOST_WATCHED = 200
"""Modules whose files are looked at after each cell; a run looks at all."""


@dataclass
class Imported:
    """A module of the project as it was imported."""

    name: str
    path: Path
    spec: object
    """A new one tells of a reload."""
    stamp: tuple[int, int] | None
    source: ModuleSource
    content: bytes | None
    """Until its source is kept."""
    told: bool = False
    edited: tuple[int, int] | None = None
    """The stamp at which the file was read again and found to be another."""


class Modules:
    name = "modules"

    def __init__(self, project: Path, sources: Blobs) -> None:
        self._project = project
        self._sources = sources
        self._seen = set(learned_ahead())
        self._count = 0
        self._held = 0
        self._modules: dict[str, Imported] = {}

    def start(self, shell: Any) -> None:
        """Nothing to begin: the first cell finds what is imported."""

    def stop(self) -> None:
        """Nothing to take away."""

    def before(self, _cell: OpenCell) -> None:
        """Nothing stands before a cell that its end would not show."""

    def after(self, cell: OpenCell, _state: None, _ending: Ending) -> Seen:
        is_run = cell.run is not None
        if is_run or len(sys.modules) != self._count:
            self._learn_new()
        watched = list(self._modules.values())
        edited = [m for m in (watched if is_run else watched[:MOST_WATCHED]) if self._is_edited(m)]
        findings = tuple(_edited(module, cell.where) for module in edited if is_run or not module.told)
        for module in edited:
            module.told = True
        return Seen(findings=findings)

    def keep(self) -> tuple[ModuleSource, ...]:
        """The modules imported so far, their sources written to where the writer takes them."""
        for module in list(self._modules.values()):
            content, module.content = module.content, None
            if content is not None:
                clean = redact_source(content.decode(errors="replace")).encode()
                module.source = module.source.replace(kept=str(self._sources.keep(clean, ".py")))
        return tuple(module.source for module in list(self._modules.values()))

    def _learn_new(self) -> None:
        names = sys.modules.keys() - self._seen
        self._seen |= names
        self._count = len(sys.modules)
        for name in sorted(names):
            self._learn(name)

    def _learn(self, name: str) -> None:
        path = None if name.partition(".")[0] in {OURS, "__main__"} else _own_file(sys.modules.get(name), self._project)
        if path is None:
            return
        try:
            stamp, content = _stamp(path), path.read_bytes()
        except OSError:
            return
        is_kept = len(content) <= LARGEST_SOURCE and self._held + len(content) <= MOST_KEPT
        self._held += len(content) if is_kept else 0
        relative = path.relative_to(self._project).as_posix()
        source = ModuleSource(name=name, path=relative, digest=digest(content), size=len(content))
        spec = _namespace(sys.modules[name]).get("__spec__")
        self._modules[name] = Imported(name, path, spec, stamp, source, content if is_kept else None)

    def _is_edited(self, module: Imported) -> bool:
        """Whether the file is another than when it was imported; a module that was loaded again is learned again."""
        loaded = sys.modules.get(module.name)
        if loaded is None:
            del self._modules[module.name]
            self._seen.discard(module.name)
            return False
        stamp = _stamp(module.path)
        if stamp != module.stamp and AUTORELOAD in sys.modules:
            self._learn(module.name)
            return False
        if _namespace(loaded).get("__spec__") is not module.spec:
            self._learn(module.name)
            return False
        return stamp != module.stamp and not _is_the_same(module, stamp)


@cache
def learned_ahead() -> set[str]:
    """Names of modules that were found to be no project's own before this process was forked."""
    return set()


def learn_ahead() -> None:
    """Look at what is imported, once for all kernels that are forked from this process."""
    learned_ahead().update(name for name, module in list(sys.modules.items()) if file_of(module) is None)


def _own_file(module: object, project: Path) -> Path | None:
    """The file of a module that lies below the project and was not installed there."""
    file = file_of(module)
    if file is None:
        return None
    path = Path(os.path.realpath(file))
    prefix = Path(sys.prefix)
    if prefix.is_relative_to(project) and prefix != project and path.is_relative_to(prefix):
        return None
    return path if path.is_relative_to(project) else None


def file_of(module: object, suffixes: tuple[str, ...] = (".py",)) -> str | None:
    """The file of a module that is neither one of python's own nor installed, of some kinds of files."""
    file = _namespace(module).get("__file__")
    if type(file) is not str or file.startswith(LIBRARY) or not file.endswith(suffixes):
        return None
    return None if any(folder in file for folder in INSTALLED) else file


def _namespace(module: object) -> dict[str, Any]:
    """What a module holds; one that is lazy is not loaded by asking."""
    if not issubclass(type(module), ModuleType):
        return {}
    held = object.__getattribute__(module, "__dict__")
    return held if type(held) is dict else {}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _is_the_same(module: Imported, stamp: tuple[int, int] | None) -> bool:
    """Whether a file with another stamp was only touched, or has its old content again; it is read once for a stamp."""
    if stamp is not None and stamp == module.edited:
        return False
    try:
        same = digest(module.path.read_bytes()) == module.source.digest
    except OSError:
        return False
    if same:
        module.stamp, module.told = stamp, False
    module.edited = None if same else stamp
    return same


def code_digest(cell: str, modules: tuple[ModuleSource, ...]) -> str:
    """One digest of a run's cell and the project's modules; it is the same where the project's code was the same."""
    parts = sorted(f"{module.path}\0{module.digest}" for module in modules)
    return digest("\0".join([cell, *parts]).encode())


def _edited(module: Imported, where: str) -> Finding:
    return Finding(
        code="module-edited",
        severity=Severity.WARNING,
        where=where,
        seen=f"{module.source.path} was edited after it was imported, and the kernel still runs the older one",
        remedy=f"Restart the kernel, or load it again: importlib.reload({module.name})",
    )


def not_kept(modules: tuple[ModuleSource, ...], where: str) -> Iterator[Finding]:
    """Modules whose source is too large to be kept with the run."""
    large = [module.path for module in modules if module.kept is None]
    if large:
        yield Finding(
            code="sources-not-kept",
            severity=Severity.INFO,
            where=where,
            seen=f"the sources of {len(large)} modules are too large and are pinned by digest only: {large[0]} …",
            remedy="Commit them, so that a run can name them by its commit",
        )
