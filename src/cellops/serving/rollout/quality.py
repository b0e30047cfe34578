"""How good the answers of a stage were, by the labels that have come: by whichever worker, also before a restart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cellops.monitoring.label_join import LabelJoin
from cellops.records.contract import Contract, Task
from cellops.records.rollout import Evidence, RolloutState, Strategy
from cellops.serving.rollout.tally import SlotTally
from cellops.serving.shadow.log import SHADOW

Loss = Callable[[Any, Any], float]


class Quality:
    """Adds up the losses of one stage, for one process of a server: the logs are the same for all.

    Parameters
    ----------
    folder
        Where the model logs.
    state
        Of the rollout, with a challenger.
    loss
        From 0 to 1, of a predicted and a true label.
    """

    def __init__(self, folder: Path, state: RolloutState, loss: Loss) -> None:
        assert state.challenger is not None  # noqa: S101 - nobody asks otherwise
        self.since = state.since
        self._loss = loss
        self._champion, self._challenger = SlotTally(), SlotTally()
        self._tallies = {state.champion.digest: self._champion, state.challenger.digest: self._challenger}
        logs = [folder, folder / SHADOW] if state.strategy is Strategy.SHADOW else [folder]
        self._join = LabelJoin(folder, logs, self._tallies, state.since)
        self._is_first = True

    def look(self) -> bool:
        """Learn from the labels that have come; whether there is something to tell, as at first there always is."""
        known, self._is_first = self._is_first, False
        for package, answer, truth in self._join.new():
            self._tallies[package].learn(self._loss(answer, truth))
            known = True
        return known

    @property
    def evidence(self) -> Evidence:
        return Evidence(champion=self._champion.evidence(), challenger=self._challenger.evidence())


def loss_of(contract: Contract) -> Loss | None:
    """Of a classifier whether it was wrong; of a regression the error beside the span of what the model gives."""
    if contract.schema.task is not Task.REGRESSION:
        return _is_wrong
    known = contract.output.moments if contract.output else None
    span = known.maximum - known.minimum if known else 0.0
    if not span > 0:
        return None
    return lambda predicted, truth: min(1.0, abs(predicted - truth) / span)


def _is_wrong(predicted: Any, truth: Any) -> float:
    return float(predicted != truth)
