"""All traffic to the champion."""

from cellops.serving.strategies.strategy import Asker, Slot


class Single:
    def __init__(self, share: float = 0.0, salt: str = "") -> None: ...

    def choose(self, asker: Asker) -> Slot:  # noqa: ARG002 - the shape of every strategy
        return Slot.CHAMPION

    def copies(self, asker: Asker) -> bool:  # noqa: ARG002
        return False

    def compares(self, asker: Asker) -> bool:  # noqa: ARG002
        return True
