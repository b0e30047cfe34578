"""What stands in the way of repeating a cell or a run."""

from collections.abc import Iterable
from typing import Any

from cellops.capture.randomness.rng import GLOBAL
from cellops.records.cell import GeneratorUse
from cellops.records.finding import Finding, Severity
from cellops.records.run import CodeVersion, DataFingerprint

SEEDERS = {"numpy": "np.random.seed(7)", "python": "random.seed(7)", "torch": "torch.manual_seed(7)"}
MOST_NAMES = 3
"""Files that a finding names before the rest is only counted."""


def unseeded_randomness(generators: Iterable[GeneratorUse], where: str) -> list[Finding]:
    """Generators that were consumed without having been seeded."""
    return [_unseeded(use.name, where) for use in generators if use.consumed and not use.seeded]


def _unseeded(name: str, where: str) -> Finding:
    is_shared = name.partition(".")[0] in GLOBAL
    made = f"the generator {name} was made without a seed, and used"
    return Finding(
        code="unseeded-randomness",
        severity=Severity.WARNING,
        where=where,
        seen=f"the global generator of {name} was used and had not been seeded" if is_shared else made,
        remedy=_seeding(name) if is_shared else f"Give {name} a seed where it is made",
    )


def _seeding(name: str) -> str:
    """How a global generator is seeded; the option of a run does that for the run's own cell only."""
    seeder = SEEDERS.get(name.partition(".")[0], "its seed")
    return f"Seed it in this cell or above: {seeder}; in a run's own cell, %%mlops run --seed 7 seeds all"


def unnamed_generators(calls: Iterable[str], where: str) -> list[Finding]:
    """Generators that a cell's source makes without a seed and does not give a name to."""
    return [
        Finding(
            code="unseeded-randomness",
            severity=Severity.WARNING,
            where=where,
            seen=f"{call} makes a generator without a seed, and no name of the notebook stands for it",
            remedy=f"Give it a seed: {call.partition('(')[0]}(7)",
        )
        for call in dict.fromkeys(calls)
    ]


def generators_not_read(names: int, most: int, where: str) -> Finding:
    """More names stand for generators than are read in each cell."""
    return Finding(
        code="generators-not-read",
        severity=Severity.INFO,
        where=where,
        seen=f"{names} names stand for random generators; of those that a cell does not name, {most} are read",
        remedy="Name a generator in the cell that draws from it, or keep them in a list: Generator.spawn gives one",
    )


def unseeded_estimators(name: str, estimator: Any, where: str) -> list[Finding]:
    """Estimators of a model whose `random_state` is None, and which take their randomness from elsewhere then."""
    try:
        parameters = estimator.get_params(deep=True)
    except Exception:  # noqa: BLE001 - user code runs here
        return []
    owners = {"": estimator, **parameters}
    unseeded = sorted(
        place
        for place, value in parameters.items()
        if place.rpartition("__")[2] == "random_state"
        and value is None
        and not _has_a_constant_seed(owners.get(place.rpartition("__")[0]))
    )
    return [unseeded_estimator(name, unseeded, where)] if unseeded else []


def _has_a_constant_seed(estimator: object) -> bool:
    """Whether an estimator draws the same numbers each time where it is given no seed."""
    return type(estimator).__module__.partition(".")[0] in {"xgboost", "lightgbm"}


def unseeded_estimator(name: str, parameters: Iterable[str], where: str) -> Finding:
    return Finding(
        code="unseeded-estimator",
        severity=Severity.WARNING,
        where=where,
        seen=f"{name} draws randomness of its own: {', '.join(parameters)} is None",
        remedy="Set random_state to a number",
    )


def metrics_uncertain(names: Iterable[str], where: str) -> list[Finding]:
    """Metrics of which nobody can say whether the run computed them or they stood there before it."""
    return [
        Finding(
            code="metric-uncertain",
            severity=Severity.INFO,
            where=where,
            seen=f"{name} is the same object as before the run, that binds it in a branch: it may be of another cell",
            remedy=f"Bind {name} in the run outside of branches and loops too, before them: {name} = None",
        )
        for name in names
    ]


def metrics_not_finite(names: Iterable[str], where: str) -> list[Finding]:
    """Computed numbers that are NaN or infinite, which no store can compare."""
    return [
        Finding(
            code="metric-not-finite",
            severity=Severity.WARNING,
            where=where,
            seen=f"{name} came out as NaN or infinite and was not logged",
            remedy="Look at what it is computed from",
        )
        for name in names
    ]


def evaluated_on_training_data(data: Iterable[DataFingerprint], where: str) -> list[Finding]:
    """Tables that have the same content in training and in evaluation, which says nothing of new data."""
    tables = [table for table in data if table.method == "full" and table.columns > 1]
    seen = {table.digest: table.name for table in tables if table.role == "training"}
    return [
        Finding(
            code="evaluated-on-training-data",
            severity=Severity.WARNING,
            where=where,
            seen=f"{table.name} is evaluated on and was trained on: it has the content of {seen[table.digest]}",
            remedy="Evaluate on rows that the model has not seen",
        )
        for table in tables
        if table.role == "evaluation" and table.digest in seen
    ]


def uncommitted_code(code: CodeVersion | None, where: str) -> list[Finding]:
    """Code that no commit holds: the patch is kept, within its limit."""
    if code is None:
        return [
            Finding(
                code="no-repository",
                severity=Severity.INFO,
                where=where,
                seen="the project is not in a git repository",
                remedy="Run git init and commit, so that a run can name its code",
            )
        ]
    if code.patch_truncated:
        return [
            Finding(
                code="patch-truncated",
                severity=Severity.WARNING,
                where=where,
                seen="the uncommitted changes are larger than the part of them that is kept",
                remedy="Commit before the run, or raise CELLOPS_PATCH_LIMIT",
            )
        ]
    if code.dirty:
        changed = "the work tree had uncommitted changes; their patch is kept with the run"
        return [
            Finding(
                code="uncommitted-code",
                severity=Severity.INFO,
                where=where,
                seen=changed if code.patch_digest else f"git does not track {_few(sorted(code.untracked))}",
                remedy="Commit before a run that matters",
            )
        ]
    return []


def _few(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
