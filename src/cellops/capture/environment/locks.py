"""Hashes of the archives that were installed, from the lock files of the project: uv, poetry, pdm, pylock, pip."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

from cellops.capture.environment.distributions import normalise

LARGEST = 32 * 2**20
"""Bytes of a lock file beyond which it is not read."""
MOST_HASHES = 200
PACKAGE = re.compile(r"^\[\[packages?\]\]$", re.MULTILINE)
NAME = re.compile(r'^name = "([^"]+)"$', re.MULTILINE)
VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
ARCHIVE = re.compile(
    r'"(?:[^"\n]*/)?([^"/\n]+\.(?:whl|tar\.gz|tar\.bz2|tgz|zip))"|sha256(?::|"?\s*=\s*")([0-9a-f]{64})'
)
"""The name or the address of an archive, or the hash that stands behind it: alike in all formats made of tables."""
PINNED = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?\s*==\s*([^\s;\\#]+)(.*)$", re.MULTILINE)
HASH = re.compile(r"--hash[ =]sha256:([0-9a-f]{64})")
TAG = re.compile(r"^Tag: (\S+)$", re.MULTILINE)


class Archive(NamedTuple):
    """A wheel or a source archive of one version of a distribution."""

    file: str | None
    """None where the lock does not tell the archives of a version apart."""
    sha256: str


Pinned = tuple[str, str]
"""The normalised name and the version of a distribution."""
Archives = Mapping[Pinned, tuple[Archive, ...]]


def read_locks(project: Path) -> Archives:
    """What lock files say of archives: those in a project's folder, and above it within its repository."""
    found: dict[Pinned, tuple[Archive, ...]] = {}
    for folder in _folders(project):
        for pattern, read in READERS.items():
            for path in sorted(folder.glob(pattern)):
                for pinned, archives in _read(path, read).items():
                    found.setdefault(pinned, archives)
    return found


def hashes_of(name: str, version: str, metadata: Path, known: Archives) -> tuple[str, ...]:
    """The hashes that the archive of an installed distribution may have: one, where a lock names its wheel.

    Parameters
    ----------
    metadata
        The distribution's folder of metadata, which says of what kind the wheel was.
    """
    archives = known.get((name, version), ())
    tags = _tags_of_installed(metadata) if any(archive.file for archive in archives) else frozenset()
    own = [archive.sha256 for archive in archives if archive.file is None or tags & _tags_of_file(archive.file)]
    source = [archive.sha256 for archive in archives if archive.file and not archive.file.endswith(".whl")]
    return tuple(dict.fromkeys(own or source))[:MOST_HASHES]


def _folders(project: Path) -> list[Path]:
    above = [project, *project.parents]
    roots = [place for place, folder in enumerate(above) if (folder / ".git").exists()]
    return above[: roots[0] + 1] if roots else [project]


def _read(path: Path, read: "Reader") -> Archives:
    try:
        stat = path.stat()
        return _read_once(path, read, stat.st_mtime_ns, stat.st_size) if stat.st_size <= LARGEST else {}
    except OSError:
        return {}


@lru_cache(maxsize=64)
def _read_once(path: Path, read: "Reader", _changed: int, _size: int) -> Archives:
    found: dict[Pinned, tuple[Archive, ...]] = {}
    for pinned, archives in read(path.read_text(encoding="utf-8", errors="replace")):
        found[pinned] = (*found.get(pinned, ()), *archives)
    return found


def _of_tables(text: str) -> Iterator[tuple[Pinned, list[Archive]]]:
    """The packages of a lock in TOML. Its tables are written by machines, all alike: a real parser takes far longer."""
    places = [match.end() for match in PACKAGE.finditer(text)]
    for start, end in pairwise([*places, len(text)]):
        block = text[start:end]
        name, version = NAME.search(block), VERSION.search(block)
        if name is not None and version is not None:
            yield (normalise(name[1]), version[1]), list(_archives(block))


def _archives(block: str) -> Iterator[Archive]:
    file = None
    for named, sha256 in ARCHIVE.findall(block):
        if named:
            file = named
        elif file is not None:
            yield Archive(file, sha256)


def _of_requirements(text: str) -> Iterator[tuple[Pinned, list[Archive]]]:
    for name, version, options in PINNED.findall(text.replace("\\\n", " ")):
        yield (normalise(name), version), [Archive(None, sha256) for sha256 in HASH.findall(options)]


Reader = Callable[[str], Iterator[tuple[Pinned, list[Archive]]]]
READERS: dict[str, Reader] = {
    "uv.lock": _of_tables,
    "poetry.lock": _of_tables,
    "pdm.lock": _of_tables,
    "pylock*.toml": _of_tables,
    "*requirements*.txt": _of_requirements,
}
"""How each lock is read, by the pattern of its name."""


@lru_cache(maxsize=4096)
def _tags_of_installed(metadata: Path) -> frozenset[str]:
    try:
        return frozenset(TAG.findall((metadata / "WHEEL").read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return frozenset()


def _tags_of_file(file: str) -> frozenset[str]:
    """The tags of a wheel, from its name: `cp311.cp312-abi3-linux_x86_64` stands for two."""
    if not file.endswith(".whl"):
        return frozenset()
    parts = [part.split(".") for part in file.removesuffix(".whl").split("-")[-3:]]
    return frozenset("-".join(tag) for tag in product(*parts))
