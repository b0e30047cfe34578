"""Which statistics stand in a report, and what each of them is computed from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeAlias

from cellops.data.fair_bins import fair_counts
from cellops.errors import UsageError
from cellops.monitoring.missingness import MISSING, missingness
from cellops.monitoring.observed import ObservedColumn
from cellops.records.drift import StatisticResult
from cellops.records.profile import ColumnKind, TextProfile
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
from cellops.stats.out_of_vocabulary import out_of_vocabulary
from cellops.stats.psi import psi
from cellops.stats.result import ALL_MISSING, refused
from cellops.stats.samples import distribution
from cellops.stats.text_length import text_length
from cellops.stats.total_variation import total_variation
from cellops.stats.vocabulary import vocabulary
from cellops.stats.wasserstein import wasserstein

Statistic: TypeAlias = Callable[[Any, Any], StatisticResult]

NEEDED = ("psi", "chi_squared", "total_variation", "text_length", "vocabulary", "out_of_vocabulary")
"""What verdicts and ranks stand on: always computed, the last three of free text."""
DEFAULT = (*NEEDED, "jensen_shannon", "kolmogorov_smirnov", "normalised_wasserstein", MISSING)
ALL = "all"


def _named(*statistics: Statistic) -> Mapping[str, Statistic]:
    return MappingProxyType({statistic.__name__: statistic for statistic in statistics})


OVER_COUNTS = _named(psi, total_variation, jensen_shannon, kullback_leibler, hellinger)
TESTS_OF_COUNTS = _named(chi_squared, g_test)
OVER_SKETCHES = _named(
    kolmogorov_smirnov, wasserstein, normalised_wasserstein, cramer_von_mises, anderson_darling, energy_distance
)
OVER_TRUTHS = _named(fisher)
OVER_TEXTS = _named(text_length, vocabulary, out_of_vocabulary)
KNOWN = (*OVER_COUNTS, *TESTS_OF_COUNTS, *OVER_TRUTHS, *OVER_SKETCHES, MISSING, *OVER_TEXTS)
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
    ['chi_squared', 'hellinger', 'out_of_vocabulary', 'psi', 'text_length', 'total_variation', 'vocabulary']
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


def results(column: ObservedColumn, names: frozenset[str]) -> tuple[StatisticResult, ...]:
    """Those of the statistics that can be asked of this kind of column; each has a figure, or says why it has none.

    Distances are between the frozen bins. Tests are over those of them that the reference's own chance did not choose.
    """
    reference, current = column.reference, column.current
    if current is None or reference.bins is None or current.bins is None:
        return ()
    before, after = counts_of(reference.bins), counts_of(current.bins)
    found = [statistic(before, after) for name, statistic in OVER_COUNTS.items() if name in names]
    if {*TESTS_OF_COUNTS} & names:
        tested = fair_counts(reference, current)
        found += [statistic(*tested) for name, statistic in TESTS_OF_COUNTS.items() if name in names]
    if reference.kind is ColumnKind.BOOLEAN:
        sides = before[:-1], after[:-1]
        found += [statistic(*sides) for name, statistic in OVER_TRUTHS.items() if name in names]
    if reference.bins.edges is not None:
        found += _over_sketches([name for name in OVER_SKETCHES if name in names], column)
    if MISSING in names and (reference.missing or current.missing):
        found.append(missingness(reference, current))
    if reference.text is not None and current.text is not None:
        found += _over_texts(reference.text, current.text)
    return tuple(found)


def _over_texts(before: TextProfile, after: TextProfile) -> list[StatisticResult]:
    lengths = text_length(before.lengths, after.lengths)
    return [lengths, vocabulary(before, after), out_of_vocabulary(before, after)]


def _over_sketches(names: Sequence[str], column: ObservedColumn) -> list[StatisticResult]:
    """The statistics of numbers: of all of the window where they are kept, else of its sketch."""
    reference, current = column.reference, column.current
    if current is None or reference.sketch is None or current.sketch is None:
        now = 0 if current is None else current.rows - current.missing
        return [refused(name, ALL_MISSING, reference.rows - reference.missing, now) for name in names]
    if not names:
        return []
    before = distribution(reference.sketch)
    after = distribution(current.sketch if column.ordered is None else column.ordered, ascending=True)
    return [OVER_SKETCHES[name](before, after) for name in names]
