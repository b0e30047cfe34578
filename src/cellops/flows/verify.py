"""Execute a run again and say whether it comes out the same."""

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from cellops.capture.blobs import digest
from cellops.capture.journal import Journal
from cellops.capture.temporary import temporary_folder
from cellops.errors import NotFoundError, SettingsError, UsageError
from cellops.flows import writer
from cellops.flows.progress import OF_PROOFS
from cellops.flows.recorded import Held, recorded
from cellops.pipeline.verify.causes import causes, changed_packages
from cellops.pipeline.verify.comparison import Comparing, worst
from cellops.pipeline.verify.leftovers import LOCK, put_back_all, replaying
from cellops.pipeline.verify.places import place_differences
from cellops.pipeline.verify.refusals import require_allowed, require_executable
from cellops.pipeline.verify.relevance import needed_names
from cellops.pipeline.verify.replay import Replay, replay
from cellops.pipeline.verify.run_comparison import compare_run
from cellops.pipeline.verify.sources import CLOCK
from cellops.records.aside import PROOFS
from cellops.records.cell import CellRecord, Outcome, place
from cellops.records.execution import CellProgress
from cellops.records.file import Found
from cellops.records.guarding import Heard
from cellops.records.proof import CellProof, Comparison, Proof, Verdict
from cellops.records.recorded import RecordedRun, needed_states
from cellops.settings import Settings, load, prepare
from cellops.version import __version__

TOLERANCE = 1e-9
SAME, FRESH = "same", "fresh"
MOST_NOTES = 50


def _silent(_progress: CellProgress) -> None:
    pass


def verify(
    run: str = "last",
    *,
    environment: str = SAME,
    tolerance: float = TOLERANCE,
    commands_allowed: bool = False,
    on_progress: Callable[[CellProgress], None] = _silent,
    on_stage: Callable[[str], None] = lambda _: None,
    settings: Settings | None = None,
) -> Proof:
    """Execute the cells that a run depended on in a fresh kernel, and compare what they leave with what they left.

    The verdict is `identical`, `within tolerance` or `diverged`; `Proof.cells` says where, `Proof.causes` why, and
    `Proof.notes` of what it does not speak. The proof is kept with the run.

    Parameters
    ----------
    run
        The start of the run's key, its name, its MLflow id, or `last`.
    environment
        `same` for the environment of this process, `fresh` for one that is built from the run's lock.
    tolerance
        The largest difference of numbers that counts as none, relative to the largest magnitude among them.
    commands_allowed
        Whether programs may be started again, and anything be sent over the network, where it may have side effects.

    Raises
    ------
    UsageError
        When an option does not fit.
    NotFoundError
        When there is no such run.
    RecordError
        When the run has not ended, or its record is not whole.
    VerificationError
        When it cannot be executed again: data are gone, a secret stood in a cell, a program or something that is sent
        would have side effects, the lock cannot be rebuilt.
    NotebookError
        When the kernel does not start, or dies.
    """
    if environment not in {SAME, FRESH}:
        fact = "There is no such environment"
        raise UsageError(fact, received=environment, remedy=f"Choose {SAME} or {FRESH}")
    if not 0 <= tolerance < 1:
        fact = "The tolerance is a share of the numbers"
        raise UsageError(fact, received=tolerance, remedy="Give a number from 0 to below 1, such as 1e-9")
    settings = settings or load()
    with temporary_folder() as temporary:
        held = recorded(run, settings, lambda: temporary)
        place = _writable(settings)
        proof, folder = _verified(
            held,
            place,
            environment=environment,
            tolerance=tolerance,
            commands_allowed=commands_allowed,
            on_progress=on_progress,
            on_stage=on_stage,
        )
    if place is not settings:
        note = f"The proof was not stored with the run, since {settings.folder} cannot be written"
        proof = proof.replace(notes=(note, *proof.notes))
    (folder / "proof.json").write_bytes(proof.to_pretty_json())
    if place is settings:
        _carry(proof, folder, settings)
    return proof


def _writable(settings: Settings) -> Settings:
    """These settings; with a temporary folder for cellops' own files where nothing can be written to the project's."""
    try:
        prepare(settings.folder)
    except SettingsError:
        return msgspec.structs.replace(settings, folder=Path(tempfile.mkdtemp(prefix="cellops-")))
    return settings


