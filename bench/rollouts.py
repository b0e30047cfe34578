"""How often the tests of a rollout err, and how much traffic they need.

Run it as `python bench/rollouts.py`; `--quick` repeats less often. Each rollout is made up of requests from known
distributions, and the judge's tests are looked at after EVERY request, until one decides or the requests end. A
challenger that is exactly as much worse as the margin allows is the hardest case of both errors: either decision on it
counts as false.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from cellops.records.rollout import RolloutRules
from cellops.serving.rollout.comparisons import ERRORS, LATENCY, QUALITY, levels
from cellops.stats.latency_bins import WIDTH
from cellops.stats.mean_difference import MeanDifference
from cellops.stats.mean_evidence import Losses
from cellops.stats.quantile_ratio import QuantileRatio
from cellops.stats.share_difference import ShareDifference

RULES = RolloutRules()
Floats = NDArray[np.float64]
Differences = Iterator[ShareDifference | QuantileRatio | MeanDifference]
CHUNK = 250
"""Requests of each rollout at a time; the tests are made at each of them all the same."""
ROLLOUTS = {ERRORS: 100, LATENCY: 40, QUALITY: 100}
SPREAD = 0.5
"""Of the logarithm of the seconds."""


@dataclass(frozen=True)
class Case:
    """A challenger, and how its rollouts are made up."""

    name: str
    respect: str
    margin: float
    share: float
    """That the challenger takes of the traffic."""
    most: int
    """Requests, after which a rollout counts as undecided."""
    draw: Callable[["Case", np.random.Generator, int], Differences]
    is_false: tuple[str, ...]
    """The decisions on it that are wrong."""


def errors(
    case: Case, random: np.random.Generator, rollouts: int, *, champion: float, challenger: float
) -> Differences:
    sums = np.zeros((4, rollouts, 1))
    for _ in range(0, case.most, CHUNK):
        other = random.random((rollouts, CHUNK)) < case.share
        failed = random.random((rollouts, CHUNK)) < np.where(other, challenger, champion)
        counted = np.stack([failed & ~other, ~other, failed & other, other]).cumsum(axis=-1) + sums
        sums = counted[..., -1:]
        yield ShareDifference(*counted)


def latency(case: Case, random: np.random.Generator, rollouts: int, *, slower: float, tail: str) -> Differences:
    """Seconds from a lognormal or a Pareto distribution whose mean is finite, but not its variance."""
    quantile = RULES.latency_quantile
    sums = np.zeros((2, rollouts, 1, 1))
    middle = _seconds(tail, np.array(quantile))
    least, most = np.floor(np.log(middle * 0.8) / np.log(WIDTH)), np.ceil(np.log(middle * 2) / np.log(WIDTH))
    places = np.arange(least, most + 1)
    for _ in range(0, case.most, CHUNK):
        other = random.random((rollouts, CHUNK)) < case.share
        seconds = _seconds(tail, random.random((rollouts, CHUNK))) * np.where(other, slower, 1.0)
        # What is far from the quantile may be anywhere as far: this keeps the bins few.
        bins = np.clip(np.ceil(np.log(seconds) / np.log(WIDTH)), least, most)
        hit = bins[..., None] == places
        counted = np.stack([hit & ~other[..., None], hit & other[..., None]]).cumsum(axis=-2) + sums
        sums = counted[..., -1:, :]
        yield QuantileRatio(counted[0], counted[1], quantile, int(least))


def quality(
    case: Case, random: np.random.Generator, rollouts: int, *, champion: float, challenger: float
) -> Differences:
    sums = np.zeros((2, 3, rollouts, 1))
    for _ in range(0, case.most, CHUNK):
        other = random.random((rollouts, CHUNK)) < case.share
        wrong = (random.random((rollouts, CHUNK)) < np.where(other, challenger, champion)).astype(np.float64)
        arms = []
        for place, mine in enumerate((~other, other)):
            rows, total = mine.cumsum(axis=-1) + sums[place, 0], (wrong * mine).cumsum(axis=-1) + sums[place, 1]
            guess = (0.5 + total - wrong * mine) / (1 + rows - mine)
            surprise = (mine * (wrong - guess) ** 2).cumsum(axis=-1) + sums[place, 2]
            arms.append(np.stack([rows, total, surprise]))
        sums = np.stack([arm[..., -1:] for arm in arms])
        yield MeanDifference(Losses(*arms[0]), Losses(*arms[1]))


def _seconds(tail: str, share: Floats) -> Floats:
    """The quantile function."""
    if tail == "Pareto":
        return 0.02 * (1 - share) ** (-1 / 1.5)
    from scipy.special import ndtri

    seconds: Floats = 0.02 * np.exp(SPREAD * ndtri(share))
    return seconds


def rolled_out(case: Case, rollouts: int, seed: int) -> tuple[list[str], Floats]:
    """What each rollout came to, and after how many requests."""
    worse_at, fine_at = levels(RULES)
    random = np.random.default_rng(seed)
    ended, after = np.full(rollouts, "open", dtype="<U8"), np.full(rollouts, float(case.most))
    for chunk, seen in enumerate(case.draw(case, random, rollouts)):
        decided = [reached(seen, case.margin, worse_at, above=True), reached(seen, case.margin, fine_at, above=False)]
        either = decided[0] | decided[1]
        first = either.argmax(axis=-1)
        fresh = either.any(axis=-1) & (ended == "open")
        rows = np.arange(rollouts)
        ended = np.where(fresh, np.where(decided[0][rows, first], "rollback", "promote"), ended)
        after = np.where(fresh, chunk * CHUNK + first + 1, after)
        if (ended != "open").all():
            break
    return ended.tolist(), after


def reached(seen: Any, margin: float, at: float, *, above: bool) -> NDArray[np.bool_]:
    """Where the evidence is enough: it is no more than that against any one pair, so most need no closer look."""
    against = "against_at_most" if above else "against_at_least"
    if isinstance(seen, QuantileRatio):
        return np.asarray(getattr(seen, against)(margin) >= at)
    first, second = seen.arms
    rows = [np.asarray(arm.trials if isinstance(seen, ShareDifference) else arm.losses.rows) for arm in (first, second)]
    mean = (first.mean * rows[0] + (second.mean - margin) * rows[1]) / np.maximum(rows[0] + rows[1], 1)
    mean = np.clip(mean, max(0.0, -margin), min(1.0, 1.0 - margin))
    most = first.evidence(mean, above=not above)[0] + second.evidence(mean + margin, above=above)[0]
    found = most >= at
    found[found] = getattr(picked(seen, found), against)(margin) >= at
    return np.asarray(found)


def picked(seen: Any, places: NDArray[np.bool_]) -> Any:
    if isinstance(seen, ShareDifference):
        return ShareDifference(
            seen.first[places], seen.first_trials[places], seen.second[places], seen.second_trials[places]
        )
    return MeanDifference(*(Losses(*(part[places] for part in arm)) for arm in (seen.first, seen.second)))


def rates(quick: bool) -> Iterator[tuple[list[str], Floats]]:
    with ProcessPoolExecutor(2) as pool:
        several = tuple(cases())
        rollouts = [ROLLOUTS[case.respect] // (5 if quick else 1) for case in several]
        yield from pool.map(rolled_out, several, rollouts, range(len(several)))


def cases() -> Iterator[Case]:
    both, back, on = ("promote", "rollback"), ("rollback",), ("promote",)
    for share, most in ((0.5, 10_000), (0.05, 40_000)):
        for name, challenger, false in (
            ("worse by just the margin", 0.03, both),
            ("the same", 0.02, back),
            ("5% errors", 0.05, on),
            ("fails always", 1.0, on),
        ):
            draw = partial(errors, champion=0.02, challenger=challenger)
            yield Case(f"{name}, takes {share:.0%}", ERRORS, 0.01, share, most, draw, false)
    for name, slower, tail, false in (
        ("worse by just the margin", 1.2, "lognormal", both),
        ("worse by just the margin", 1.2, "Pareto", both),
        ("the same", 1.0, "lognormal", back),
        ("half slower", 1.5, "lognormal", on),
        ("3 times slower", 3.0, "lognormal", on),
        ("3 times slower", 3.0, "Pareto", on),
    ):
        draw = partial(latency, slower=slower, tail=tail)
        yield Case(f"{name}, {tail}", LATENCY, 0.2, 0.5, 4_000, draw, false)
    for name, challenger, false in (
        ("worse by just the margin", 0.25, both),
        ("the same", 0.2, back),
        ("10% more wrong", 0.3, on),
    ):
        draw = partial(quality, champion=0.2, challenger=challenger)
        yield Case(name, QUALITY, 0.05, 0.5, 8_000, draw, false)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="A fifth of the rollouts.")
    quick = parser.parse_args().quick
    worse_at, fine_at = levels(RULES)
    limits = {"promote": math.exp(-fine_at), "rollback": math.exp(-worse_at)}
    print(f"Stated: false promotions {limits['promote']:.2%} of stages, false rollbacks {RULES.rollback_level:.0%} of")
    print(f"rollouts, so {limits['rollback']:.3%} of each test in each stage. Looked at after every request.\n")
    print(
        "| respect | challenger | rollouts | promoted | rolled back | open | false, and 95% interval | mean requests |"
    )
    print("|---|---|---|---|---|---|---|---|")
    broken = []
    for case, (ended, after) in zip(cases(), rates(quick), strict=True):
        rollouts = len(ended)
        shares = {each: ended.count(each) / rollouts for each in ("promote", "rollback", "open")}
        false = sum(ended.count(each) for each in case.is_false)
        test = binomtest(false, rollouts)
        low, high = test.proportion_ci()
        limit = sum(limits[each] for each in case.is_false)
        if low > limit:
            broken.append(case.name)
        print(
            f"| {case.respect} | {case.name} | {rollouts} | {shares['promote']:.0%} | {shares['rollback']:.0%} "
            f"| {shares['open']:.0%} | {false / rollouts:.1%} ({low:.1%} to {high:.1%}) | {after.mean():,.0f} |",
            flush=True,
        )
    sys.exit(f"More often false than stated: {', '.join(broken)}" if broken else 0)


if __name__ == "__main__":
    main()
