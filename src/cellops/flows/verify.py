"""Execute a run again and say whether it comes out the same."""

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from cellops.capture.journal import Journal
from cellops.capture.temporary import temporary_folder
from cellops.errors import NotFoundError, SettingsError, UsageError
from cellops.flows import writer
from cellops.flows.progress import OF_PROOFS
from cellops.flows.proof import proof_of
from cellops.flows.recorded import Held, recorded
from cellops.pipeline.verify.leftovers import LOCK, put_back_all, replaying
from cellops.pipeline.verify.refusals import require_allowed, require_executable
from cellops.pipeline.verify.replay import replay
from cellops.records.aside import PROOFS
from cellops.records.cell import CellRecord
from cellops.records.execution import CellProgress
from cellops.records.proof import Proof
from cellops.records.recorded import RecordedRun, needed_states
from cellops.settings import Settings, load, prepare

TOLERANCE = 1e-9
SAME, FRESH = "same", "fresh"


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
            proof = proof_of(held, again, tolerance, folder)
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


def _states(held: Held, cells: Sequence[CellRecord]) -> dict[str, Path]:
    names = {use.state for _, use in needed_states(cells) if use.state is not None}
    found = {name: held.path("states", name) for name in names}
    return {name: path for name, path in found.items() if path is not None}


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
