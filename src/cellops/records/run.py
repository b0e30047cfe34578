from enum import StrEnum
from typing import Self

from cellops.records.base import Record, Value
from cellops.records.contract import Contract
from cellops.records.environment import SHA256, Origin, ThreadPool, is_pin
from cellops.records.figure import FigureSpool
from cellops.records.file import FileUse
from cellops.records.finding import Finding
from cellops.records.gate import GateFigure, GateResult
from cellops.records.module import ModuleSource
from cellops.records.slice import Slice
from cellops.records.split import Overlap, Split
from cellops.records.step_progress import StepExecuted


class RunStatus(StrEnum):
    """The states of MLflow's runs."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class CodeVersion(Record, frozen=True, kw_only=True):
    """Which code ran: the commit and what the work tree had on top of it."""

    root: str
    commit: str | None
    branch: str | None
    dirty: bool
    patch_digest: str | None = None
    """SHA-256 of `git diff HEAD`, capped and without secrets; None when clean."""
    patch_path: str | None = None
    """Where the patch stands, on its way to the tracking store: once for all runs that have the same."""
    patch_truncated: bool = False
    untracked: dict[str, str] = {}
    """Untracked Python files and notebooks with their SHA-256, so that uncommitted code is at least named."""


class Environment(Record, frozen=True, kw_only=True):
    """In what the code ran."""

    python: str
    implementation: str
    platform: str
    machine: str
    cpu: str
    cores: int
    usable_cores: int | None = None
    """The cores that the kernel may use."""
    thread_pools: tuple[ThreadPool, ...] = ()
    gpus: tuple[str, ...] = ()
    distributions: dict[str, str] = {}
    """Name and version of every installed distribution, sorted; `name==version` lines are the lock."""
    local: tuple[str, ...] = ()
    """Distributions that no index can bring: editable ones and those installed from a path or a repository."""
    origins: dict[str, Origin] = {}
    hashes: dict[str, tuple[str, ...]] = {}
    """SHA-256 of the archive that a distribution was installed from, or of those that it may have been."""
    imported: tuple[str, ...] = ()
    """Distributions of which the kernel had imported something."""
    variables: dict[str, str] = {}
    """Environment variables that change what libraries compute."""

    def lock(self) -> str:
        """A requirements file that pins every distribution an index can bring, without an index address.

        pip takes hashes for all or for none: where one has none, the others stand in comments, as do distributions
        that no index can bring, and those whose name or version pip would not read.
        """
        others = {name: version for name, version in self.distributions.items() if name not in self.local}
        pinned = {name: version for name, version in others.items() if is_pin(name, version)}
        hashed = bool(pinned) and all(self._hashes_of(name) for name in pinned)
        lines = [f"{n}=={v}{self._hash_options(n, ' ' if hashed else '  # ')}" for n, v in sorted(pinned.items())]
        notes = [f"of no index: {name}=={self.distributions[name]}{self._commit_of(name)}" for name in self.local]
        notes += [f"no version that pip reads: {n}=={v}" for n, v in sorted(others.items()) if n not in pinned]
        return "\n".join([*lines, *(f"# {' '.join(note.split())}" for note in notes)]) + "\n"

    def _hashes_of(self, name: str) -> tuple[str, ...]:
        origin = self.origins.get(name)
        found = (origin.sha256,) if origin is not None and origin.sha256 else self.hashes.get(name, ())
        return found if all(map(SHA256.fullmatch, found)) else ()

    def _hash_options(self, name: str, before: str) -> str:
        options = " ".join(f"--hash=sha256:{held}" for held in self._hashes_of(name))
        return before + options if options else ""

    def _commit_of(self, name: str) -> str:
        origin = self.origins.get(name)
        return f" at commit {origin.commit}" if origin is not None and origin.commit else ""


class DataFingerprint(Record, frozen=True, kw_only=True):
    """A table that a run used, pinned by content."""

    name: str
    role: str
    """`training`, `evaluation` or `table`."""
    method: str
    """What the digest covers: `full`, `sampled` or `metadata-only`."""
    digest: str
    rows: int
    columns: int
    pointer: str | None = None
    """The file that the table was read from, where the notebook shows it for certain."""
    reason: str | None = None
    """Why the digest covers less than everything."""


class ModelSpool(Record, frozen=True, kw_only=True):
    """A fitted estimator on its way from the kernel to the tracking store."""

    name: str
    type: str
    path: str
    digest: str
    """SHA-256 of the file, checked before it is read."""
    parameters: dict[str, Value] = {}
    import_paths: tuple[str, ...] = ()
    """Where the kernel found the modules of the project, which the estimator's classes may stand in."""


class SessionOpened(Record, frozen=True, kw_only=True, tag="session-opened", tag_field="event"):
    """The first line of a journal."""

    session: str
    pid: int
    started: float
    version: str
    project: str
    notebook: str | None = None
    execution: str | None = None
    """Identifier of the pipeline execution that this kernel serves, if it does."""
    store: str | None = None
    """The tracking store that the records are meant for, without credentials (`Settings.store`)."""
    sweep: str | None = None
    """Identifier of the sweep that this kernel serves, if it does: of its trials, the best one's models are kept."""


class SessionClosed(Record, frozen=True, kw_only=True, tag="session-closed", tag_field="event"):
    session: str
    ended: float


