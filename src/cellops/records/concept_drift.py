from cellops.records.base import Record


class ConceptDrift(Record, frozen=True, kw_only=True):
    """Where a stream of values or errors changed, as one detector that reads it once has seen."""

    detector: str
    """`adwin`, `ddm`, `eddm`, `kswin` or `page_hinkley`."""
    rows: int
    """Values read; missing ones are passed over."""
    drifts: tuple[int, ...] = ()
    """Places, from 0, at which the detector was sure of a change, and began anew."""
    warnings: tuple[int, ...] = ()
    """Places at which a change seemed to begin; `ddm` and `eddm` have them."""

    @property
    def drifted(self) -> bool:
        return bool(self.drifts)