def _verified(
    held: Held,
    settings: Settings,
    *,
    environment: str,
    tolerance: float,
    commands_allowed: bool,
    on_progress: Callable[[CellProgress], None],
    on_stage: Callable[[str], None],
) -> tuple[Proof, Path]:
    """The proof of a recorded run, and the folder in which its notebooks stand."""
    began = time.time()
    proofs = settings.folder / PROOFS
    cells = held.run.slice()
    folder = proofs / f"{held.run.run[:8]}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        on_stage(text)

    with _alone(proofs, on_stage):
        put_back_all(proofs, tell)
        _clear(proofs)
        require_executable(held.run, cells, settings.project, commands_allowed=commands_allowed)
        folder.mkdir()
        try:
            interpreter = _fresh(held.run, folder, on_stage) if environment == FRESH else None
            started = time.perf_counter()
            with replaying(proofs):
                again = replay(
                    held.run,
                    cells,
                    folder,
                    project=settings.project,
                    states=_states(held, cells),
                    interpreter=interpreter,
                    commands_allowed=commands_allowed,
                    on_progress=on_progress,
                    on_stage=on_stage,
                    tell=tell,
                )
            took = time.perf_counter() - started
            require_allowed(again.heard)
            on_stage("Comparing")
            proof = _proof(held, again, tolerance, folder)
        finally:
            _clear(proofs)
    proof = proof.replace(
        environment=environment,
        started=began,
        seconds=time.time() - began,
        seconds_of_replay=took,
        notes=(*told, *proof.notes),
    )
    return proof, folder


