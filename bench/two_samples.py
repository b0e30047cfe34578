"""How fast the statistics of two samples are on a million values each, beside a sort of both and beside scipy.

Run it as `python bench/two_samples.py`. Minimum of the repetitions, values without ties and rounded to two digits.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import scipy.stats

from cellops.stats.anderson_darling import anderson_darling
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.energy_distance import energy_distance
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.wasserstein import wasserstein

ROWS = 1_000_000


def fastest(work: Callable[[], object], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2)
    repetitions = parser.parse_args().repetitions
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
