"""Budgets of false alarms over windows: what was decided stays, and few of the alarms are false."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.errors import InputError
from cellops.stats.alpha_investing import alpha_investing
from cellops.stats.lord import lord
from cellops.stats.saffron import saffron

RULES = [alpha_investing, lord, saffron]
every = pytest.mark.parametrize("rule", RULES, ids=lambda f: f.__name__)
streams = st.lists(st.one_of(st.floats(0, 1), st.floats(0, 1e-3)), max_size=40)


def written_out(p: list[float], alpha: float, *, rate: bool) -> list[float]:
    """LORD++ and SAFFRON as their papers write them, sum by sum."""
    gamma = (
        (lambda j: j**-1.6 * 0.4374901657744737)
        if rate
        else (lambda j: 0.07720838 * np.log(max(j, 2)) / (j * np.exp(np.sqrt(np.log(j)))))
    )
    levels: list[float] = []
    alarms: list[int] = []
    for t in range(1, len(p) + 1):

        def age(since: int, t: int = t) -> int:
            return t - since - (sum(x <= 0.5 for x in p[since : t - 1]) if rate else 0)

        total = alpha / 2 * gamma(age(0))
        for place, alarm in enumerate(alarms):
            total += (alpha / 2 if place == 0 else alpha) * gamma(age(alarm))
        levels.append(min(0.5, total / 2) if rate else total)
        if p[t - 1] <= levels[-1]:
            alarms.append(t)
    return levels


@settings(deadline=None)
@given(streams)
def test_levels_are_those_of_the_papers(p: list[float]) -> None:
    assert lord(p, level=0.1) == pytest.approx(np.array(written_out(p, 0.1, rate=False)), rel=1e-10)
    assert saffron(p, level=0.1) == pytest.approx(np.array(written_out(p, 0.1, rate=True)), rel=1e-10)


@every
@settings(deadline=None)
@given(streams, st.floats(0, 1))
def test_what_was_decided_stays_decided(rule, p: list[float], later: float) -> None:
    assert rule([*p, later])[: len(p)].tolist() == rule(p).tolist()
    assert all(0 <= level < 1 for level in rule(p))


@every
def test_quiet_windows_hardly_ever_raise_an_alarm(rule) -> None:
    streams = np.random.default_rng(0).random((300, 100))
    with_alarm = np.mean([np.any(p <= rule(p)) for p in streams])
    assert with_alarm <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


@every
def test_of_all_alarms_few_are_false(rule) -> None:
    random = np.random.default_rng(1)
    shares, found = [], []
    for _ in range(150):
        p, drifts = random.random(200), random.random(200) < 0.3
        p[drifts] = random.random(drifts.sum()) * 1e-3
        alarms = p <= rule(p)
        shares.append((alarms & ~drifts).sum() / max(alarms.sum(), 1))
        found.append((alarms & drifts).sum() / drifts.sum())
    assert np.mean(shares) <= 0.05
    assert np.mean(found) > 0.5


@every
@pytest.mark.parametrize("bad", [[1.2], [float("nan")], [[0.1]]])
def test_what_is_no_p_value_is_refused(rule, bad) -> None:
    with pytest.raises(InputError, match="P-values"):
        rule(bad)
    with pytest.raises(InputError, match="false alarms"):
        rule([0.1], level=1.5)
    assert rule([]).tolist() == []


def test_alpha_investing_never_owes_anything() -> None:
    levels = alpha_investing([0.0] * 30 + [0.97] + [0.0] * 3)

    assert (levels >= 0).all()
    assert levels[31] == 0
    assert levels[32] == pytest.approx(0.025)
