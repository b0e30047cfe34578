"""What systems that keep versions of data say of a file: read from their own files, without their packages."""

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cellops.capture.redaction import redact
from cellops.records.file import Pointer

ADDRESS = re.compile(r"^(?!file:|sqlite:|duckdb:)[A-Za-z][A-Za-z0-9+.-]+://\S+$")
DELTA_LOG = "_delta_log"
DELTA_ENTRY = re.compile(r"^(\d{20})(?:\.json|\.checkpoint(?:\..*)?\.parquet)$")
LFS_HEAD = b"version https://git-lfs.github.com/spec/v1\n"
LFS_LONGEST = 1024
VERSIONS = ("versionId", "generation", "snapshot")
"""Parts of a query that name a version and are no secret; all others are left out."""
LARGEST_DVC_FILE = 10_000_000


def is_address(text: str) -> bool:
    """Whether a text is the address of something remote."""
    return ADDRESS.match(text) is not None


def public_address(address: str) -> str:
    """An address without user, password, fragment and query, except for the version that a query names."""
    parts = urlsplit(address)
    named = [(name, value) for name, value in parse_qsl(parts.query) if name in VERSIONS]
    return redact(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(named), "")))


def pointer_of(address: str) -> Pointer:
    """What an address points to: of lakeFS with the reference that it names."""
    public = public_address(address)
    parts = urlsplit(public)
    if parts.scheme == "lakefs":
        reference, _, path = parts.path.lstrip("/").partition("/")
        return Pointer(kind="lakefs", target=f"lakefs://{parts.netloc}/{path}", version=reference)
    return Pointer(
        kind="uri", target=public, version=next((v for n, v in parse_qsl(parts.query) if n in VERSIONS), None)
    )


def pointers_of(path: Path, project: Path) -> tuple[Pointer, ...]:
    """What DVC, Delta Lake and git-lfs say of a file or a folder; what cannot be read says nothing."""
    found: list[Pointer] = []
    for read in (_of_dvc, _of_delta, _of_git_lfs):
        with contextlib.suppress(OSError, ValueError):
            found += read(path, project)
    return tuple(dict.fromkeys(found))


def _of_dvc(path: Path, project: Path) -> Iterator[Pointer]:
    """From `FILE.dvc` of the file or of a folder that it lies in, and from the `dvc.lock` of a pipeline."""
    held = [one for one in (path, *path.parents) if one.is_relative_to(project) and one != project]
    beside = [(one.with_name(one.name + ".dvc"), _outputs) for one in held]
    locks = [(one.parent / "dvc.lock", _locked) for one in held]
    for file, entries in (*beside, *locks):
        for entry in entries(_yaml(file)):
            if isinstance(entry.get("path"), str) and _at(file.parent, entry["path"]) in held:
                yield Pointer(kind="dvc", target=shown(file, project), version=_hash(entry))


def _at(folder: Path, path: str) -> Path:
    return Path(os.path.normpath(folder / path))


def _outputs(content: dict[str, Any]) -> list[dict[str, Any]]:
    return _dictionaries(content.get("outs"))


def _locked(content: dict[str, Any]) -> list[dict[str, Any]]:
    stages = content.get("stages")
    held = _dictionaries(list(stages.values())) if isinstance(stages, dict) else []
    return [entry for stage in held for part in ("outs", "deps") for entry in _dictionaries(stage.get(part))]


def _dictionaries(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _yaml(file: Path) -> dict[str, Any]:
    try:
        seen = file.stat()
    except OSError:
        return {}
    return _parsed(file, seen.st_mtime_ns) if seen.st_size < LARGEST_DVC_FILE else {}


@functools.lru_cache(maxsize=64)
def _parsed(file: Path, modified: int) -> dict[str, Any]:  # noqa: ARG001 - a file that was written is read again
    import yaml

    try:
        content = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _hash(output: dict[str, Any]) -> str | None:
    name = next((name for name in (output.get("hash"), "md5", "etag", "checksum") if output.get(name or "")), None)
    return None if name is None else f"{name}:{output[name]}"


def _of_delta(path: Path, project: Path) -> Iterator[Pointer]:
    """The newest version in the log of the table that a path is, or lies in."""
    for table in (path, *path.parents):
        log = table / DELTA_LOG
        if log.is_dir():
            versions = [int(match[1]) for entry in log.iterdir() if (match := DELTA_ENTRY.match(entry.name))]
            version = str(max(versions, default="")) or None
            digest = None if version is None else delta_entry(table, version)
            yield Pointer(kind="delta", target=shown(table, project), version=version, digest=digest)
            return
        if table == project:
            return


def delta_entry(table: Path, version: str) -> str | None:
    """The digest of the entry in the log that made a version of a Delta table; None where there is none any more."""
    import xxhash

    try:
        content = (table / DELTA_LOG / f"{int(version):020}.json").read_bytes()
    except (OSError, ValueError):
        return None
    return f"xxh3-128:{xxhash.xxh3_128_hexdigest(content)}"


def at_version(pointers: tuple[Pointer, ...], version: str, table: Path) -> tuple[Pointer, ...]:
    """Pointers where the cell asked for a version of a Delta table that need not be the newest."""
    return tuple(
        one.replace(version=version, digest=delta_entry(table, version)) if one.kind == "delta" else one
        for one in pointers
    )


def _of_git_lfs(path: Path, project: Path) -> Iterator[Pointer]:
    """The object that a pointer file stands for: its content has not been fetched."""
    if not path.is_file() or path.stat().st_size > LFS_LONGEST:
        return
    content = path.read_bytes()
    if content.startswith(LFS_HEAD):
        lines = dict(line.partition(" ")[::2] for line in content.decode().splitlines())
        yield Pointer(kind="git-lfs", target=shown(path, project), version=lines.get("oid"))


def shown(path: Path, project: Path) -> str:
    """A path as records hold it: relative to the project, or with the user's home as `~`."""
    if path.is_relative_to(project):
        return path.relative_to(project).as_posix()
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else path.as_posix()