class RunOpened(Record, frozen=True, kw_only=True, tag="run-opened", tag_field="event"):
    run: str
    session: str
    name: str
    started: float
    order: int
    experiment: str | None = None
    notebook: str | None = None
    seed: int | None = None
    execution: str | None = None
    parameters: dict[str, Value | list[Value]] = {}
    """What is known before the cell is executed: what remains of a run whose kernel is killed."""
    gates: tuple[str, ...] = ()
    """What the run's own header asks of it."""
    step: str | None = None
    """The step of the pipeline that its cell begins, or whose kernel executes it."""


class RunReported(Record, frozen=True, kw_only=True, tag="run-reported", tag_field="event"):
    """What a run has reported of itself while its cell was executed (`cellops.report`)."""

    run: str
    step: int
    values: dict[str, float]
    time: float


class RunClosed(Record, frozen=True, kw_only=True, tag="run-closed", tag_field="event"):
    run: str
    status: RunStatus
    ended: float
    folder: str | None = None
    """The kernel's working folder when capturing began, relative to the project where it lies inside."""
    parameters: dict[str, Value | list[Value]] = {}
    metrics: dict[str, float] = {}
    reported: dict[str, int] = {}
    """Metrics that it has reported while it went on, with the last step of each; they are among its metrics."""
    not_finite: tuple[str, ...] = ()
    """Metrics that came out as NaN or infinite."""
    measured: dict[str, float] = {}
    """Metrics that gates asked for beside those that the cell computed; no proof and no comparison speaks of them."""
    groups: tuple[GateFigure, ...] = ()
    """What is behind each of them, or why there is none."""
    models: tuple[ModelSpool, ...] = ()
    figures: tuple[FigureSpool, ...] = ()
    data: tuple[DataFingerprint, ...] = ()
    files: tuple[FileUse, ...] = ()
    """What the run's cell and those that it depends on have read."""
    splits: tuple[Split, ...] = ()
    """How the rows that the run read were divided, in its own cell or before."""
    overlaps: tuple[Overlap, ...] = ()
    """For each model, the rows that stand in its training and in its evaluation."""
    findings: tuple[Finding, ...] = ()
    code: CodeVersion | None = None
    modules: tuple[ModuleSource, ...] = ()
    """The project's own modules that were imported when the run ended."""
    code_digest: str | None = None
    """SHA-256 of the run's cell and these modules: runs with the same one executed the same code of the project."""
    environment: Environment | None = None
    contract: Contract | None = None
    """What the run can promise of its model; absent when no model was fitted."""
    slice: Slice | None = None
    """The cells that the run depends on; absent where they could not be found out."""


class NotebookExecuted(Record, frozen=True, kw_only=True, tag="notebook-executed", tag_field="event"):
    """A pipeline execution has ended, and its notebook is to be kept with the runs that it opened."""

    execution: str
    notebook: str
    """Path of the executed notebook."""
    status: RunStatus
    store: str | None = None
    """The tracking store of the runs, as in `SessionOpened`."""
    source: str | None = None
    """Path of the notebook that was given."""
    started: float = 0.0
    """Seconds since the epoch, UTC."""
    ended: float = 0.0
    parameters: dict[str, str] = {}
    """The values that were given, as text, secrets masked."""
    steps: tuple[StepExecuted, ...] = ()
    """What became of its steps; none where one kernel executed all cells."""
    seed: int | None = None
    """What the generators of its kernels were seeded with."""
    reused_runs: tuple[str, ...] = ()
    """Keys of the runs of steps that were not executed again."""


class RunSummary(Record, frozen=True, kw_only=True):
    """One line of a list of runs."""

    run: str
    """The key: eight hexadecimal digits are enough to name it."""
    name: str
    status: RunStatus
    started: float
    ended: float | None = None
    mlflow_run_id: str | None = None
    experiment: str | None = None
    notebook: str | None = None
    seed: int | None = None
    synced: bool = True
    """False while the run stands only in a local journal."""
    parameters: dict[str, Value | list[Value]] = {}
    metrics: dict[str, float] = {}
    findings: tuple[Finding, ...] = ()
    models: dict[str, str] = {}
    """Name and MLflow URI of the models it logged."""
    proof: str | None = None
    """The verdict of its newest proof: `identical`, `within tolerance` or `diverged`; None where it has none."""
    gates: tuple[GateResult, ...] = ()
    """The gates that it was held against, as a pipeline."""
    step: str | None = None
    """The step of the pipeline that it belongs to, where that is known."""

    @classmethod
    def of(cls, opened: RunOpened, closed: RunClosed | None = None) -> Self:
        """A run as its journal knows it."""
        summary = cls(
            run=opened.run,
            name=opened.name,
            status=RunStatus.RUNNING,
            started=opened.started,
            experiment=opened.experiment,
            notebook=opened.notebook,
            seed=opened.seed,
            synced=False,
            parameters=opened.parameters,
            step=opened.step,
        )
        if closed is None:
            return summary
        return summary.replace(
            status=closed.status,
            ended=closed.ended,
            parameters=closed.parameters,
            metrics={**closed.metrics, **closed.measured},
            findings=closed.findings,
            models={model.name: "" for model in closed.models},
        )
