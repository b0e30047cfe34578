"""Evidence that may be looked at at any time: what it promises, against enumeration, brute force and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from cellops.errors import InputError
from cellops.stats.difference import Difference, interval, p_value
from cellops.stats.latency_bins import WIDTH, bin_of, seconds_of
from cellops.stats.mean_difference import MeanDifference
from cellops.stats.mean_evidence import Losses, mean_evidence
from cellops.stats.quantile_ratio import QuantileRatio
from cellops.stats.share_difference import ShareDifference
from cellops.stats.share_evidence import share_evidence
from cellops.stats.share_interval import share_interval

sides = pytest.mark.parametrize("above", [True, False], ids=["above", "below"])
DIFFERENCES: dict[str, Difference] = {
    "shares": ShareDifference(40, 4000, 90, 3000),
    "means": MeanDifference(Losses(3000, 600.0, 480.0), Losses(2000, 500.0, 375.0)),
    "quantiles": QuantileRatio([100, 600, 250, 50, 0, 0], [50, 300, 500, 100, 30, 20], 0.9),
}
each = pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)


@sides
@pytest.mark.parametrize("share", [0.001, 0.3, 0.97])
def test_evidence_against_the_true_share_is_one_on_average(share: float, above: bool) -> None:
    trials = 60
    successes = np.arange(trials + 1.0)
    evidence = np.exp(share_evidence(successes, float(trials), share, above=above)[0])
    assert binom.pmf(successes, trials, share) @ evidence == pytest.approx(1.0)


@sides
def test_evidence_against_the_true_mean_is_no_more_than_one_on_average(above: bool) -> None:
    values, chances = (0.0, 0.3, 1.0), (0.5, 0.3, 0.2)
    mean = float(np.dot(values, chances))
    expected = 0.0
    for places in itertools.product(range(3), repeat=6):
        rows = [values[place] for place in places]
        guesses = [(0.5 + sum(rows[:at])) / (1 + at) for at in range(6)]
        surprise = sum((row - guess) ** 2 for row, guess in zip(rows, guesses, strict=True))
        evidence, _ = mean_evidence(Losses(6, sum(rows), surprise), mean, above=above)
        expected += math.prod(chances[place] for place in places) * math.exp(evidence)
    assert 0.5 < expected <= 1.0


def test_looking_after_every_trial_errs_no_more_often_than_stated() -> None:
    failed = np.random.default_rng(3).random((2, 100, 400)) < 0.05
    trials = np.arange(1.0, 401)
    counts = failed.cumsum(axis=-1)
    equal = ShareDifference(
        counts[0], np.broadcast_to(trials, counts[0].shape), counts[1], np.broadcast_to(trials, counts[1].shape)
    )
    for against in (equal.against_at_most, equal.against_at_least):
        ever = (against(0.0) >= math.log(1 / 0.1)).any(axis=-1)
        assert ever.mean() <= 0.1


def test_a_quantile_with_ties_and_heavy_tails_errs_no_more_often_than_stated() -> None:
    random = np.random.default_rng(4)
    places = np.minimum(np.floor(random.pareto(0.8, (2, 50, 300))), 12)
    counts = (places[..., None] == np.arange(13)).cumsum(axis=-2)
    equal = QuantileRatio(counts[0], counts[1], 0.8)
    for against in (equal.against_at_most, equal.against_at_least):
        ever = (against(0.0) >= math.log(1 / 0.1)).any(axis=-1)
        assert ever.mean() <= 0.1


def test_the_least_pair_is_found() -> None:
    random = np.random.default_rng(5)
    for _ in range(10):
        trials, others = 10 ** random.uniform(1, 6, 2)
        arms = (random.random() ** 4 * trials, trials, random.random() ** 4 * others, others)
        seen = ShareDifference(*arms)
        d = float(random.uniform(-0.5, 0.5))
        shares = np.linspace(max(0.0, -d), min(1.0, 1.0 - d), 4001)
        first = share_evidence(arms[0], arms[1], shares, above=False)[0]
        least = (first + share_evidence(arms[2], arms[3], shares + d, above=True)[0]).min()
        assert seen.against_at_most(d) <= least + 1e-6 + 1e-3 * abs(least)


def test_the_least_pair_of_bins_is_found() -> None:
    counts = DIFFERENCES["quantiles"]
    first, second = np.cumsum(counts.first), np.cumsum(counts.second)
    margin = 2.5
    pairs = [
        share_evidence(float(first[i - 1]) if i else 0.0, float(first[-1]), 0.9, above=True)[0]
        + share_evidence(float(second[j]), float(second[-1]), 0.9, above=False)[0]
        for i, j in itertools.product(range(6), repeat=2)
        if j - i < margin + 1
    ]
    assert counts.against_at_most(WIDTH**margin - 1) <= min(pairs)
    assert counts.against_at_most(WIDTH**margin - 1) == pytest.approx(min(pairs), abs=1e-9)


@each
def test_the_interval_ends_where_the_evidence_is_enough(difference: Difference) -> None:
    low, high = interval(difference, 0.95)
    enough, a_bit = math.log(2 / 0.05), 1e-4 * (high - low)
    least, most = difference.ends
    assert least < low < difference.value < high < most
    bin_or_bit = WIDTH - 1 if isinstance(difference, QuantileRatio) else a_bit
    assert difference.against_at_most(low - bin_or_bit) >= enough > difference.against_at_most(low + bin_or_bit)
    assert difference.against_at_least(high + bin_or_bit) >= enough > difference.against_at_least(high - bin_or_bit)


@each
def test_more_of_the_same_tells_more(difference: Difference) -> None:
    later = difference.scaled(4)
    assert later.value == pytest.approx(difference.value)
    (low, high), (later_low, later_high) = interval(difference, 0.95), interval(later, 0.95)
    assert later_high - later_low <= high - low


def test_without_rows_nothing_is_known() -> None:
    for nothing in (ShareDifference(0, 0, 0, 0), MeanDifference(Losses(0, 0, 0), Losses(0, 0, 0))):
        assert interval(nothing, 0.95) == (-1.0, 1.0)
        assert nothing.against_at_most(0.0) == pytest.approx(0.0)


def test_an_interval_of_a_share_is_wider_than_one_that_is_looked_at_once() -> None:
    low, high = share_interval(30, 100, 0.95)
    assert low < 0.21
    assert high > 0.4
    assert share_interval(0, 50, 0.95)[0] == 0.0
    assert share_interval(50, 50, 0.95)[1] == 1.0


def test_a_p_value_is_at_most_one() -> None:
    assert p_value(-5.0, sides=2) == 1.0
    assert p_value(math.log(50), sides=2) == pytest.approx(0.04)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_beyond_zero_and_one_is_refused(level: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        interval(DIFFERENCES["shares"], level)


@pytest.mark.parametrize("seconds", [1e-9, 0.00123, 1.0, 59.9, 1e9])
def test_a_bin_holds_its_seconds(seconds: float) -> None:
    inside = min(max(seconds, 1e-6), 1e6)
    assert seconds_of(bin_of(seconds) - 1) < inside * (1 + 1e-9)
    assert inside <= seconds_of(bin_of(seconds)) * (1 + 1e-9)
