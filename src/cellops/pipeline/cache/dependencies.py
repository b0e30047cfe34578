"""What a step depends on, found in its kernel behind its cells."""

import itertools
import os
import platform
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from cellops import version
from cellops.capture.blobs import digest
from cellops.capture.environment.distributions import DIRECT_URL, imported, installed, version_of
from cellops.capture.environment.modules import OURS, file_of
from cellops.capture.files.ignored import is_ignored
from cellops.capture.files.looks import looks
from cellops.capture.files.pinning import MOST_IN_A_FOLDER, Identity, identify, is_folder, is_regular, pin
from cellops.capture.files.pointers import shown
from cellops.capture.files.watcher import use_of_gone
from cellops.capture.redaction import redact
from cellops.pipeline.cache.normal_form import READS_SOURCE, digest_of_source
from cellops.pipeline.cache.witness import Witness
from cellops.records.cached import Dependencies
from cellops.records.cell import CellRecord
from cellops.records.file import FileUse, Found, Look
from cellops.records.module import ModuleSource

OURS_FOLDER = Path(version.__file__).parent
UNSEEN = frozenset({"files-not-listed", "network-read", "package-installed", "path-not-known", "shell-command"})
"""Findings of cells of which nobody knows what they read."""
SUFFIXES = (".py", ".pyc", ".pyd", ".so")
CLOCK_STEP = 20_000_000
"""Nanoseconds by which the clock of a file system may be behind."""


def dependencies(
    trail: Collection[CellRecord],
    modules: Iterable[ModuleSource],
    witness: Witness,
    *,
    project: Path,
    own: Path,
) -> Dependencies:
    """What the cells of a kernel were found to depend on.

    Parameters
    ----------
    trail
        The records of its cells.
    modules
        The modules of the project that it has imported.
    witness
        What has heard of all that was done beside the cells.
    project
        The folder that paths are relative to.
    own
        The folder of cellops' own files.
    """
    project, began = Path(os.path.realpath(project)), witness.began
    beside = [path for path in witness.elsewhere.opened if not Path(path).is_relative_to(own)]
    known = {use.path for record in trail for use in record.files}
    threads = [use for path in beside if (use := _of_a_thread(path, witness, project, known)) is not None]
    gone = [use_of_gone(Path(path), project) for path in witness.elsewhere.gone() if not Path(path).is_relative_to(own)]
    sources = (*modules, *elsewhere(project))
    files = of_all(
        [*(use for record in trail for use in record.files), *threads, *gone, *_loaded(witness, sources, project)]
    )
    found = installed()
    return Dependencies(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        prefix=sys.prefix,
        files=files,
        looks=_first(
            [*(look for record in trail for look in record.looks), *looks(witness.elsewhere, {}, project, began / 1e9)]
        ),
        modules=sources,
        code=code_of(sources, (record.source for record in trail), project),
        distributions=versions(found, imported(found, frozenset(sys.modules))),
        import_folders=tuple(folder or os.getcwd() for folder in sys.path),  # noqa: PTH109 - as sys.path has them
        imports=witness.imports.sought(project, witness.elsewhere.has_made),
        unknown=(
            *(f"{finding.where}: {finding.seen}" for r in trail for finding in r.findings if finding.code in UNSEEN),
            *witness.unknown(),
            *_links((record.source for record in trail), sources, project),
            *_written_meanwhile((project / Path(use.path).expanduser() for use in files if use.mode == "read"), began),
            *_written_meanwhile((project / module.path for module in sources), began),
        ),
    )


def code_of(modules: Iterable[ModuleSource], cells: Iterable[str], project: Path) -> dict[str, str]:
    """The digests of what modules do, by path, unless anything reads sources: then only their content tells."""
    contents = {module.path: _content(module, project) for module in modules}
    texts = [content.decode(errors="replace") for content in contents.values() if content is not None]
    if any(READS_SOURCE.search(text) for text in (*texts, *cells)):
        return {}
    found = {path: digest_of_source(content) for path, content in contents.items() if content is not None}
    return {path: code for path, code in found.items() if code is not None}


def _links(cells: Iterable[str], modules: Iterable[ModuleSource], project: Path) -> Iterator[str]:
    """Nothing is heard of a link that is read, and only its target is looked at when a file is opened."""
    contents = (_content(module, project) or b"" for module in modules)
    if any("readlink" in cell for cell in cells) or any(b"readlink" in content for content in contents):
        yield "it asks where a link leads (readlink)"


def _content(module: ModuleSource, project: Path) -> bytes | None:
    """The source of a module, if it still is the one that was imported."""
    path = project / Path(module.path).expanduser()
    if path.suffix != ".py":
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if digest(content) == module.digest else None


