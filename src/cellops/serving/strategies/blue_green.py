"""All traffic to one of two packages that both stand ready."""

from cellops.serving.strategies.buckets import ALL
from cellops.serving.strategies.strategy import Asker, Slot


class BlueGreen:
    def __init__(self, share: float, salt: str) -> None:  # noqa: ARG002 - the shape of every strategy
        self._slot = Slot.CHALLENGER if share == ALL else Slot.CHAMPION

    def choose(self, asker: Asker) -> Slot:  # noqa: ARG002
        return self._slot

    def copies(self, asker: Asker) -> bool:  # noqa: ARG002
        return False

    def compares(self, asker: Asker) -> bool:  # noqa: ARG002
        return True
