"""A share of the users to the challenger, each always to the same; who is nobody known has the champion."""

from cellops.serving.strategies.buckets import Buckets
from cellops.serving.strategies.strategy import Asker, Slot


class AB:
    def __init__(self, share: float, salt: str) -> None:
        self._taken = Buckets(share, salt)

    def choose(self, asker: Asker) -> Slot:
        if asker.user is None:
            return Slot.CHAMPION
        return Slot.CHALLENGER if self._taken.has(asker.user) else Slot.CHAMPION

    def copies(self, asker: Asker) -> bool:  # noqa: ARG002 - the shape of every strategy
        return False

    def compares(self, asker: Asker) -> bool:
        # All who are not known have the champion, and may be others than those who are.
        return asker.user is not None
