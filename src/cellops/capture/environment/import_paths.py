"""Where this process finds modules that no installed distribution brings: the project's own."""

import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")


def project_paths() -> tuple[str, ...]:
    """The folders of `sys.path` that are neither Python's own nor those of installed distributions, in their order."""
    return _project_paths(tuple(sys.path), _working_folder())


def _working_folder() -> Path:
    """The folder that relative entries are in; any other where it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(sys.prefix)


@lru_cache(maxsize=4)
def _project_paths(entries: tuple[str, ...], working: Path) -> tuple[str, ...]:
    own = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    folders = [working / entry for entry in entries if not entry.endswith(".zip")]
    return tuple(str(f) for f in folders if not own & {f, *f.parents} and not set(INSTALLED) & set(f.parts))
