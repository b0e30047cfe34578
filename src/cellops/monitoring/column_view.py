"""A column over all windows, as the report shows it: verdicts, what moved most, the shares of its bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellops.data.bins import bin_names
from cellops.monitoring import charts
from cellops.monitoring.drift import moved_most
from cellops.records.drift import ColumnDrift, DriftVerdict, WindowDrift
from cellops.records.profile import Bins
from cellops.stats.counts import Counts, counts_of, shares

MOST_CATEGORIES = 12
"""Categories with a bar of their own."""
RANK = (DriftVerdict.NOT_ENOUGH_DATA, DriftVerdict.STABLE, DriftVerdict.MODERATE, DriftVerdict.MAJOR)


@dataclass(frozen=True)
class ColumnView:
    """One column over all shown windows."""

    name: str
    note: str
    """What moved most, and when."""
    verdict: DriftVerdict
    cells: tuple[ColumnDrift | None, ...]
    """One per shown window."""
    small: tuple[charts.SmallChart | None, ...]
    bins: tuple[str, ...]


def column_views(windows: Sequence[WindowDrift]) -> list[ColumnView]:
    """Every column, the one that moved furthest in any window first."""
    names = dict.fromkeys(column.column for window in windows for column in window.columns)
    in_window = [{column.column: column for column in window.columns} for window in windows]
    cells = {name: [columns.get(name) for columns in in_window] for name in names}
    furthest_first = sorted(names, key=lambda name: max(_order(cell) for cell in cells[name]), reverse=True)
    return [_view(name, cells[name], windows) for name in furthest_first]


def output_view(windows: Sequence[WindowDrift]) -> ColumnView | None:
    cells = [window.output for window in windows]
    name = next((cell.column for cell in cells if cell), None)
    return None if name is None else _view(name, cells, windows)


def _order(cell: ColumnDrift | None) -> tuple[int, float]:
    if cell is None:
        return (-1, 0.0)
    psi = cell.result("psi")
    return (RANK.index(cell.verdict), -1.0 if psi is None or psi.value is None else psi.value)


def _view(name: str, cells: Sequence[ColumnDrift | None], windows: Sequence[WindowDrift]) -> ColumnView:
    worst, window = max(zip(cells, windows, strict=True), key=lambda pair: _order(pair[0]))
    reference = next((cell.reference for cell in cells if cell and cell.reference), None)
    names, small = ((), (None,) * len(cells)) if reference is None or worst is None else _small(reference, worst, cells)
    moved = moved_most(worst) if worst else ""
    return ColumnView(
        name=name,
        note=f"{moved} in {window.label}" if moved else "",
        verdict=worst.verdict if worst else DriftVerdict.NOT_ENOUGH_DATA,
        cells=tuple(cells),
        small=small,
        bins=names,
    )


def _small(
    reference: Bins, worst: ColumnDrift, cells: Sequence[ColumnDrift | None]
) -> tuple[tuple[str, ...], tuple[charts.SmallChart | None, ...]]:
    """The names of the drawn bins, and a chart per window, all to the scale of those with enough data."""
    before = counts_of(reference)
    after = [counts_of(cell.current) if cell and cell.current else None for cell in cells]
    names = bin_names(reference, worst.kind)
    drawn, rest = _drawn(reference, sum((counts for counts in after if counts is not None), before))
    pooled_before = _pooled_shares(before, drawn, rest)
    pooled_after = [None if counts is None else _pooled_shares(counts, drawn, rest) for counts in after]
    judged = [
        share
        for share, cell in zip(pooled_after, cells, strict=True)
        if share is not None and cell and cell.verdict is not DriftVerdict.NOT_ENOUGH_DATA
    ]
    highest = max(float(share.max()) for share in (pooled_before, *judged))
    small = tuple(
        None if share is None else charts.small_chart(pooled_before.tolist(), share.tolist(), highest or 1.0)
        for share in pooled_after
    )
    shown_names = [names[place] for place in drawn] + [f"{len(rest)} more"] * bool(rest)
    return tuple(short(name, 24) for name in shown_names), small


def _drawn(reference: Bins, total: Counts) -> tuple[list[int], list[int]]:
    """Which counts have a bar of their own, and which share the last one."""
    bins = len(reference.counts)
    cut = bins if reference.edges is not None else min(bins, MOST_CATEGORIES)
    special = [place for place in range(bins, len(total)) if total[place] > 0]
    return [*range(cut), *special], list(range(cut, bins))


def _pooled_shares(counts: Counts, drawn: list[int], rest: list[int]) -> Counts:
    pooled = np.append(counts[drawn], counts[rest].sum()) if rest else counts[drawn]
    return shares(pooled) if pooled.sum() else pooled


def short(name: str, limit: int = 40) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"
