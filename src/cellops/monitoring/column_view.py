"""A column over all windows, as the report shows it: verdicts, what moved most, the shares of its bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellops.data.bins import bin_names
from cellops.monitoring import charts
from cellops.monitoring.ranking import ranking
from cellops.monitoring.words import moved_most, said_of
from cellops.records.drift import ColumnDrift, DriftVerdict, WindowDrift
from cellops.records.profile import Bins
from cellops.stats.counts import counts_of

MOST_CATEGORIES = 12
"""Categories with a bar of their own."""


@dataclass(frozen=True)
class ColumnView:
    """One column over all shown windows."""

    name: str
    note: str
    """How far it moved, what moved most, and when."""
    verdict: DriftVerdict
    cells: tuple[ColumnDrift | None, ...]
    """One per shown window."""
    small: tuple[charts.SmallChart | None, ...]
    bins: tuple[str, ...]
    highest: float
    """Share of the rows that fills the height of a small chart; a taller bar is cut off."""
    importance: float | None = None


def by_consequence(windows: Sequence[WindowDrift]) -> list[list[ColumnDrift | None]]:
    """Every input column as its cells over the windows, ranked by its gravest window."""
    names = dict.fromkeys(column.column for window in windows for column in window.columns)
    in_window = [{column.column: column for column in window.columns} for window in windows]
    columns = [[cells.get(name) for cells in in_window] for name in names]
    rank = ranking([column for window in windows for column in window.columns])
    return sorted(columns, key=lambda cells: max(rank(cell) for cell in cells), reverse=True)


def worst_of(cells: Sequence[ColumnDrift | None]) -> ColumnDrift:
    """The cell in which a column moved furthest; at least one cell is there."""
    return max((cell for cell in cells if cell), key=ranking([]))


def column_view(
    cells: Sequence[ColumnDrift | None], windows: Sequence[WindowDrift], reference: Bins | None
) -> ColumnView:
    """A column over these windows, `reference` being its frozen bins."""
    worst = worst_of(cells)
    moved = said_of(worst) or moved_most(worst, reference)
    groups = _groups(worst, reference, cells)
    highest = _highest(groups, reference, cells)
    return ColumnView(
        name=worst.column,
        note=f"{windows[cells.index(worst)].label}: {moved}" if moved else "",
        verdict=worst.verdict,
        cells=tuple(cells),
        small=_small(groups, reference, cells, highest),
        bins=tuple(short(group.name, 24) for group in groups),
        highest=highest,
        importance=worst.importance,
    )


def output_view(windows: Sequence[WindowDrift], reference: Bins | None) -> ColumnView | None:
    cells = [window.output for window in windows]
    return column_view(cells, windows, reference) if any(cells) else None


def relations_view(windows: Sequence[WindowDrift], reference: Bins | None) -> ColumnView | None:
    cells = [window.relations for window in windows]
    return column_view(cells, windows, reference) if any(cells) else None


@dataclass(frozen=True)
class _Group:
    """The counts that share one bar."""

    name: str
    places: list[int]
    absent: bool = False
    """Whether these rows have no value that the reference knew."""
    pooled: bool = False
    """Whether many categories share it; such a bar may be cut off, lest it dwarf the others."""


def _groups(worst: ColumnDrift, reference: Bins | None, cells: Sequence[ColumnDrift | None]) -> list[_Group]:
    """A bar for each bin, one for all rare categories, one each for unseen and missing values where there are any."""
    if reference is None:
        return []
    known = [reference, *(cell.current for cell in cells if cell and cell.current)]
    total = sum(counts_of(bins) for bins in known)
    names = bin_names(reference, worst.kind)
    bins = len(reference.counts)
    other, unseen, missing = bins, bins + 1, bins + 2
    drawn = bins if reference.edges is not None else min(bins, MOST_CATEGORIES)
    rare = _Group(
        f"{bins - drawn} more and rare ones" if bins > drawn else "rare ones",
        list(range(drawn, other + 1)),
        pooled=True,
    )
    pooled = [
        rare,
        _Group(names[unseen], [unseen], absent=True),
        _Group(names[missing], [missing], absent=True),
    ]
    own = [_Group(names[place], [place]) for place in range(drawn)]
    return own + [group for group in pooled if np.sum(np.asarray(total)[group.places])]


def _highest(groups: list[_Group], reference: Bins | None, cells: Sequence[ColumnDrift | None]) -> float:
    """The largest share in the reference and the windows with enough data, or in all windows where none has."""
    compared = [cell for cell in cells if cell and cell.current]
    judged = [cell for cell in compared if cell.verdict.judged] or compared
    tables = [bins for bins in (reference, *(cell.current for cell in judged)) if bins]
    shares = [_shares(bins, groups) for bins in tables]
    return max((s for bars in shares for s, g in zip(bars, groups, strict=True) if not g.pooled), default=0.0) or 1.0


def _small(
    groups: list[_Group], reference: Bins | None, cells: Sequence[ColumnDrift | None], highest: float
) -> tuple[charts.SmallChart | None, ...]:
    """A chart per window, all to one scale."""
    if reference is None:
        return (None,) * len(cells)
    before = _shares(reference, groups)
    after = [_shares(cell.current, groups) if cell and cell.current else None for cell in cells]
    absent = [group.absent for group in groups]
    return tuple(charts.small_chart(before, share, absent, highest) if share else None for share in after)


def _shares(bins: Bins, groups: list[_Group]) -> list[float]:
    counts = counts_of(bins)
    total = counts.sum() or 1.0
    return [float(counts[group.places].sum() / total) for group in groups]


def short(name: str, limit: int = 40) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"
