"""Where this process finds modules that no installed distribution brings: the project's own."""

import sys
import sysconfig
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")


def project_paths() -> tuple[str, ...]:
    """The folders of `sys.path` that are neither Python's own nor those of installed distributions, in their order."""
    own = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    folders = [Path(entry).absolute() for entry in sys.path if not entry.endswith(".zip")]
    return tuple(str(f) for f in folders if not own & {f, *f.parents} and not set(INSTALLED) & set(f.parts))
