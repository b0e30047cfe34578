"""Where this process finds modules that no installed distribution brings: the project's own."""

import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")


def project_paths() -> tuple[str, ...]:
    """The folders of `sys.path` that are neither Python's own nor those of installed distributions, in their order."""
    return _project_paths(tuple(sys.path), os.getcwd())


@lru_cache(maxsize=4)
def _project_paths(entries: tuple[str, ...], folder: str) -> tuple[str, ...]:
    own = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    folders = [Path(folder, entry) for entry in entries if not entry.endswith(".zip")]
    return tuple(str(f) for f in folders if not own & {f, *f.parents} and not set(INSTALLED) & set(f.parts))
