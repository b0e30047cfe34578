"""What cells have put in the place of libraries' own members: libraries call it themselves, in any later cell."""

from collections.abc import Iterable
from typing import NamedTuple

from cellops.capture.names.kinds import PLAIN_FUNCTION, Kind, describe
from cellops.capture.names.members import MISSING, is_to_come, member, members_of
from cellops.capture.names.owners import is_own

FIXED = frozenset({Kind.CONSTANT, Kind.LIBRARY})


class Running(NamedTuple):
    """What a cell may have run of that."""

    any: bool
    unknown: bool
    """Whether some of it keeps something, or nobody can say what it is: it may have been changed."""


class Replaced:
    """The full names of such members, and of those that functions have named before they were there."""

    def __init__(self) -> None:
        self._new: set[str] = set()
        self._shown: dict[str, bool] = {}
        """Those that were replaced, each with whether the source of a cell shows by what."""
        self._expected: set[str] = set()
        self._owners: set[str] = set()
        """Modules and classes on which something was set under a name that was computed."""
        self._last = Running(any=False, unknown=False)

    def foresee(self, members: Iterable[str]) -> None:
        """Learn which members a cell is about to set: those that are not there yet replace nothing.

        What begins with an underscore may be asked for by the library all the same.
        """
        self._new.update(full for full in members if "._" not in full and is_to_come(full))

    def put(self, full: str, *, shown: bool, expected: bool) -> None:
        """Learn that a member has been set, and whether functions of earlier cells name such a one."""
        if expected:
            self._expected.add(full)
        if full not in self._new:
            self._shown[full] = shown and self._shown.get(full, True)

    def put_any(self, owner: str) -> None:
        """Learn that members have been set under names that were computed."""
        self._owners.add(owner)

    def running(self) -> Running:
        """What the cell that ends now may have run: what stood before it, and what stands behind it."""
        own = {full: describe(value) for full in self._shown if is_own(value := member(full))}
        unknown = (
            any(not self._shown[full] or found.origin != PLAIN_FUNCTION for full, found in own.items())
            or any(
                describe(value).kind not in FIXED for full in self._expected if (value := member(full)) is not MISSING
            )
            or any(is_own(value) for owner in self._owners for value in members_of(member(owner)).values())
        )
        before, self._last = self._last, Running(bool(own) or unknown, unknown)
        return Running(before.any or self._last.any, before.unknown or unknown)
