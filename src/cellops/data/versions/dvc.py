import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cellops.errors import DataError, UsageError

OF_A_FOLDER = ".dir"
GONE = "Fetch it, `dvc fetch --all-commits`, or where it was never pushed, put it back from a backup: `dvc commit`"


def dvc_file(path: Path, tracked: Path, version: str, target: Path) -> Path:
    """A copy of a file as DVC has kept it: from its cache, or from its remote.

    Parameters
    ----------
    path
        Where the file stood.
    tracked
        What DVC tracks: the file itself, or the folder that it lies in.
    version
        The hash that DVC knew it by: `md5:d41d8…`, with `.dir` at its end for a folder.
    target
        The folder that the copy goes to.

    Raises
    ------
    UsageError
        When dvc is not installed.
    DataError
        When neither cache nor remote has it, or there is no repository of DVC any more.
    """
    try:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
    except ImportError as error:
        fact = f"{path.name} was tracked by DVC, and dvc is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[dvc]"') from error
    name, _, held = version.partition(":")
    try:
        opened: AbstractContextManager[Any] = Repo(str(_nearest(tracked.parent)))
        with opened as repository:
            cache = repository.cache.legacy if name == "md5-dos2unix" else repository.cache.local
            if held.endswith(OF_A_FOLDER):
                listing = json.loads(_cached(repository, cache, name, held).read_bytes())
                below = path.relative_to(tracked).as_posix()
                held = next((entry[name] for entry in listing if entry["relpath"] == below), "")
            found = _cached(repository, cache, name, held)
            target.mkdir(parents=True, exist_ok=True)
            return Path(shutil.copyfile(found, target / path.name))
    except (DvcException, OSError, ValueError, KeyError) as error:
        fact = (
            f"DVC does not have {path.name} of {version} any more: {str(error).splitlines()[0] if str(error) else ''}"
        )
        raise DataError(fact, remedy=GONE, path=str(path)) from error


def _cached(repository: Any, cache: Any, name: str, held: str) -> Path:
    """Where the cache has an object, fetched from the remote where it has not."""
    from dvc_data.hashfile.hash_info import HashInfo

    path = Path(cache.oid_to_path(held))
    if not path.exists():
        repository.cloud.pull([HashInfo(name, held)])
    return path


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above that is still there."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())
