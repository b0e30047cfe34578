"""All traffic to the champion, and a share of it to the challenger as well, whose answers nobody gets."""

from cellops.serving.strategies.buckets import Buckets
from cellops.serving.strategies.strategy import Asker, Slot


class Shadow:
    def __init__(self, share: float, salt: str) -> None:
        self._shown = Buckets(share, salt)

    def choose(self, asker: Asker) -> Slot:  # noqa: ARG002 - the shape of every strategy
        return Slot.CHAMPION

    def copies(self, asker: Asker) -> bool:
        return self._shown.has(asker.request_id if asker.user is None else asker.user)

    def compares(self, asker: Asker) -> bool:  # noqa: ARG002
        return True
