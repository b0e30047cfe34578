"""Requests by path and status, and how long they took, as the histogram of the metrics tells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from prometheus_client.samples import Sample

NAME = "cellops_request_seconds"
BY = ("model", "version", "route", "protocol")
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
OWN = "page"
"""The page's own reading, which would drown the rest."""


def traffic(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """One entry for each route of each model: requests by status, and quantiles of their seconds."""
    codes: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    buckets: dict[tuple[str, ...], dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for sample in samples:
        if not sample.name.startswith(NAME) or sample.labels["route"] == OWN:
            continue
        key = tuple(sample.labels[label] for label in BY)
        if sample.name == f"{NAME}_count":
            codes[key][sample.labels["code"]] = int(sample.value)
        elif sample.name == f"{NAME}_bucket":
            buckets[key][float(sample.labels["le"])] += sample.value
    return [
        dict(zip(BY, key, strict=True))
        | {"requests": sum(found.values()), "codes": dict(sorted(found.items()))}
        | {name: quantile(buckets[key], share) for name, share in SHARES.items()}
        for key, found in sorted(codes.items(), key=lambda item: -sum(item[1].values()))
    ]


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """A quantile from cumulative buckets, on a line within its bucket, as Prometheus tells it.

    Parameters
    ----------
    buckets
        Requests at or below each bound; the largest bound is infinite.
    share
        Of the requests, from 0 to 1.

    Returns
    -------
    float or None
        The largest finite bound where it lies beyond; None without requests.

    Examples
    --------
    >>> quantile({0.1: 2, 0.2: 4, inf: 4}, 0.75)
    0.15000000000000002
    """
    bounds = sorted(buckets)
    whole = buckets[bounds[-1]] if bounds else 0
    if not whole:
        return None
    low, below = 0.0, 0.0
    for bound in bounds:
        here = buckets[bound]
        if here >= share * whole and here > below:
            return low if bound == inf else low + (bound - low) * (share * whole - below) / (here - below)
        low, below = bound, here
    return low
