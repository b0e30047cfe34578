"""The names in a folder: what a cell sees of it that lists it."""

import fnmatch
import glob
import itertools
import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

MOST_HASHED = 100_000
"""Names of a folder that are hashed; of a larger one nothing is said."""
MOST_KEPT = 200
"""Names of a folder that are kept."""
OF_TOOLS = frozenset({".cellops", ".git", ".ipynb_checkpoints", "__pycache__", "mlartifacts", "mlruns"})
"""What tools keep in a project: it comes and goes without anybody's doing."""


class Names(NamedTuple):
    """What is in a folder."""

    digest: str | None
    """Of the sorted names; None where there are too many."""
    names: tuple[str, ...] | None
    """None where there are too many to keep."""
    pattern: str | None = None
    """What was asked for: only names that match it count, or paths below the folder; None for all names."""


def names_in(folder: str, without: Collection[str] = (), pattern: str | None = None) -> Names | None:
    """The names in a folder that match a pattern, some left out; None where there is no folder that can be listed.

    A pattern with slashes finds paths below the folder.
    """
    import xxhash

    is_deep = pattern is not None and "/" in pattern
    try:
        with os.scandir(folder) as entries:
            below = (entry.name for entry in entries) if not is_deep else _paths_below(folder, str(pattern))
            found = list(itertools.islice(below, MOST_HASHED + 1))
    except OSError:
        return None
    if len(found) > MOST_HASHED:
        return Names(None, None, pattern)
    matching = found if pattern is None or is_deep else fnmatch.filter(found, pattern)
    names = sorted(name for name in matching if OF_TOOLS.isdisjoint(name.split("/")) and name not in without)
    digest = xxhash.xxh3_128_hexdigest("\0".join(names).encode(errors="surrogateescape"))
    return Names(f"xxh3-128:{digest}", tuple(names) if len(names) <= MOST_KEPT else None, pattern)


def _paths_below(folder: str, pattern: str) -> Iterator[str]:
    """The paths below a folder that match a pattern, hidden ones too, as some ways of asking find these."""
    found = glob.iglob(pattern, root_dir=folder, include_hidden=True)  # noqa: PTH207 - with names as texts
    return (path.replace(os.sep, "/") for path in found)
