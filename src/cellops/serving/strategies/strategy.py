"""The shape of every strategy: it chooses the slot that answers a request."""

from dataclasses import dataclass
from typing import Protocol

from cellops.packaging.load import LoadedPackage


@dataclass(frozen=True)
class Slot:
    """A package that takes traffic, and what it is there for."""

    role: str
    """`champion` or `challenger`."""
    package: LoadedPackage


class Strategy(Protocol):
    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every slot, the champion first: its contract is the one that requests are held against."""

    def choose(self, request_id: str) -> Slot:
        """The slot that answers; the same for the same request id."""
