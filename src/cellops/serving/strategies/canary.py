"""A share of the traffic to the challenger, by user where users are known, else by request."""

from cellops.serving.strategies.buckets import Buckets
from cellops.serving.strategies.strategy import Asker, Slot


class Canary:
    def __init__(self, share: float, salt: str) -> None:
        self._taken = Buckets(share, salt)

    def choose(self, asker: Asker) -> Slot:
        key = asker.request_id if asker.user is None else asker.user
        return Slot.CHALLENGER if self._taken.has(key) else Slot.CHAMPION

    def copies(self, asker: Asker) -> bool:  # noqa: ARG002 - the shape of every strategy
        return False

    def compares(self, asker: Asker) -> bool:  # noqa: ARG002 - the shape of every strategy
        return True
