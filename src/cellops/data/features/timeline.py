"""The events of one table in the order in which they became known, and the newest known one at any time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.features.frames import Places
from cellops.data.features.keys import Codes

Numbers = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Timeline:
    """Events that have a key and a time, as numbers."""

    key: Codes
    time: Numbers
    """When each happened."""
    known: Numbers
    """From when on each counts; not before it happened."""
    place: Places
    """Its row in the table."""

    @classmethod
    def of(cls, key: Codes, time: Numbers, known_at: Numbers | None, usable: Mask) -> "Timeline":
        """The usable events of a table, by when they happened and became known; equal ones in the table's order."""
        known = time if known_at is None else np.maximum(time, known_at)
        place = np.flatnonzero(usable)
        keys = (time[place],) if known_at is None else (known[place], time[place])
        if any(np.any(one[1:] < one[:-1]) for one in keys):
            place = place[np.lexsort(keys)]
        return cls(key[place], time[place], known[place], place)

    def without(self, doubled: Mask) -> "Timeline":
        """The same without some of its events."""
        kept = ~doubled
        return Timeline(self.key[kept], self.time[kept], self.known[kept], self.place[kept])

    def doubled(self, keep: str) -> Mask:
        """True for events beside which another one has the same key and times: all, or all but one.

        Parameters
        ----------
        keep
            `first`, `last`, or `none` to be told of all.
        """
        import pandas as pd

        columns = pd.DataFrame({"key": self.key, "time": self.time, "known": self.known})
        found: Mask = columns.duplicated(keep=False if keep == "none" else keep).to_numpy()  # type: ignore[arg-type]
        return found

    def newest(self, key: Codes, time: Numbers, *, allow_exact: bool) -> Places:
        """For each key and time the place here of the newest event that had become known; -1 where there was none.

        The newest is the one that happened last, and of corrections the one that became known last: an event that is
        told of late never hides a newer one.
        """
        import pandas as pd

        # What counts at a time is the highest rank among those known by then: a running maximum, one for each key.
        order = np.argsort(self.known, kind="stable")
        late = bool(np.any(order[1:] < order[:-1]))
        best = pd.Series(order).groupby(self.key[order]).cummax().to_numpy() if late else order
        known = pd.DataFrame({"time": self.known[order], "key": self.key[order], "best": best})
        asked = np.flatnonzero(key >= 0)
        times = time[asked]
        if np.any(times[1:] < times[:-1]):
            asked = asked[np.argsort(times, kind="stable")]
        left = pd.DataFrame({"time": time[asked], "key": key[asked]})
        joined = pd.merge_asof(left, known, on="time", by="key", allow_exact_matches=allow_exact)
        found = np.full(len(key), -1, dtype=np.intp)
        found[asked] = joined["best"].fillna(-1).to_numpy(dtype=np.intp)
        return found
