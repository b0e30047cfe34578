"""What one process counts of one package while a stage lasts."""

from collections import Counter

from cellops.records.rollout import SlotEvidence
from cellops.stats.latency_bins import bin_of


class SlotTally:
    """Counts requests and labels. Not locked: whoever shares it holds a lock."""

    def __init__(self) -> None:
        self._requests = self._errors = self._labelled = 0
        self._bins: Counter[int] = Counter()
        self._loss = self._surprise = 0.0

    def count(self, seconds: float, *, error: bool) -> None:
        """One request, and how long its answer took; of an error the seconds say nothing."""
        self._requests += 1
        if error:
            self._errors += 1
        else:
            self._bins[bin_of(seconds)] += 1

    def learn(self, loss: float) -> None:
        """The loss of one prediction whose label arrived, from 0 to 1: of a classifier whether it was wrong.

        What is beyond counts as 0 or 1. The guess before the first is one half: it may depend on nothing but what came
        before (`stats.mean_evidence`).
        """
        loss = min(max(loss, 0.0), 1.0)
        guess = (0.5 + self._loss) / (1 + self._labelled)
        self._surprise += (loss - guess) ** 2
        self._loss += loss
        self._labelled += 1

    def evidence(self) -> SlotEvidence:
        return SlotEvidence(
            requests=self._requests,
            errors=self._errors,
            latency=dict(sorted(self._bins.items())),
            labelled=self._labelled,
            loss=self._loss,
            surprise=self._surprise,
        )
