"""From a run to a package: the model that it logged, with the contract that it left."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.environment.processes import terminable
from cellops.capture.temporary import temporary_folder
from cellops.errors import NotFoundError, PackageError
from cellops.flows.garbage import left_alone
from cellops.flows.model_format import Source, in_format, require_known
from cellops.flows.provenance import provenance_of
from cellops.flows.runs import NEWEST, proof_waits, runs, show
from cellops.flows.sync import refuse, sync
from cellops.records.base import Record
from cellops.records.contract import Contract, Personal
from cellops.records.finding import Finding
from cellops.records.package import Manifest, Provenance
from cellops.records.proof import Proof
from cellops.records.run import Environment, RunClosed, RunSummary
from cellops.settings import Settings, load, prepare

if TYPE_CHECKING:
    from cellops.tracking.files import StoredFiles
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


@left_alone()
def package(
    run: str = "last",
    *,
    output: Path | None = None,
    name: str | None = None,
    format: str | None = None,  # noqa: A002 - as the option is called
    quantise: str | None = None,
    strict: bool = False,
    pii: Sequence[str] = (),
    settings: Settings | None = None,
) -> Packaged:
    """Export the model of a run as a package.

    Parameters
    ----------
    run
        The start of the run's key, its name, its MLflow id, or `last`.
    output
        The new folder, or archive; default is `.cellops/packages/RUN-KEY`.
    name
        What the package is called: servers take packages of one name for versions of one model. Default: as the
        folder, and where none is named as the run, with a hyphen for whatever a name cannot have.
    format
        `onnx` to serve the model as that, where it answers the same there; else, and by default, it stays in the format
        that the run has kept it in, and a finding says why. `pmml` to keep it as that beside the one that serves.
    quantise
        `int8` or `float16`, for the weights of a model in ONNX; the package keeps by how much its answers differ then.
    strict
        Refuse to build the package in another format than was asked for.
    pii
        Columns that tell of persons: `passenger` or `passenger=hash` to be logged as hashes, `passenger=drop` not at
        all; beside those that the notebook declares.

    Raises
    ------
    NotFoundError
        When there is no such run.
    TrackingError
        When the tracking store does not answer or did not take the run.
    PackageError
        When the run has no model or no contract, the output is there already with another content, the model does not
        go into the format though `strict` says so, has no input that is declared personal, or cannot have the name.
    UsageError
        When the format or precision is none that can be asked for.
    TrustError
        When the model is a pickle, or is made of types that the settings do not trust.
    """
    from cellops.packaging.build import build_package, require_free
    from cellops.packaging.load import read_contract
    from cellops.packaging.manifest import plain_name, require_name
    from cellops.tracking.files import StoredFiles

    settings = settings or load()
    require_known(format, quantise)
    if name is not None:
        require_name(name)
    if output is not None:
        require_free(output)
    summary = show(run, settings=settings)
    if not summary.synced:
        from cellops.tracking.store import Store

        summary = carried(Store(settings), summary)
    _carry_proofs(summary.run, settings)
    files = StoredFiles(settings)
    uri = model_uri(summary)
    target = output or prepare(settings.folder) / "packages" / f"{plain_name(summary.name)}-{summary.run[:8]}"
    with terminable(), temporary_folder() as temporary:
        try:
            source = _source(files, summary, uri, temporary, settings=settings, pii=pii)
            source, findings = in_format(
                source, format, temporary / "converted", settings, quantise=quantise, strict=strict
            )
        except OSError as error:
            fact = f"The run's model and records cannot be read, or copied to {temporary.parent}: {error.strerror}"
            raise PackageError(fact, remedy="Make room there, or set TMPDIR to another folder") from error
        built = build_package(
            source.folder,
            source.contract,
            source.environment,
            source.provenance,
            target,
            name=name or _name(output, summary),
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


def _name(output: Path | None, summary: RunSummary) -> str:
    """What a package is called where nobody says it."""
    from cellops.packaging.manifest import plain_name

    if output is None:
        return plain_name(summary.name)
    return plain_name(output.stem if output.suffix == ".zip" else output.name)


def _source(
    files: "StoredFiles", summary: RunSummary, uri: str, temporary: Path, *, settings: Settings, pii: Sequence[str]
) -> Source:
    held = _records(files, summary, temporary)
    return Source(
        files.of_model(uri, lambda: temporary / "model"),
        _declared(_contract(held), pii),
        Environment.from_file(held / "environment.json"),
        provenance_of(summary, held, _proofs(files, summary, temporary), settings.project),
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


def _carry_proofs(run: str, settings: Settings) -> None:
    """Let the tracking store have what `cellops verify` has just shown: the writer may still be on the way there."""
    if not proof_waits(run, settings):
        return
    result = sync(settings)
    if proof_waits(run, settings):
        refuse(result)


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


def _records(files: "StoredFiles", summary: RunSummary, folder: Path) -> Path:
    if summary.mlflow_run_id is None:
        fact = f"The run {summary.name} is not in the tracking store"
        raise PackageError(fact, remedy="Run: cellops sync")
    held = files.of_run(summary.mlflow_run_id, "cellops", lambda: folder)
    if not (held / "contract.json").exists():
        reasons = [f"{f.seen}. {f.remedy}" for f in summary.findings if f.code == "incomplete-evidence"]
        fact = f"The run {summary.name} has no contract"
        remedy = reasons[0] if reasons else "Name the tables: %%mlops run --train X_train,y_train --test X_test,y_test"
        raise PackageError(fact, remedy=remedy)
    return held


def _contract(held: Path) -> Contract:
    """The contract of a run, with what its gates have measured over groups of rows."""
    measured = RunClosed.from_file(held / "record.json").groups
    groups = tuple(figure for figure in measured if figure.groups)
    return Contract.from_file(held / "contract.json").replace(groups=groups)


def _declared(contract: Contract, pii: Sequence[str]) -> Contract:
    """The contract with the columns that are declared personal on the way."""
    from cellops.packaging.schema import with_personal

    ways = tuple(f"={way}" for way in Personal)
    parts = (given.rpartition("=") if given.endswith(ways) else (given, "=", Personal.HASH) for given in pii)
    return contract.replace(schema=with_personal(contract.schema, {name: Personal(way) for name, _, way in parts}))


def _proofs(files: "StoredFiles", summary: RunSummary, folder: Path) -> Iterator[Proof]:
    """What executing a run again has shown, as far as the store still has it."""
    if summary.proof is None or summary.mlflow_run_id is None:
        return
    with suppress(NotFoundError):
        for path in files.of_run(summary.mlflow_run_id, "proofs", lambda: folder).glob("*/proof.json"):
            yield Proof.from_file(path)
