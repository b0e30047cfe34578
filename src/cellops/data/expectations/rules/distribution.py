"""The rules on how the values of a column are distributed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.expectations.column import NUMBERS, Column
from cellops.data.expectations.rule import ColumnRule, Judgement, require_number
from cellops.data.expectations.rules.sets import ELEMENT
from cellops.data.expectations.table import Table
from cellops.errors import ExpectationError, InputError
from cellops.records.profile import ColumnProfile
from cellops.stats.psi import psi

Weights = npt.NDArray[np.float64]
EXAMPLE = 'For example: {"bins": [0, 10, 20], "weights": [0.4, 0.6]}, or {"values": ["a", "b"], "weights": [0.4, 0.6]}'
TOLERANCE = 1e-5


@dataclass(frozen=True)
class DistributionRule(ColumnRule):
    """A rule on the distance from a partition: bins or values with their weights."""

    partition_object: dict[str, Any]
    threshold: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("threshold", self.threshold, "For example: threshold=0.1")
        if self.threshold < 0 or not _complete(self.partition_object):
            fact = "partition_object must give ascending bins or distinct values, and a weight for each"
            raise ExpectationError(fact, received=self.partition_object, remedy=EXAMPLE)

    def counted(self, table: Table) -> Column:
        """The column, of which there must be values, and of numbers where there are bins."""
        column = table.column(self.column)
        if "bins" in self.partition_object:
            column.refuse_other_than(*NUMBERS)
        if not column.count:
            fact = f"Column {self.column} has no values, so they are not distributed"
            raise InputError(fact, remedy="Look for why all of them are missing", column=self.column)
        return column

    @property
    def weights(self) -> Weights:
        return np.asarray(self.partition_object["weights"], dtype=np.float64)


@dataclass(frozen=True)
class KLDivergenceBelow(DistributionRule):
    """The Kullback-Leibler divergence of the column from a partition is at most the threshold.

    What lies beyond the bins, or is none of the values, has the weight of `tail_weight_holdout`; bins without weight
    share that of `internal_weight_holdout`. Without these, such values make the divergence infinite.
    """

    tail_weight_holdout: float = 0
    internal_weight_holdout: float = 0

    name = "expect_column_kl_divergence_to_be_less_than"

    def __post_init__(self) -> None:
        super().__post_init__()
        for argument in ("tail_weight_holdout", "internal_weight_holdout"):
            held = getattr(self, argument)
            require_number(argument, held, "Give a share from 0 to 1")
            if not 0 <= held <= 1:
                fact = f"{argument} must be a share from 0 to 1"
                raise ExpectationError(fact, received=held, remedy=f"For example: {argument}=0.01")
        tails = np.sum(self.partition_object.get("tail_weights", 0))
        if abs(self.weights.sum() + tails - 1) > TOLERANCE:
            fact = "The weights of partition_object must add up to 1"
            raise ExpectationError(fact, received=self.partition_object, remedy=EXAMPLE)

    def judge(self, table: Table) -> Judgement:
        column = self.counted(table)
        observed, expected = self._binned(column) if "bins" in self.partition_object else self._listed(column)
        with np.errstate(all="ignore"):
            p, q = observed / observed.sum(), expected / expected.sum()
            divergence = float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))
        return Judgement(table.rows, holds=divergence <= self.threshold, observed=divergence)

    def _binned(self, column: Column) -> tuple[Weights, Weights]:
        bins, values = np.asarray(self.partition_object["bins"], dtype=np.float64), column.ordered
        inside, _ = np.histogram(values[np.isfinite(values)], bins)
        below = np.searchsorted(values, bins[0], side="left")
        above = len(values) - np.searchsorted(values, bins[-1], side="right")
        expected = self.weights * (1 - self.tail_weight_holdout - self.internal_weight_holdout)
        empty = expected == 0
        if self.internal_weight_holdout and empty.any():
            expected[empty] = self.internal_weight_holdout / np.count_nonzero(empty)
        tails = self.partition_object.get("tail_weights", [self.tail_weight_holdout / 2] * 2)
        return np.array([below, *inside, above]) / len(values), np.array([tails[0], *expected, tails[1]])

    def _listed(self, column: Column) -> tuple[Weights, Weights]:
        if self.internal_weight_holdout:
            fact = "internal_weight_holdout is for bins, not for values"
            raise InputError(fact, remedy="Leave it out", column=self.column)
        counts = dict(zip(column.coded[1].tolist(), column.counts.tolist(), strict=True))
        named = self.partition_object["values"]
        others = [rows for value, rows in counts.items() if value not in set(named) and rows]
        expected = self.weights * (1 - self.tail_weight_holdout) if others else self.weights
        rest = [self.tail_weight_holdout / max(len(others), 1)] * len(others)
        observed = np.array([*(counts.get(value, 0) for value in named), *others]) / column.count
        return observed, np.array([*expected, *rest])


@dataclass(frozen=True)
class PSIBelow(DistributionRule):
    """The population stability index between the column and a partition is at most the threshold.

    The partition may be the profile of a column. Its outer bins are open, values that it does not name are one more
    class, and weights are taken relative to their sum. A rule of cellops; Great Expectations has none of this kind.
    """

    threshold: float = 0.2

    name = "expect_column_population_stability_index_to_be_less_than"

    def judge(self, table: Table) -> Judgement:
        column = self.counted(table)
        counts = self._binned(column) if "bins" in self.partition_object else self._listed(column)
        weights = self.weights if len(counts) == len(self.weights) else np.append(self.weights, 0.0)
        result = psi(weights / weights.sum() * counts.sum(), counts)
        return Judgement(
            table.rows, holds=result.value is not None and result.value <= self.threshold, observed=result.value
        )

    def _binned(self, column: Column) -> Weights:
        inner = np.searchsorted(column.ordered, self.partition_object["bins"][1:-1], side="left")
        return np.diff(np.array([0, *inner, column.count], dtype=np.float64))

    def _listed(self, column: Column) -> Weights:
        counts = dict(zip(map(_key, column.coded[1].tolist()), column.counts.tolist(), strict=True))
        inside = [counts.get(_key(value), 0) for value in self.partition_object["values"]]
        return np.array([*inside, column.count - sum(inside)], dtype=np.float64)


def partition_of(profile: ColumnProfile) -> dict[str, Any] | None:
    """The frozen bins of a profile as a partition; None where it has none."""
    bins = profile.bins
    if bins is None or not sum(bins.counts):
        return None
    if bins.edges is not None:
        return {"bins": list(bins.edges), "weights": list(bins.counts)}
    return {"values": list(bins.categories or ()), "weights": list(bins.counts)}


def _key(value: object) -> str:
    """A value as the categories of profiles have it."""
    return str(value)


def _complete(given: object) -> bool:
    if not isinstance(given, dict) or not set(given) <= {"bins", "values", "weights", "tail_weights"}:
        return False
    weights = given.get("weights")
    if not isinstance(weights, list) or not _numbers(weights) or min(weights) < 0 or not sum(weights):
        return False
    if ("bins" in given) == ("values" in given):
        return False
    if "bins" in given:
        bins, tails = given["bins"], given.get("tail_weights", [0, 0])
        ends = _numbers(tails) and len(tails) == 2  # noqa: PLR2004 - below and above
        return ends and _numbers(bins) and len(bins) == len(weights) + 1 and bool((np.diff(bins) > 0).all())
    values = given["values"]
    listed = isinstance(values, list) and all(isinstance(value, ELEMENT) for value in values)
    return listed and "tail_weights" not in given and len(set(values)) == len(values) == len(weights)


def _numbers(given: Any) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in given)
    )
