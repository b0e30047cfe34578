"""Which statistics stand in a report, and what each of them is computed from."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeAlias

from cellops.errors import UsageError
from cellops.monitoring.missingness import MISSING, missingness
from cellops.records.drift import StatisticResult
from cellops.records.profile import ColumnKind, ColumnProfile
from cellops.stats.anderson_darling import anderson_darling
from cellops.stats.chi_squared import chi_squared
from cellops.stats.counts import counts_of
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.energy_distance import energy_distance
from cellops.stats.fisher import fisher
from cellops.stats.g_test import g_test
from cellops.stats.hellinger import hellinger
from cellops.stats.jensen_shannon import jensen_shannon
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.kullback_leibler import kullback_leibler
from cellops.stats.normalised_wasserstein import normalised_wasserstein
from cellops.stats.psi import psi
from cellops.stats.result import refused
from cellops.stats.total_variation import total_variation
from cellops.stats.wasserstein import wasserstein

Statistic: TypeAlias = Callable[[Any, Any], StatisticResult]

NEEDED = ("psi", "chi_squared", "total_variation")
"""What verdicts and ranks stand on: always computed."""
DEFAULT = (*NEEDED, "jensen_shannon", "kolmogorov_smirnov", "normalised_wasserstein", MISSING)
ALL = "all"


def _named(*statistics: Statistic) -> Mapping[str, Statistic]:
    return MappingProxyType({statistic.__name__: statistic for statistic in statistics})


OVER_COUNTS = _named(psi, chi_squared, total_variation, jensen_shannon, kullback_leibler, hellinger, g_test)
OVER_SKETCHES = _named(
    kolmogorov_smirnov, wasserstein, normalised_wasserstein, cramer_von_mises, anderson_darling, energy_distance
)
OVER_TRUTHS = _named(fisher)
KNOWN = (*OVER_COUNTS, *OVER_TRUTHS, *OVER_SKETCHES, MISSING)
"""Every name, in the order of a report."""


def chosen(names: str | Iterable[str] | None = None) -> frozenset[str]:
    """The statistics of these names, and those that verdicts need.

    Parameters
    ----------
    names
        Names, as an iterable or with commas between them; `all`; None for the cheap ones.

    Raises
    ------
    UsageError
        When there is no such statistic; it says which is the nearest.

    Examples
    --------
    >>> sorted(chosen("hellinger"))
    ['chi_squared', 'hellinger', 'psi', 'total_variation']
    """
    given = names.split(",") if isinstance(names, str) else DEFAULT if names is None else names
    wanted = {name.strip().lower().replace("-", "_") for name in given} - {""}
    if ALL in wanted:
        wanted = (wanted - {ALL}) | set(KNOWN)
    for name in sorted(wanted - set(KNOWN)):
        near = get_close_matches(name, KNOWN, n=3)
        fact = f"There is no statistic {name}"
        hint = f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(KNOWN)}, and all"
        raise UsageError(fact, received=name, remedy=hint)
    return frozenset({*wanted, *NEEDED})


def results(reference: ColumnProfile, current: ColumnProfile, names: frozenset[str]) -> tuple[StatisticResult, ...]:
    """Those of the statistics that can be asked of this kind of column; each has a figure, or says why it has none."""
    if reference.bins is None or current.bins is None:
        return ()
    before, after = counts_of(reference.bins), counts_of(current.bins)
    found = [statistic(before, after) for name, statistic in OVER_COUNTS.items() if name in names]
    if reference.kind is ColumnKind.BOOLEAN:
        sides = before[:-1], after[:-1]
        found += [statistic(*sides) for name, statistic in OVER_TRUTHS.items() if name in names]
    if reference.bins.edges is not None:
        wanted = [statistic for name, statistic in OVER_SKETCHES.items() if name in names]
        found += [_over_sketches(statistic, reference, current) for statistic in wanted]
    if MISSING in names and (reference.missing or current.missing):
        found.append(missingness(reference, current))
    return tuple(found)


def _over_sketches(statistic: Statistic, reference: ColumnProfile, current: ColumnProfile) -> StatisticResult:
    if reference.sketch is None or current.sketch is None:
        name = statistic.__name__
        return refused(name, "all missing", reference.rows - reference.missing, current.rows - current.missing)
    return statistic(reference.sketch, current.sketch)
