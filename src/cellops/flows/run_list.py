"""The runs of a session, shown as they begin, end and are proven."""

from cellops.flows.observer import Observer
from cellops.records.proof import Proof
from cellops.records.run import RunSummary


class RunList:
    """The newest state of each run, in the order in which they changed last."""

    def __init__(self, observer: Observer) -> None:
        self.runs: list[RunSummary] = []
        self._observer = observer

    def announce(self, summary: RunSummary) -> None:
        """Take over how a run stands now, and show it."""
        self.runs = [known for known in self.runs if known.run != summary.run] + [summary]
        self._observer.run(summary)

    def proven(self, proof: Proof) -> None:
        """Take over the proof of a run, if it is one of these, and show it."""
        for known in self.runs:
            if known.run == proof.run:
                summary = known.replace(proof=proof.verdict.value)
                self.runs = [summary if other is known else other for other in self.runs]
                self._observer.proven(summary)