def of_all(uses: Iterable[FileUse]) -> tuple[FileUse, ...]:
    """Files, each once: what was written stays written, and what was read first is an input."""
    found: dict[str, FileUse] = {}
    for use in uses:
        before = found.get(use.path)
        mode = use.mode if before is None else _joined(before.mode, use.mode)
        kept = use if before is None or use.mode != "read" or before.mode == "read" else before
        found[use.path] = kept.replace(mode=mode)
    return tuple(found.values())


def _joined(first: str, then: str) -> str:
    """How a file was used by two cells: one that was written before it was read is no input."""
    if first == then:
        return first
    return "write" if first == "write" and then == "read" else "update"


def versions(found: dict[str, Path], names: Iterable[str]) -> dict[str, str]:
    """The versions of distributions; of those that came from no index with a digest of what was installed."""
    return {name: _version(found[name]) for name in names if name in found}


def elsewhere(project: Path) -> Iterator[ModuleSource]:
    """The imported modules outside of the project, and compiled ones, but for Python's own and what was installed."""
    for name, module in sorted(sys.modules.items()):
        file = file_of(module, SUFFIXES)
        if file is None or name.partition(".")[0] in {OURS, "__main__"}:
            continue
        path = Path(os.path.realpath(file))
        if (path.suffix == ".py" and path.is_relative_to(project)) or not path.is_file():
            continue
        content = path.read_bytes()
        yield ModuleSource(name=name, path=shown(path, project), digest=digest(content), size=len(content))


def _of_a_thread(path: str, witness: Witness, project: Path, known: Collection[str]) -> FileUse | None:
    """A file that another thread has opened; None for one that is gone, and one that a cell is known to have read."""
    mode, place, seen = witness.elsewhere.opened[path], redact(shown(Path(path), project)), identify(Path(path))
    if seen is None or is_folder(seen) or (mode == "read" and place in known):
        return None
    pinned = pin(Path(path), seen) if mode == "read" else None
    return FileUse(
        path=place,
        mode=mode,
        opened="open",
        size=seen.size if is_regular(seen) else None,
        modified=seen.modified / 1e9,
        method="metadata-only" if pinned is None else pinned.method,
        digest=None if pinned is None else pinned.digest,
    )


def _loaded(witness: Witness, modules: Iterable[ModuleSource], project: Path) -> Iterator[FileUse]:
    """The files from which code was loaded that does not stand among the modules, or data beside it."""
    known = {module.path for module in modules}
    for text in witness.loaded():
        path = Path(os.path.realpath(text))
        seen = identify(path)
        if seen is None or is_folder(seen) or is_ignored(text, project) or path.is_relative_to(OURS_FOLDER):
            continue
        pinned, place = pin(path, seen), shown(path, project)
        if place not in known:
            yield FileUse(
                path=redact(place),
                mode="read",
                opened="open",
                size=seen.size if is_regular(seen) else None,
                modified=seen.modified / 1e9,
                method=pinned.method,
                digest=pinned.digest,
            )


def _first(found: Iterable[Look]) -> tuple[Look, ...]:
    """What was seen in each place when it was looked at first, and its size and time when these were asked for."""
    seen = {(look.path, look.pattern, _is_measured(look)): look for look in reversed(list(found))}
    return tuple(seen.values())


def _is_measured(look: Look) -> bool:
    return look.found is Found.SOMETHING and look.digest is not None


def _written_meanwhile(paths: Iterable[Path], began: int) -> Iterator[str]:
    """Inputs that somebody has written while the step was executed: nobody knows which content it has read."""
    for path in dict.fromkeys(inner for given in paths for inner in _all_below(given)):
        seen = identify(path)
        if seen is not None and is_regular(seen) and _last_change(seen) >= began - CLOCK_STEP:
            yield f"{path.name} was written while it was executed"


def _all_below(path: Path) -> Iterator[Path]:
    """A path, or the files below a folder, as far as its content is looked at too."""
    if not path.is_dir():
        yield path
        return
    below = (Path(top, name) for top, _, names in os.walk(path) for name in names)
    yield from itertools.islice(below, MOST_IN_A_FOLDER)


def _last_change(seen: Identity) -> int:
    return max(seen.modified, seen.changed) if sys.platform != "win32" else seen.modified


def _version(metadata: Path) -> str:
    version = version_of(metadata)
    if not (metadata / DIRECT_URL).is_file():
        return version
    try:
        return f"{version} ({digest((metadata / 'RECORD').read_bytes())[:8]})"
    except OSError:
        return version
