"""All traffic to one package."""

from dataclasses import dataclass

from cellops.serving.strategies.strategy import Slot


@dataclass(frozen=True)
class Single:
    champion: Slot

    @property
    def slots(self) -> tuple[Slot, ...]:
        return (self.champion,)

    def choose(self, request_id: str) -> Slot:  # noqa: ARG002 - the shape of every strategy
        return self.champion
