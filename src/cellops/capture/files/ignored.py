"""Which files are no data of the user's: the system's, Python's and its tools'."""

import functools
import os
import sys
import sysconfig
from pathlib import Path

OF_THE_SYSTEM = (
    "/dev",
    "/proc",
    "/sys",
    *(f"/{folder}" for folder in ("bin", "lib", "lib32", "lib64", "libx32", "sbin")),
    *(
        f"{place}/{folder}"
        for place in ("/usr", "/usr/local")
        for folder in ("bin", "include", "lib", "lib32", "lib64", "libexec", "libx32", "sbin", "share")
    ),
    *(
        f"/etc/{name}"
        for name in (
            *("apache", "apache2", "debian_version", "fonts", "group", "host.conf", "hostname", "hosts", "httpd"),
            *("ld.so.cache", "ld.so.conf", "localtime", "lsb-release", "machine-id", "mime.types", "nsswitch.conf"),
            *("os-release", "passwd", "pki", "resolv.conf", "ssl", "timezone"),
        )
    ),
)
"""Folders, and files that libraries read to find out about the machine; programs of the user's lie elsewhere, such as
in `/usr/src`, and so does what they are configured with."""
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - nothing is written there
"""The one folder of devices that holds files of the user's."""
OF_TOOLS = (
    ".cache/matplotlib",
    ".cache/fontconfig",
    ".config/matplotlib",
    ".ipython",
    ".jupyter",
    ".local/share/jupyter",
)


def is_ignored(path: str, project: str | Path | None) -> bool:
    """Whether a file is no data of the user's; in the project it is data, but for a Python that is installed there.

    Parameters
    ----------
    path
        An absolute path, as is that of the project. None where there is no project.
    """
    place = path + os.sep
    if not place.startswith(ignored()):
        return False
    held = next((f"{own}{os.sep}" for own in (project, SHARED_MEMORY) if place.startswith(f"{own}{os.sep}")), None)
    return held is None or place.startswith(tuple(folder for folder in ignored() if folder.startswith(held)))


@functools.cache
def ignored() -> tuple[str, ...]:
    """How the paths of files begin that are no data of the user's, wherever the project lies."""
    paths = sysconfig.get_paths()
    python = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    python.append(str(Path(paths["stdlib"]).with_name(f"python{sys.version_info.major}{sys.version_info.minor}.zip")))
    tools = [str(Path.home() / folder) for folder in OF_TOOLS]
    folders = {name for folder in (*python, *tools) for name in (folder, os.path.realpath(folder))}
    beginnings = {folder + os.sep for folder in (*folders, *OF_THE_SYSTEM)}
    return tuple(sorted({*beginnings, f"{SHARED_MEMORY}/joblib_memmapping_folder_"}))
