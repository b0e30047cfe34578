"""Of what a verdict does not speak."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cellops.flows.recorded import Held
from cellops.pipeline.seeding import only_seeds
from cellops.pipeline.verify.places import place_differences
from cellops.pipeline.verify.replay import Replay
from cellops.records.cell import CellRecord
from cellops.records.file import Found
from cellops.records.guarding import Heard
from cellops.records.proof import CellProof, Comparison, Verdict
from cellops.records.recorded import needed_states

MOST_NOTES = 50


def notes(
    held: Held, again: Replay, proofs: Sequence[CellProof], modules: Iterable[Comparison], verdict: Verdict
) -> tuple[str, ...]:
    """What a proof has to say beside its verdict, each once.

    Parameters
    ----------
    proofs
        Of the cells of the run's slice.
    modules
        The project's modules, as they were and as they are.
    """
    cells = held.run.slice()
    places = {proof.order: proof.where for proof in proofs}
    executed = [record for record, proof in zip(cells, proofs, strict=True) if proof.executed]
    found = (
        *_of_modules(modules, verdict),
        *_looks(cells, again.cells, verdict, places),
        *_doings(again.heard),
        *_not_compared(proofs),
        *_of_the_slice(held),
        *_outputs(executed, places),
        *_generators(held, cells, places),
    )
    return tuple(dict.fromkeys(found))[:MOST_NOTES]


def _of_modules(modules: Iterable[Comparison], verdict: Verdict) -> Iterator[str]:
    """That modules have been changed, where this is no cause of anything."""
    changed = [one.name for one in modules if one.verdict is Verdict.DIVERGED]
    if changed and verdict is not Verdict.DIVERGED:
        yield f"{', '.join(changed)} is not what the run imported; only what it changes in the cells counts"


def _looks(
    cells: Iterable[CellRecord], now: Mapping[int, CellRecord], verdict: Verdict, places: Mapping[int, str]
) -> Iterator[str]:
    """What cells found otherwise where they looked, as far as no cause says it; folders too large to compare."""
    for record in cells:
        after = now.get(record.order)
        if after is not None and verdict is not Verdict.DIVERGED:
            for text in place_differences(record, after):
                yield f"{places[record.order]}: {text}; only what it changes in the cells counts"
        for look in record.looks:
            if look.found is Found.FOLDER and look.digest is None:
                yield f"{places[record.order]}: the names in {look.path} were not compared: they are too many"


def _not_compared(proofs: Iterable[CellProof]) -> Iterator[str]:
    for proof in proofs:
        where = proof.where
        for one in proof.comparisons:
            if one.verdict is Verdict.NOT_COMPARED:
                apart = f" ({one.before} then, {one.after} now)" if one.before != one.after else ""
                yield f"{where}: {one.kind} {one.name} was not compared{f': {one.note}' if one.note else ''}{apart}"
            elif one.note and one.verdict is not Verdict.DIVERGED and one.note != "by its source":
                yield f"{where}: of {one.kind} {one.name} {one.note}"


def _of_the_slice(held: Held) -> Iterator[str]:
    if held.run.closed.slice is not None:
        yield from held.run.closed.slice.widened
    else:
        yield "The slice of the run is not known, so the whole trail was executed"


def _generators(held: Held, cells: Iterable[CellRecord], places: Mapping[int, str]) -> Iterator[str]:
    """What was drawn without a seed; the cell that seeds an execution draws nothing."""
    for record, use in needed_states(cells):
        if only_seeds(record.source):
            continue
        where = places[record.order]
        if use.state is None or held.path("states", use.state) is None:
            yield f"{where}: the state of the generator {use.name} was not kept"
        elif use.reseeded:
            yield f"{where} may draw from a generator ({use.name}) before it seeds it; its recorded state was put back"
        else:
            yield f"{where} draws from a generator ({use.name}) that nobody seeded; its recorded state was put back"


def _outputs(cells: Sequence[CellRecord], places: Mapping[int, str]) -> Iterator[str]:
    """What cells give away and no record holds."""
    for record in cells:
        written = list(dict.fromkeys(use.path for use in record.files if use.mode != "read"))
        if written:
            yield f"{places[record.order]}: what it wrote to {', '.join(written)} was not compared"
    untold = [places[record.order] for record in cells if record.outputs is None]
    if untold:
        yield f"{'; '.join(untold)}: what was printed and displayed was not compared"
    complaining = [places[record.order] for record in cells if record.stderr_size]
    if complaining:
        yield f"{'; '.join(complaining)}: what was written to stderr was not compared"


def _doings(heard: Iterable[Heard]) -> Iterator[str]:
    """What the cells did again that nothing undoes."""
    for one in heard:
        yield f"the replay {one.doing} {one.name}"
