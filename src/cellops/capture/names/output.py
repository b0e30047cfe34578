"""Where the output of cells goes: while a cell has redirected it, all that later ones print changes that object."""

import sys

from cellops.capture.names.bindings import watch


class Output:
    """What stands for the output and the errors of cells; it is held no longer than by the notebook itself."""

    def __init__(self) -> None:
        self._places = [watch(place) for place in _places()]

    def has_moved(self) -> bool:
        """Whether something else stands for it than when this was made."""
        return any(known() is not place for known, place in zip(self._places, _places(), strict=True))


def _places() -> tuple[object, object]:
    return sys.stdout, sys.stderr
