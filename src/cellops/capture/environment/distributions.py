"""Which distributions are installed, where each came from, and which of them the kernel has imported."""

import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from cellops.capture.environment.repository import commit_at
from cellops.records.environment import Origin

DIRECT_URL = "direct_url.json"
CONDA = "conda"
"""What conda writes as the installer. The address beside it is of the machine that built the archive of its channel."""
METADATA_FOLDER = re.compile(r"^(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)\.(?:dist|egg)-info$")
PLACE = re.compile(
    r"^(?:(?P<package>\w+)/__init__\.py|(?P<inner>\w+/\w+)/__init__\.py|(?P<file>\w+)(?:\.[\w-]+)*\.(?:py|so|pyd)),"
)
"""A line of RECORD that shows something to import: a package, one inside of a namespace, or a module."""


def installed(folders: Iterable[str] | None = None) -> dict[str, Path]:
    """The metadata folders of the installed distributions by name; of two of a name, the one that python finds.

    They are read from the folders' names, which takes a millisecond where asking each for its metadata takes half a
    second.

    Parameters
    ----------
    folders
        Where to look for them; by default where this interpreter does.
    """
    return dict(_installed(_import_folders(folders)))


def not_from_an_index() -> dict[str, Path]:
    """Those among the installed distributions that came from a folder, an archive or a repository (PEP 610)."""
    return dict(_not_from_an_index(_import_folders()))


def _import_folders(folders: Iterable[str] | None = None) -> tuple[tuple[str, int | None], ...]:
    return tuple((folder, _changed(folder)) for folder in dict.fromkeys(sys.path if folders is None else folders))


@lru_cache(maxsize=4)
def _installed(folders: tuple[tuple[str, int | None], ...]) -> dict[str, Path]:
    """The same for folders that were last changed then: installing anything changes its folder."""
    found: dict[str, Path] = {}
    for folder, changed in folders:
        found = {**_installed_in(folder, changed), **found}
    return dict(sorted(found.items()))


@lru_cache(maxsize=64)
def _installed_in(folder: str, _changed: int | None) -> dict[str, Path]:
    """What one folder has: the kernels that are forked from one process each have another folder beside the rest."""
    found: dict[str, Path] = {}
    for entry in _metadata_folders(Path(folder or ".")):
        match = METADATA_FOLDER.match(entry.name)
        if match is not None:
            found.setdefault(normalise(match["name"]), entry)
    return found


@lru_cache(maxsize=4)
def _not_from_an_index(folders: tuple[tuple[str, int | None], ...]) -> dict[str, Path]:
    elsewhere = {metadata for folder, changed in folders for metadata in _not_from_an_index_in(folder, changed)}
    return {name: metadata for name, metadata in _installed(folders).items() if metadata in elsewhere}


@lru_cache(maxsize=64)
def _not_from_an_index_in(folder: str, changed: int | None) -> tuple[Path, ...]:
    return tuple(metadata for metadata in _installed_in(folder, changed).values() if (metadata / DIRECT_URL).is_file())


def _changed(folder: str) -> int | None:
    """When something was last added to a folder or taken from it, in nanoseconds since the epoch."""
    try:
        return Path(folder or ".").stat().st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=4096)
def version_of(metadata: Path) -> str:
    match = METADATA_FOLDER.match(metadata.name)
    assert match is not None  # noqa: S101 - `installed` has seen it
    return match["version"]


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(metadata: dict[str, Path], modules: Collection[str]) -> Iterator[str]:
    """The distributions of which something is among `modules`."""
    for name, folder in metadata.items():
        if name.replace("-", "_") in modules or any(module in modules for module in modules_of(folder)):
            yield name


@lru_cache(maxsize=4096)
def modules_of(metadata: Path) -> tuple[str, ...]:
    """What a distribution brings to import, with a namespace's parts where it lies in one."""
    listed = _read(metadata / "top_level.txt")
    if listed is not None:
        return tuple(listed.split())
    packages: dict[str, None] = {}
    inner: dict[str, None] = {}
    for line in (_read(metadata / "RECORD") or "").splitlines():
        match = PLACE.match(line)
        if match is None:
            continue
        if match["inner"]:
            inner[match["inner"].replace("/", ".")] = None
        else:
            packages[match["package"] or match["file"]] = None
    return tuple(packages or inner)


def origins(known: Mapping[Path, Origin | None]) -> dict[str, Origin]:
    """The distributions that came from elsewhere than an index; `known` has the origins of those that were asked."""
    asked = {name: known[at] if at in known else origin(at) for name, at in not_from_an_index().items()}
    return {name: found for name, found in asked.items() if found is not None}


def origin(metadata: Path) -> Origin | None:
    """Where a distribution came from, if not from an index (PEP 610)."""
    text = _read(metadata / DIRECT_URL)
    if text is None or (_read(metadata / "INSTALLER") or "").strip() == CONDA:
        return None
    try:
        given = json.loads(text)
        return _origin(given, str(given.get("url", "")))
    except (ValueError, AttributeError, TypeError):
        return Origin(local=True)


def _origin(given: dict[str, Any], url: str) -> Origin:
    if "vcs_info" in given:
        return Origin(local=True, commit=given["vcs_info"].get("commit_id"))
    if "archive_info" in given:
        return Origin(local=url.startswith("file:"), sha256=_sha256(given["archive_info"]))
    folder = Path(unquote(urlparse(url).path))
    return Origin(
        local=True,
        editable=bool(given.get("dir_info", {}).get("editable")),
        commit=commit_at(folder) if folder.is_dir() else None,
    )


def _sha256(archive: dict[str, Any]) -> str | None:
    found = archive.get("hashes", {}).get("sha256") or str(archive.get("hash", "")).removeprefix("sha256=")
    return found if re.fullmatch(r"[0-9a-f]{64}", str(found)) else None


def _metadata_folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
