"""A wheel of this very cellops, put together from its files, where no index can bring it."""

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cellops.capture.environment.distributions import not_from_an_index
from cellops.version import __version__

OWN = "cellops"
FOLDER = Path(__file__).parents[2]
NOT_NEEDED = frozenset({"__pycache__", "labextension"})
ANY_TIME = (1980, 1, 1, 0, 0, 0)
"""Of the files in the wheel: the same files give the same bytes."""


def is_needed() -> bool:
    """Whether this cellops comes from a folder, an archive or a repository, and not from an index."""
    if OWN in not_from_an_index():
        return True
    try:
        place = Path(str(metadata.distribution(OWN).locate_file(OWN)))
    except metadata.PackageNotFoundError:
        return True
    return place.resolve() != FOLDER.resolve()


def build(folder: Path) -> Path:
    """Write the wheel below `folder`. It names no dependencies: the lock of a package has them all."""
    about = f"{OWN}-{__version__}.dist-info"
    files = dict(_sources())
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {OWN}\nVersion: {__version__}\n".encode()
    files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: cellops\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/entry_points.txt"] = b"[console_scripts]\ncellops = cellops.cli:main\n"
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*rows, f"{about}/RECORD,,", ""]).encode()
    target = folder / f"{OWN}-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for name, content in files.items():
            wheel.writestr(zipfile.ZipInfo(name, ANY_TIME), content, zipfile.ZIP_DEFLATED)
    return target


def _sources() -> Iterator[tuple[str, bytes]]:
    for path in sorted(FOLDER.rglob("*")):
        inner = path.relative_to(FOLDER)
        if path.is_file() and not NOT_NEEDED & {*inner.parts}:
            yield f"{OWN}/{inner.as_posix()}", path.read_bytes()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
