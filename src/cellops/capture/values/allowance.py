"""How much of a value may be read behind a cell: a few milliseconds' worth, told from sizes and not from a clock."""

BYTES_A_SECOND = 6e9
KEPT_A_SECOND = 0.5e9
OBJECTS_A_SECOND = 5e5
COUNTED_A_SECOND = 1e7
TOKENS_A_SECOND = 4e6
FILE_SECONDS = 1.5e-4


class SpentError(Exception):
    """There is more to read than may be read in passing."""


class Allowance:
    """Seconds of work left. Sizes decide, so that the same values are read the same way each time.

    Parameters
    ----------
    seconds
        How long reading may take.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def read(self, size: int) -> None:
        """Spend what hashing so many bytes takes.

        Raises
        ------
        SpentError
            When it is more than is left.
        """
        self._spend(size / BYTES_A_SECOND)

    def visit(self, objects: int = 1) -> None:
        """Spend what looking at so many python objects takes; raises as `read` does."""
        self._spend(objects / OBJECTS_A_SECOND)

    def count(self, objects: int) -> None:
        """Spend what telling the sizes of so many objects takes; raises as `read` does."""
        self._spend(objects / COUNTED_A_SECOND)

    def write_out(self, objects: int) -> None:
        """Spend what hashing so many objects in the cells of a table takes; raises as `read` does."""
        self._spend(objects / TOKENS_A_SECOND)

    def keep(self, size: int) -> bool:
        """Spend what writing a file of so many bytes takes, if it is there."""
        cost = FILE_SECONDS + size / KEPT_A_SECOND
        if cost > self._left:
            return False
        self._left -= cost
        return True

    def _spend(self, seconds: float) -> None:
        if seconds > self._left:
            raise SpentError
        self._left -= seconds
