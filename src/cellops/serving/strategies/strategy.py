"""The shape of every strategy: it chooses which of two packages answers a request, and knows nothing else of them."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Slot(StrEnum):
    CHAMPION = "champion"
    CHALLENGER = "challenger"


class Asker(msgspec.Struct, frozen=True, gc=False):
    """By what requests are told apart."""

    request_id: str
    """The client's, else the server's own."""
    user: str | None = None
    """Who asks, or of whom: the same for all requests of one user."""


class Strategy(Protocol):
    """One division of the traffic; it never changes, and is replaced by another.

    Parameters
    ----------
    share
        Percent of the traffic that the challenger takes, from 0 to 100.
    salt
        With a key it gives a bucket, the same for ever.
    """

    def __init__(self, share: float, salt: str) -> None: ...

    def choose(self, asker: Asker) -> Slot:
        """Whose answer is given."""

    def copies(self, asker: Asker) -> bool:
        """Whether the challenger is asked, too, and its answer kept from the client."""

    def compares(self, asker: Asker) -> bool:
        """Whether it did not depend on who asks whose answer is given, so that the two can be compared by it."""
