"""Alarms: which windows someone should look at, so that few of all alarms ever raised are false."""

from collections.abc import Sequence

from cellops.monitoring.aspects import Aspect, aspects
from cellops.records.drift import Alarm, WindowDrift
from cellops.stats.benjamini_hochberg import benjamini_hochberg
from cellops.stats.lord import lord

RATE = 0.05
"""The share of false alarms, where nobody says another."""


def alarmed(windows: Sequence[WindowDrift], rate: float = RATE) -> tuple[WindowDrift, ...]:
    r"""The windows, each with its alarm; those in which nothing was judged have none, and cost nothing.

    A window has one p-value, Simes' over all its columns, its output and the relations between columns,

    .. math:: p = \min_i \, m p_{(i)} / i

    in which a column that has not moved by at least a moderate effect counts as 1: an alarm needs effect and
    significance. Windows are tested in the order of time at the levels of `cellops.stats.lord`. These depend on
    earlier windows alone, so that an alarm, or its absence, stands when later windows come.

    LORD++, and not SAFFRON or alpha-investing, because windows are not independent: all of them are compared with
    the same reference. Up to the first alarm the levels of LORD++ sum to no more than half of the rate whatever the
    p-values are. Whatever the dependence between windows, a model that never drifts therefore raises any alarm at all
    with no more than half that probability. What the others spend depends on the p-values themselves, and on their
    independence. After an alarm that was true, the false discovery rate holds for windows that are independent or
    locally positively dependent.

    Parameters
    ----------
    windows
        With the results of their columns.
    rate
        The false discovery rate of the alarms to stay below at any time, between 0 and 1.

    Raises
    ------
    InputError
        When the rate is not between 0 and 1.

    References
    ----------
    Simes, An improved Bonferroni procedure for multiple tests of significance, Biometrika 73 (1986), which holds for
    columns that depend on each other positively: Sarkar, Ann. Statist. 26 (1998); Ramdas, Yang, Wainwright and Jordan,
    Online control of the false discovery rate with decaying memory, NIPS (2017), for LORD++; Fisher, Online false
    discovery rate control for LORD++ and SAFFRON under positive, local dependence, Biom. J. 66 (2024).
    """
    p_values = [_p_value(window) for window in windows]
    tested = [place for place in _in_time(windows) if p_values[place] is not None]
    in_turn = [p for place in tested if (p := p_values[place]) is not None]
    alarms = {
        place: Alarm(p_value=p, level=level, raised=p <= level)
        for place, p, level in zip(tested, in_turn, lord(in_turn, level=rate).tolist(), strict=True)
    }
    return tuple(window.replace(alarm=alarms.get(place)) for place, window in enumerate(windows))


def _in_time(windows: Sequence[WindowDrift]) -> list[int]:
    """The places of the windows, the earliest first; as they are given where one has no time."""
    starts = [window.start for window in windows if window.start is not None]
    if len(starts) < len(windows):
        return list(range(len(windows)))
    return sorted(range(len(windows)), key=starts.__getitem__)


def _p_value(window: WindowDrift) -> float | None:
    columns = [column for column in (*window.columns, window.output, window.relations) if column is not None]
    p_values = [_if_it_moved(aspect) for column in columns for aspect in aspects(column)]
    return float(benjamini_hochberg(p_values).min()) if p_values else None


def _if_it_moved(aspect: Aspect) -> float:
    """The p-value, or 1 where the effect is less than moderate, or there is no test."""
    return 1.0 if aspect.p_value is None or not aspect.moderate else aspect.p_value
