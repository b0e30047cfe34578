"""The names in a folder: what a cell sees of it that lists it."""

import itertools
import os
from collections.abc import Collection
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


def names_in(folder: str, without: Collection[str] = ()) -> Names | None:
    """The names in a folder, some left out; None where there is no folder that can be listed."""
    import xxhash

    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in itertools.islice(entries, MOST_HASHED + 1)]
    except OSError:
        return None
    if len(found) > MOST_HASHED:
        return Names(None, None)
    names = sorted(name for name in found if name not in OF_TOOLS and name not in without)
    digest = xxhash.xxh3_128_hexdigest("\0".join(names).encode(errors="surrogateescape"))
    return Names(f"xxh3-128:{digest}", tuple(names) if len(names) <= MOST_KEPT else None)
