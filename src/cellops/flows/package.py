"""From a run to a package: the model that it logged, with the contract that it left."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import PackageError
from cellops.flows.model_format import Source, in_format, require_known
from cellops.flows.runs import NEWEST, runs, show
from cellops.flows.sync import refuse, sync
from cellops.records.base import Record
from cellops.records.contract import Contract
from cellops.records.finding import Finding
from cellops.records.package import Manifest, Provenance
from cellops.records.run import CodeVersion, Environment, RunClosed, RunSummary
from cellops.settings import Settings, load, prepare
from cellops.version import __version__

if TYPE_CHECKING:
    from cellops.tracking.store import Store


class Packaged(Record, frozen=True, kw_only=True):
    """A package that was built."""

    path: str
    run: RunSummary
    manifest: Manifest
    digest: str
    contract: Contract
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
    """Why the model is not in the format that was asked for."""
    alike: int = 1
    """How many runs bear the name by which the run was asked for; it is the newest of them."""


def package(
    run: str = "last",
    *,
    output: Path | None = None,
    format: str | None = None,  # noqa: A002 - as the option is called
    quantise: str | None = None,
    strict: bool = False,
    settings: Settings | None = None,
) -> Packaged:
    """Export the model of a run as a package.

    Parameters
    ----------
    run
        The start of the run's key, its name, its MLflow id, or `last`.
    output
        The new folder; default is `.cellops/packages/NAME-KEY`. The package is called as the folder is, with a hyphen
        for whatever a name cannot have.
    format
        `onnx` to serve the model as that, where it answers the same there; else, and by default, it stays in the format
        that the run has kept it in, and a finding says why. `pmml` to keep it as that beside the one that serves.
    quantise
        `int8` or `float16`, for the weights of a model in ONNX; the package keeps by how much its answers differ then.
    strict
        Refuse to build the package in another format than was asked for.

    Raises
    ------
    NotFoundError
        When there is no such run.
    TrackingError
        When the tracking store does not answer or did not take the run.
    PackageError
        When the run has no model or no contract, the output is there already with another content, or the model does
        not go into the format though `strict` says so.
    UsageError
        When the format or precision is none that can be asked for.
    TrustError
        When the model is a pickle, or is made of types that the settings do not trust.
    """
    from cellops.packaging.build import build_package, require_free
    from cellops.packaging.load import read_contract
    from cellops.packaging.manifest import plain_name
    from cellops.tracking.store import Store

    settings = settings or load()
    require_known(format, quantise)
    if output is not None:
        require_free(output)
    summary = show(run, settings=settings)
    store = Store(settings)
    if not summary.synced:
        summary = carried(store, summary)
    uri = model_uri(summary)
    target = output or prepare(settings.folder) / "packages" / f"{plain_name(summary.name)}-{summary.run[:8]}"
    with tempfile.TemporaryDirectory() as name:
        held = _records(store, summary, Path(name))
        source = Source(
            store.model(uri, Path(name) / "model"),
            Contract.from_file(held / "contract.json"),
            Environment.from_file(held / "environment.json"),
            _provenance(summary, held, settings.project),
        )
        source, findings = in_format(
            source, format, Path(name) / "converted", settings, quantise=quantise, strict=strict
        )
        built = build_package(
            source.folder,
            source.contract,
            source.environment,
            source.provenance,
            target,
            name=plain_name(target.stem if target.suffix == ".zip" else target.name),
            trusted_types=settings.trusted,
            allow_pickle=settings.allow_pickle,
        )
    verified = read_contract(built)
    return Packaged(
        path=str(built),
        run=summary,
        manifest=verified.manifest,
        digest=verified.digest,
        contract=verified.contract,
        provenance=verified.provenance,
        findings=findings,
        alike=1 if run != summary.name else sum(found.name == run for found in runs(settings, limit=NEWEST)),
    )


def carried(store: "Store", summary: RunSummary) -> RunSummary:
    """The run as the tracking store knows it, once it has been carried there.

    Raises
    ------
    TrackingError
        When the store does not take it.
    PackageError
        When it was recorded for another store.
    """
    result = sync(store.settings)
    found = store.run(summary.run)
    if found is None:
        refuse(result)
        fact = f"The run {summary.name} ({summary.run[:8]}) is not in the tracking store {store.settings.store}"
        raise PackageError(fact, remedy="Set MLFLOW_TRACKING_URI to the store that it was recorded for")
    return found


def model_uri(summary: RunSummary) -> str:
    """The address of the model of a run in MLflow; `PackageError` where it has none."""
    uri = next((uri for uri in summary.models.values() if uri), None)
    if uri is None:
        codes = {"model-not-logged", "model-waits", "incomplete-evidence"}
        reasons = [f.seen for f in summary.findings if f.code in codes]
        fact = f"The run {summary.name} ({summary.run[:8]}, {summary.status}) has no model"
        remedy = reasons[0] if reasons else "Fit an estimator in a cell that begins with %%mlops run"
        raise PackageError(fact, remedy=remedy)
    return uri


def _records(store: "Store", summary: RunSummary, folder: Path) -> Path:
    if summary.mlflow_run_id is None:
        fact = f"The run {summary.name} is not in the tracking store"
        raise PackageError(fact, remedy="Run: cellops sync")
    held = store.artifacts(summary.mlflow_run_id, "cellops", folder)
    if not (held / "contract.json").exists():
        reasons = [f"{f.seen}. {f.remedy}" for f in summary.findings if f.code == "incomplete-evidence"]
        fact = f"The run {summary.name} has no contract"
        remedy = reasons[0] if reasons else "Name the tables: %%mlops run --train X_train,y_train --test X_test,y_test"
        raise PackageError(fact, remedy=remedy)
    return held


def _notebook(path: str | None, project: Path) -> str | None:
    """The notebook from the project's folder on, or its name alone: a package says nothing of the machine."""
    if path is None:
        return None
    whole = (project / path).resolve()
    return whole.relative_to(project).as_posix() if whole.is_relative_to(project) else whole.name


def _provenance(summary: RunSummary, held: Path, project: Path) -> Provenance:
    closed = RunClosed.from_file(held / "record.json")
    code = CodeVersion.from_file(held / "code.json") if (held / "code.json").exists() else None
    return Provenance(
        run=summary.run,
        mlflow_run_id=summary.mlflow_run_id,
        notebook=_notebook(summary.notebook, project),
        commit=code.commit if code else None,
        dirty=code.dirty if code else False,
        seed=summary.seed,
        created=datetime.fromtimestamp(closed.ended, UTC).isoformat(timespec="seconds"),
        cellops=__version__,
        model_type=closed.models[0].type,
        model_format="skops",
    )
