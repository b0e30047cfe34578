"""Keep the folder of steps that machines share within limits: the oldest go first, with what no other one needs."""

from collections import Counter
from collections.abc import Callable, Iterable

from cellops.pipeline.cache.shared import SharedSteps
from cellops.records.cached import KeptStep


def tidy(
    shared: SharedSteps, files_of: Callable[[KeptStep], Iterable[str]], *, limit: int | None, before: float | None
) -> int:
    """Delete entries until all files together have at most `limit` bytes and none is from before a time.

    An execution elsewhere that misses a file says so, and executes the step. Files of no entry stay: they may be those
    of one that is being written. So do entries that are signed with another key.

    Parameters
    ----------
    shared
        The steps.
    files_of
        Gives the names of the files that belong to an entry.
    limit, before
        None for no such limit; the time in seconds since the epoch.

    Returns
    -------
    int
        Bytes that this freed.

    Raises
    ------
    SharedError
        When the store does not answer.
    """
    sizes = shared.sizes()
    entries = sorted(shared.all(sizes), key=lambda pair: pair[1].ended)
    needed = Counter(name for _, entry in entries for name in set(files_of(entry)))
    over = sum(sizes.values()) - limit if limit is not None else 0
    freed = 0
    for path, entry in entries:
        if freed >= over and (before is None or entry.ended >= before):
            break
        needed.subtract(set(files_of(entry)))
        # The entry goes first: one whose files are gone is found in vain.
        for name in (path, *(name for name in set(files_of(entry)) if not needed[name])):
            if name in sizes:
                shared.delete(name)
                freed += sizes[name]
    return freed
