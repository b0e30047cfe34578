"""Where a package comes from: what the record of its run says, without a word of the machine that recorded it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath

from cellops.capture.blobs import digest
from cellops.capture.files.pointers import is_address
from cellops.records.cell import CellRecord
from cellops.records.file import FileUse
from cellops.records.package import CellDigest, FileDigested, Proven, Provenance, SeededGenerator
from cellops.records.proof import Proof
from cellops.records.recorded import RecordedRun
from cellops.records.run import CodeVersion, DataFingerprint, Environment, RunClosed, RunSummary
from cellops.records.split import Split, TableContent
from cellops.version import __version__

READ = ("read", "update")
DRIVE = re.compile(r"[A-Za-z]:")


def provenance_of(summary: RunSummary, held: Path, proofs: Iterable[Proof], project: Path) -> Provenance:
    """The provenance of the model of a run.

    Parameters
    ----------
    held
        The folder of the run's records, as the tracking store keeps it.
    proofs
        What executing the run again has shown; the newest counts.
    project
        The folder that the notebook's path is relative to.
    """
    closed = RunClosed.from_file(held / "record.json")
    environment = Environment.from_file(held / "environment.json")
    code = CodeVersion.from_file(held / "code.json") if (held / "code.json").exists() else None
    cells = _cells(summary, closed, held / "trail.jsonl")
    newest = max(proofs, key=lambda proof: proof.started, default=None)
    committed = code is not None and code.commit is not None
    return Provenance(
        run=summary.run,
        mlflow_run_id=summary.mlflow_run_id,
        notebook=_notebook(summary.notebook, project),
        commit=code.commit if code else None,
        dirty=code.dirty if code and committed else None,
        patch=code.patch_digest if code else None,
        patch_truncated=code.patch_truncated if code else False,
        untracked={place(path): sha256 for path, sha256 in code.untracked.items()} if code else {},
        modules={place(module.path): module.digest for module in closed.modules},
        cells=tuple(_digested(record) for record in cells),
        data=tuple(_without_places(table) for table in closed.data),
        files=tuple(_file(use) for use in closed.files if use.mode in READ),
        splits=tuple(_plain(split) for split in closed.splits),
        seed=summary.seed,
        generators=tuple(_generators(cells)),
        created=_time(closed.ended),
        cellops=__version__,
        model_type=closed.models[0].type,
        model_format="skops",
        python=environment.python,
        platform=environment.platform,
        proof=_proven(newest) if newest is not None else None,
    )


def place(path: str) -> str:
    """A path as it may leave the machine: from the project's folder on, else the name alone; an address as it is.

    Examples
    --------
    >>> place("data/flights.csv"), place("/home/ann/flights.csv"), place("~/x.csv"), place("s3://bucket/x.csv")
    ('data/flights.csv', 'flights.csv', 'x.csv', 's3://bucket/x.csv')
    """
    if is_address(path) and not path.startswith("file:"):
        return path
    outside = path.startswith(("/", "\\", "~", "..", "file:")) or DRIVE.match(path)
    return PureWindowsPath(path).name if outside else path  # which takes both kinds of slashes


def _notebook(path: str | None, project: Path) -> str | None:
    if path is None:
        return None
    whole = (project / path).resolve()
    return whole.relative_to(project).as_posix() if whole.is_relative_to(project) else whole.name


def _cells(summary: RunSummary, closed: RunClosed, trail: Path) -> Sequence[CellRecord]:
    """The cells of the run's slice; none where the store has lost its trail."""
    if not trail.is_file():
        return ()
    records = tuple(map(CellRecord.from_json, trail.read_bytes().splitlines()))
    whole = RecordedRun(run=summary.run, name=summary.name, version="", started=0, closed=closed, trail=records)
    return whole.slice()


def _digested(record: CellRecord) -> CellDigest:
    sha256 = digest(record.source.encode(errors="backslashreplace"))
    return CellDigest(order=record.order, execution_count=record.execution_count, step=record.step, sha256=sha256)


def _generators(cells: Iterable[CellRecord]) -> Iterator[SeededGenerator]:
    for record in cells:
        for use in record.generators:
            if use.consumed:
                yield SeededGenerator(order=record.order, name=use.name, seeded=use.seeded, state=use.state)


def _without_places(table: DataFingerprint) -> DataFingerprint:
    """A reason can quote a path."""
    return table.replace(pointer=place(table.pointer) if table.pointer else None, reason=None)


def _file(use: FileUse) -> FileDigested:
    pointers = tuple(pointer.replace(target=place(pointer.target)) for pointer in use.pointers)
    return FileDigested(path=place(use.path), method=use.method, digest=use.digest, size=use.size, pointers=pointers)


def _plain(split: Split) -> Split:
    """Without the sketches of rows, which are large, and tell whether one is among them."""
    if split.made is None:
        return split
    parts = {name: _unsketched(part) for name, part in split.made.parts.items()}
    return split.replace(made=split.made.replace(whole=_unsketched(split.made.whole), parts=parts, findings=()))


def _unsketched(table: TableContent) -> TableContent:
    return table.replace(sketch=None, reason=None)


def _proven(proof: Proof) -> Proven:
    return Proven(
        verdict=proof.verdict.value,
        environment=proof.environment,
        tolerance=proof.tolerance,
        at=_time(proof.started),
        cellops=proof.version,
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
