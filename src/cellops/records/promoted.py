from cellops.records.gate import Champion
from cellops.records.registry import Decided
from cellops.records.run import RunSummary


class Promoted(Decided, frozen=True, kw_only=True):
    """A version that has become the champion of its registered model."""

    run: RunSummary
    champion: Champion
    before: Champion | None = None
    """What was the champion until then; the same version where nothing had to be done."""