def _clear(proofs: Path) -> None:
    """Take away what is nobody's record, a killed verification's too: sessions' own folders and whole environments."""
    for made in ("record", "environment"):
        for folder in proofs.glob(f"*/{made}"):
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _alone(proofs: Path, on_stage: Callable[[str], None]) -> Iterator[None]:
    """Let one verification of a project go on at a time: each would see what the other writes."""
    proofs.mkdir(exist_ok=True)
    lock = FileLock(proofs / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_stage("Waiting for another verification to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _proof(held: Held, again: Replay, tolerance: float, folder: Path) -> Proof:
    run, cells = held.run, held.run.slice()
    own = Held(run=run, folders=(str(folder / "record"),))
    timing = [module.path for module in run.closed.modules if CLOCK.search(held.source(module) or "")]
    clock_read = bool(timing) or any(CLOCK.search(record.source) for record in cells)
    comparing = Comparing(tolerance, held.numbers, own.numbers, _has_values(run.trail), clock_read)
    modules = list(_modules(run, again.project))
    bound = {name for record in cells for name in (*record.writes, *record.changed)}
    needed = needed_names(cells)
    proofs = []
    for record in cells:
        after = again.cells.get(record.order)
        is_run = record.run == run.run and after is not None
        of_run = compare_run(comparing, run.closed, again.closed, bound=bound) if is_run else None
        proofs.append(comparing.cell(record, after, of_run, needed[record.order]))
    verdict = _verdict(proofs)
    environment = again.closed.environment if again.closed is not None else None
    notes = (
        *_told(modules, verdict),
        *_looks(cells, again.cells, verdict),
        *_doings(again.heard),
        *_notes(held, cells, proofs),
    )
    return Proof(
        run=run.run,
        name=run.name,
        verdict=verdict,
        environment="",
        tolerance=tolerance,
        started=0.0,
        seconds=0.0,
        seconds_of_run=sum(record.duration for record in cells),
        seconds_of_replay=0.0,
        cells=tuple(proofs),
        causes=()
        if verdict is Verdict.IDENTICAL
        else causes(run, proofs, again.cells, environment=environment, modules=modules, timing=timing),
        modules=tuple(modules),
        notes=tuple(dict.fromkeys(notes))[:MOST_NOTES],
        packages=changed_packages(run.closed.environment, environment),
        version=__version__,
        store=run.store,
        folder=str(folder),
    )


def _has_values(trail: Sequence[CellRecord]) -> bool:
    """Whether a record says what names stood for, as far as there were any."""
    bound = any(record.outcome is Outcome.OK and record.writes for record in trail)
    return not bound or any(record.values for record in trail)


def _verdict(proofs: Sequence[CellProof]) -> Verdict:
    """The worst of all cells; one that was not executed again has diverged."""
    if any(not proof.executed for proof in proofs):
        return Verdict.DIVERGED
    found = worst(one for proof in proofs for one in proof.comparisons)
    return Verdict.DIVERGED if found is Verdict.NOT_COMPARED else found


def _told(modules: Iterable[Comparison], verdict: Verdict) -> Iterator[str]:
    """That modules have been changed, where this is no cause of anything."""
    changed = [one.name for one in modules if one.verdict is Verdict.DIVERGED]
    if changed and verdict is not Verdict.DIVERGED:
        yield f"{', '.join(changed)} is not what the run imported; only what it changes in the cells counts"


def _looks(cells: Iterable[CellRecord], now: Mapping[int, CellRecord], verdict: Verdict) -> Iterator[str]:
    """What cells found otherwise where they looked, as far as no cause says it; folders too large to compare."""
    for record in cells:
        after = now.get(record.order)
        if after is not None and verdict is not Verdict.DIVERGED:
            for text in place_differences(record, after):
                yield f"{place(record.execution_count)}: {text}; only what it changes in the cells counts"
        for look in record.looks:
            if look.found is Found.FOLDER and look.digest is None:
                yield f"{place(record.execution_count)}: the names in {look.path} were not compared: they are too many"


def _notes(held: Held, cells: Sequence[CellRecord], proofs: Sequence[CellProof]) -> Iterator[str]:
    """Of what the verdict does not speak."""
    run = held.run
    for record, proof in zip(cells, proofs, strict=True):
        where = place(record.execution_count)
        for one in proof.comparisons:
            if one.verdict is Verdict.NOT_COMPARED:
                apart = f" ({one.before} then, {one.after} now)" if one.before != one.after else ""
                yield f"{where}: {one.kind} {one.name} was not compared{f': {one.note}' if one.note else ''}{apart}"
            elif one.note and one.verdict is not Verdict.DIVERGED and one.note != "by its source":
                yield f"{where}: of {one.kind} {one.name} {one.note}"
    if run.closed.slice is not None:
        yield from run.closed.slice.widened
    else:
        yield "The slice of the run is not known, so the whole trail was executed"
    yield from _outputs([record for record, proof in zip(cells, proofs, strict=True) if proof.executed])
    for record, use in needed_states(cells):
        where = place(record.execution_count)
        if use.state is not None and held.path("states", use.state) is not None:
            yield f"{where} draws from a generator ({use.name}) that nobody seeded; its recorded state was put back"
        if use.state is None or held.path("states", use.state) is None:
            yield f"{where}: the state of the generator {use.name} was not kept"


def _outputs(cells: Sequence[CellRecord]) -> Iterator[str]:
    """What cells give away and no record holds."""
    for record in cells:
        written = list(dict.fromkeys(use.path for use in record.files if use.mode != "read"))
        if written:
            yield f"{place(record.execution_count)}: what it wrote to {', '.join(written)} was not compared"
    untold = [record for record in cells if record.outputs is None]
    if untold:
        yield f"{_places(untold)}: what was printed and displayed was not compared"
    complaining = [record for record in cells if record.stderr_size]
    if complaining:
        yield f"{_places(complaining)}: what was written to stderr was not compared"


def _doings(heard: Iterable[Heard]) -> Iterator[str]:
    """What the cells did again that nothing undoes."""
    for one in heard:
        yield f"the replay {one.doing} {one.name}"


def _places(records: Sequence[CellRecord]) -> str:
    return ", ".join(place(record.execution_count) for record in records)


def _states(held: Held, cells: Sequence[CellRecord]) -> dict[str, Path]:
    names = {use.state for _, use in needed_states(cells) if use.state is not None}
    found = {name: held.path("states", name) for name in names}
    return {name: path for name, path in found.items() if path is not None}


def _modules(run: RecordedRun, project: Path) -> Iterator[Comparison]:
    """The project's own modules, as they were imported and as their files are."""
    for module in run.closed.modules:
        now = _digest_of(project / module.path, project)
        same = now == module.digest
        yield Comparison(
            kind="module",
            name=module.path,
            verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED,
            before=module.digest[:12],
            after=now[:12],
        )


def _digest_of(path: Path, project: Path) -> str:
    """The digest of a file of the project; a record may name anything."""
    try:
        found = path.resolve()
        return digest(found.read_bytes()) if found.is_relative_to(project.resolve()) else "it is gone"
    except (OSError, ValueError):
        return "it is gone"


def _fresh(run: RecordedRun, folder: Path, on_stage: Callable[[str], None]) -> Path:
    from cellops.pipeline.verify.fresh_environment import build

    if run.closed.environment is None:
        fact = f"The run {run.name} has no environment on its record"
        raise NotFoundError(fact, remedy="Verify it in this environment: --env same")
    return build(run.closed.environment, folder / "environment", on_stage)


def _carry(proof: Proof, folder: Path, settings: Settings) -> None:
    """Write the proof into a journal that carries it to the run."""
    name = f"{OF_PROOFS}{folder.name}"
    Journal(settings.folder / "journal", name, proof).close()
    writer.carry_all(settings)
