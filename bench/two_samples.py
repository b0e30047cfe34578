"""How fast the statistics of two samples are on a million values each, beside a sort of both and beside scipy.

Run it as `python bench/two_samples.py`. Minimum of the repetitions, values without ties and rounded to two digits. With
`--stored` it measures all statistics of a column of a million values beside a stored profile, in seconds
of the processor, which others at work on the machine disturb less.
"""

import argparse
import time
import warnings

import numpy as np
import scipy.stats

from cellops.data.sketch import sketch
from cellops.stats.anderson_darling import anderson_darling
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.distribution import Distribution
from cellops.stats.energy_distance import energy_distance
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.normalised_wasserstein import normalised_wasserstein
from cellops.stats.samples import distribution
from cellops.stats.wasserstein import wasserstein
from timing import fastest

ROWS = 1_000_000


ALL = (
    kolmogorov_smirnov,
    wasserstein,
    normalised_wasserstein,
    cramer_von_mises,
    anderson_darling,
    energy_distance,
)


def all_of(reference: Distribution, values: np.ndarray) -> None:
    current = distribution(values)
    for statistic in ALL:
        statistic(reference, current)


def beside_a_profile(repetitions: int) -> None:
    """The sketch of 100,000 rows, as a grid and exact, which is read once for all windows."""
    random = np.random.default_rng(0)
    before, after = random.normal(size=100_000), random.normal(0.01, 1, ROWS)
    print("| stored profile | current values | np.sort, ms | all statistics, ms | ratio |\n|---|---|---|---|---|")
    for profile, rows, name, values in (
        ("grid", before, "no ties", after),
        ("exact", before.round(2), "no ties", after),
        ("exact", before.round(2), "two digits", after.round(2)),
    ):
        reference = distribution(sketch(rows))
        floor = fastest(lambda values=values: np.sort(values), repetitions, time.process_time)
        ours = fastest(
            lambda reference=reference, values=values: all_of(reference, values), repetitions, time.process_time
        )
        line = f"| {profile} | {name} | {floor * 1000:.1f} | {ours * 1000:.1f} | {ours / floor:.2f} |"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--stored", action="store_true", help="all statistics of a column beside a stored profile")
    repetitions, stored = parser.parse_args().repetitions, parser.parse_args().stored
    if stored:
        beside_a_profile(repetitions)
        return
    warnings.simplefilter("ignore")  # scipy says where its p-value is cut off
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, ROWS))
    peers = {
        anderson_darling: lambda a, b: scipy.stats.anderson_ksamp([a, b], variant="midrank"),
        cramer_von_mises: scipy.stats.cramervonmises_2samp,
        energy_distance: scipy.stats.energy_distance,
        kolmogorov_smirnov: scipy.stats.ks_2samp,
        wasserstein: scipy.stats.wasserstein_distance,
    }
    print("| statistic | values | ours, s | np.sort of both, s | scipy, s | of scipy |\n|---|---|---|---|---|---|")
    for name, a, b in (("no ties", x, y), ("two digits", x.round(2), y.round(2))):
        floor = fastest(lambda a=a, b=b: (np.sort(a), np.sort(b)), repetitions)
        for ours, peer in peers.items():
            mine = fastest(lambda f=ours, a=a, b=b: f(a, b), repetitions)
            theirs = fastest(lambda f=peer, a=a, b=b: f(a, b), repetitions)
            line = f"| {ours.__name__} | {name} | {mine:.2f} | {floor:.2f} | {theirs:.2f} | {mine / theirs:.2f} |"
            print(line, flush=True)


if __name__ == "__main__":
    main()
