"""Batches on a small model: trips, of which some break its rule."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cellops.data.batch.source import source
from cellops.data.batch.target import AddressTarget, target
from cellops.packaging.build import build_package
from cellops.packaging.load import LoadedPackage
from cellops.records.batch import BatchProgress, OnBad, Scored
from cellops.records.run import Environment
from cellops.serving.batch.batch import Batch, Performer
from cellops.serving.batch.part import PackedPart
from cellops.serving.batch.parts import Parts, Plan
from cellops.serving.batch.performers import alone
from cellops.serving.batch.scorer import Scorer, Wishes
from cellops.serving.policies import NOTHING, Declared
from cellops.settings import BUILT_IN_TRUSTED_TYPES, without_credentials
from support.loaded import _trained, loaded, trips
from support.provenance import PROVENANCE

RULE = 'expect_column_values_to_be_between("distance", 100, 5000, action="reject")'
ENVIRONMENT = Environment(
    python="3.11.7",
    implementation="CPython",
    platform="Linux",
    machine="x86_64",
    cpu="",
    cores=2,
    distributions={},
    local=(),
)


def table(rows: int = 1000) -> pd.DataFrame:
    """Trips with what the model does not take: their numbers."""
    made = trips(rows)
    made.insert(0, "trip", [f"T{number}" for number in range(rows)])
    return made


def package(folder: Path) -> Path:
    """The model of trips as a package."""
    import mlflow.sklearn

    model, contract = _trained("classification", tuple(trips(1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            model,
            folder / "model",
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=list(BUILT_IN_TRUSTED_TYPES),
        )
    suited = contract.replace(suite=loaded(RULE, task="classification").contract.suite)
    return build_package(folder / "model", suited, ENVIRONMENT, PROVENANCE, folder / "package", name="trips")


def batch(
    place: Path | str,
    output: Path | str,
    model: LoadedPackage | None = None,
    *,
    keep: tuple[str, ...] | None = None,
    on_bad: OnBad = OnBad.REFUSE,
    rows: int | None = 100,
    resume: bool = False,
    force: bool = False,
    declared: Declared = NOTHING,
    perform: Callable[[Performer], Performer] = lambda one: one,
    on_progress: Callable[[BatchProgress], None] = lambda _: None,
    profile_rows: int | None = None,
) -> Scored:
    """Score in this process by a model in memory."""
    model = model or loaded(RULE, task="classification")
    wishes = Wishes(keep=keep, on_bad=on_bad, profile_rows=profile_rows)
    put = target(str(output))
    plan = Plan(
        version="1",
        package=model.digest,
        source=without_credentials(str(place)),
        output=put.public,
        chunk_rows=rows,
        wishes=wishes,
    )
    one = Batch(
        source(str(place), put),
        perform(partial(alone, Scorer(model, declared, wishes))),
        put,
        model.contract,
        model.digest,
        plan.source,
        rows,
        on_progress,
        profile_rows,
    )
    folder = Path(f"{output}.parts") if isinstance(put, AddressTarget) else put.beside(".parts").path
    with Parts.opened(folder, plan, resume=resume, force=force, stands=put.stands()) as parts:
        return one.run(parts)


def stopping_after(count: int, error: BaseException) -> Callable[[Performer], Performer]:
    """Lets an error come after so many chunks."""

    def wrap(perform: Performer) -> Performer:
        def performed(chunks: Iterator[Any]) -> Iterator[PackedPart]:
            for number, part in enumerate(perform(chunks)):
                if number == count:
                    raise error
                yield part

        return performed

    return wrap


def digests(folder: Path, name: str) -> dict[str, str]:
    """Of the output and of everything beside it."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob(f"{name}*"))}
