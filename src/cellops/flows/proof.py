"""The proof of a run: what its cells left, held against what they leave now."""

from collections.abc import Container, Sequence
from pathlib import Path

from cellops.flows.proof_notes import notes
from cellops.flows.recorded import Held
from cellops.pipeline.verify.causes import causes, changed_packages
from cellops.pipeline.verify.comparison import Comparing, worst
from cellops.pipeline.verify.modules import module_comparisons
from cellops.pipeline.verify.relevance import needed_names
from cellops.pipeline.verify.replay import Replay
from cellops.pipeline.verify.run_comparison import compare_run
from cellops.pipeline.verify.sources import CLOCK
from cellops.records.cell import CellRecord, Outcome
from cellops.records.proof import CellProof, Proof, Verdict
from cellops.records.recorded import kernel_names, preparing
from cellops.version import __version__


def proof_of(held: Held, again: Replay, tolerance: float, folder: Path) -> Proof:
    """The proof of a run from what executing its slice again has left.

    Parameters
    ----------
    tolerance
        The largest difference of numbers that counts as none.
    folder
        Where the notebooks and the records of the replay stand.
    """
    run, cells = held.run, held.run.slice()
    own = Held(run=run, folders=(str(folder / "record"),))
    timing = [module.path for module in run.closed.modules if CLOCK.search(held.source(module) or "")]
    clock_read = bool(timing) or any(CLOCK.search(record.source) for record in cells)
    comparing = Comparing(tolerance, held.numbers, own.numbers, _has_values(run.trail), clock_read)
    modules = list(module_comparisons(run, again.project))
    bound = _bound(run.trail, {record.order for record in cells}, cells[-1].session)
    needed = needed_names(cells)
    names, above = kernel_names(cells), preparing(cells)
    proofs = []
    for record in cells:
        after = again.cells.get(record.order)
        is_run = record.run == run.run and after is not None
        of_run = compare_run(comparing, run.closed, again.closed, bound=bound) if is_run else None
        proof = comparing.cell(record, after, of_run, needed[record.order])
        proofs.append(proof.replace(kernel=names[record.session], prepares=record.order in above))
    verdict = _verdict(proofs)
    environment = again.closed.environment if again.closed is not None else None
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
        notes=notes(held, again, proofs, modules, verdict),
        packages=changed_packages(run.closed.environment, environment),
        version=__version__,
        store=run.store,
        folder=str(folder),
    )


def _bound(trail: Sequence[CellRecord], places: Container[int], session: str) -> set[str]:
    """The names that cells at these places have bound, and no later cell of their kernel.

    Where the kernel of the run has bound a name itself, what others bound it to says nothing of the run.
    """
    last = {(record.session, name): record for record in trail for name in (*record.writes, *record.changed)}
    own = {name for where, name in last if where == session}
    return {
        name
        for (where, name), record in last.items()
        if record.order in places and (where == session or name not in own)
    }


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
