"""Why a run came out otherwise: the likeliest causes first, each with what to do."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cellops.capture.values.content import TIMING
from cellops.pipeline.verify.places import place_differences
from cellops.pipeline.verify.sources import clock, listed, of_sources, places
from cellops.records.cell import CellRecord, Outcome
from cellops.records.proof import Cause, CellProof, Comparison, Verdict
from cellops.records.recorded import RecordedRun
from cellops.records.run import Environment

PARALLEL = re.compile(r"\bn_jobs\b|\bThreadPool|\bset_num_threads\b|\bnum_threads\b|\bnthread\b")
NAME = re.compile(r"[.\[]")
"""What ends a name in the path to what it holds."""
GONE = "it is gone"
"""What a comparison of modules says of a file that is not there."""
IMPORT = re.compile(r"\b(?:ModuleNotFoundError|ImportError)\b")
ADDING = re.compile(r"""\bopen\([^)]*["']a[bt+]*["']|mode\s*=\s*["']a[bt+]*["']""")
FINEST = 1e-6
"""A difference below this looks like sums that were added in another order."""


def causes(
    run: RecordedRun,
    proofs: Sequence[CellProof],
    now: Mapping[int, CellRecord],
    *,
    environment: Environment | None,
    modules: Iterable[Comparison],
    timing: Sequence[str],
) -> tuple[Cause, ...]:
    """What may explain the first thing that differs, the likeliest cause first; nothing where all is as it was.

    Parameters
    ----------
    now
        The cells as they were executed now, by their places on the trail.
    environment
        In what they were executed.
    modules
        The project's modules, as they were and as they are.
    timing
        Those that read the clock.
    """
    first = next((proof for proof in proofs if proof.verdict in {Verdict.DIVERGED, Verdict.WITHIN_TOLERANCE}), None)
    if first is None:
        return tuple(_code(modules))
    reached = [record for record in run.slice() if record.order <= first.order]
    there = [record for record in reached if record.order == first.order]
    different = [one for one in first.comparisons if one.verdict in {Verdict.DIVERGED, Verdict.WITHIN_TOLERANCE}]
    found = [
        *_data(run, proofs, first),
        *_places(reached, now),
        *_code(modules),
        *_missing(first),
        *_packages(run.closed.environment, environment),
        *_added_to(there),
        *_state(run, first, reached),
        # What stands in the cell itself comes before what cells above it might have brought unseen.
        *(_threads(there, different) if any(PARALLEL.search(record.source) for record in there) else ()),
        *of_sources(run, there),
        *_timings(different),
    ]
    clocks = [clock(timing)] if timing else []
    threads = list(_threads(reached, different))
    parallel = any(PARALLEL.search(record.source) for record in reached)
    found = found or [
        *([*threads, *clocks] if parallel else [*clocks, *threads]),
        *of_sources(run, reached),
        *_held(run.slice(), different),
        *_rewritten(reached),
    ]
    unknown = Cause(
        code="unknown",
        text="nothing that was recorded explains the difference",
        remedy="Execute the cells by hand up to the first one that differs, and compare what it reads",
    )
    first_of_each: dict[tuple[str, str], Cause] = {}
    for cause in found:
        first_of_each.setdefault((cause.code, cause.remedy), cause)
    return tuple(first_of_each.values()) or (unknown,)


def changed_packages(before: Environment | None, after: Environment | None) -> dict[str, tuple[str, str]]:
    """Imported distributions of which another version is used now, the one then and the one now."""
    if before is None or after is None:
        return {}
    then = {name: before.distributions.get(name, "none") for name in before.imported}
    now = {name: after.distributions.get(name, "none") for name in then}
    found = {name: (then[name], now[name]) for name in then if then[name] != now[name]}
    return found if before.python == after.python else {"python": (before.python, after.python), **found}


def _data(run: RecordedRun, proofs: Iterable[CellProof], first: CellProof) -> Iterator[Cause]:
    changed = {
        one.name: proof.order
        for proof in proofs
        for one in proof.comparisons
        if one.kind == "file" and one.verdict is Verdict.DIVERGED and proof.order <= first.order
    }
    writers = [
        record
        for record in run.trail
        if any(use.mode != "read" and changed.get(use.path, record.order) < record.order for use in record.files)
    ]
    if changed:
        since = f": {places(writers)} has written to {'it' if len(changed) == 1 else 'them'} since" if writers else ""
        yield Cause(
            code="changed-data",
            text=f"{listed(list(changed))} {'is' if len(changed) == 1 else 'are'} not what the run has read{since}",
            remedy="Let the notebook write to other files than those that it reads"
            if writers
            else "Put the data of the run back, by their version control for example, and verify again",
        )


def _places(reached: Iterable[CellRecord], now: Mapping[int, CellRecord]) -> Iterator[Cause]:
    """Folders that hold other files, where cells list them, and files that are there now or gone."""
    pairs = ((record, now[record.order]) for record in reached if record.order in now)
    found = [text for record, after in pairs for text in place_differences(record, after)]
    if found:
        yield Cause(
            code="changed-data",
            text=f"{listed(found)} since the run, which looked there",
            remedy="Put the folder back as it was, or name the files that the notebook reads",
        )


def _rewritten(records: Iterable[CellRecord]) -> Iterator[Cause]:
    """Files that a cell reads and writes: nobody has seen what was in them before."""
    for record in records:
        paths = [use.path for use in record.files if use.mode == "update"]
        if paths:
            yield Cause(
                code="changed-data",
                text=f"{places([record])} reads and writes {listed(paths)}, and may have found other content there",
                remedy="Let the notebook write to other files than those that it reads",
            )


def _code(modules: Iterable[Comparison]) -> Iterator[Cause]:
    different = [one for one in modules if one.verdict is Verdict.DIVERGED]
    for gone in (True, False):
        names = [one.name for one in different if (one.after == GONE) == gone]
        verb = "has" if len(names) == 1 else "have"
        if names:
            yield Cause(
                code="changed-code",
                text=f"{listed(names)} {verb} been {'deleted' if gone else 'changed'} since the run",
                remedy="Check out the commit of the run, or take its sources from what cellops restore writes",
            )


def _missing(first: CellProof) -> Iterator[Cause]:
    """A module that cannot be imported any more."""
    ends = next((one for one in first.comparisons if one.kind == "outcome"), None)
    if ends is None or ends.verdict is not Verdict.DIVERGED or not IMPORT.search(ends.after):
        return
    yield Cause(
        code="changed-package",
        text="a module that the run has imported cannot be imported now",
        remedy="Install what the run had, or verify in an environment that is built from its lock: --env fresh",
    )


def _added_to(records: Iterable[CellRecord]) -> Iterator[Cause]:
    """Files that a cell adds to, so that it never finds them as it found them."""
    adding = [record for record in records if ADDING.search(record.source)]
    if adding:
        yield Cause(
            code="changed-data",
            text=f"{places(adding)} adds to a file, which is not as it was before the run",
            remedy="Write the file anew in the run, or leave what was read of it out",
        )


def _packages(before: Environment | None, after: Environment | None) -> Iterator[Cause]:
    changed = [f"{name} {then} is now {now}" for name, (then, now) in changed_packages(before, after).items()]
    if changed:
        yield Cause(
            code="changed-package",
            text=listed(changed),
            remedy="Verify in an environment that is built from the run's lock: --env fresh",
        )


def _state(run: RecordedRun, first: CellProof, reached: Sequence[CellRecord]) -> Iterator[Cause]:
    """State that the slice cannot bring back."""
    interrupted = [record for record in reached if record.outcome is Outcome.INTERRUPTED]
    if interrupted:
        yield Cause(
            code="interrupted",
            text=f"{places(interrupted)} was interrupted, and no interrupt comes at the same place again",
            remedy="Run the cell again to its end, then what depends on it",
        )
    ends = next((one for one in first.comparisons if one.kind == "outcome"), None)
    missing = ends is not None and ("NameError" in ends.after or "UnboundLocalError" in ends.after)
    widened = run.closed.slice.widened if run.closed.slice is not None else ("the slice of the run is not known",)
    hidden = [text for text in widened if "before capturing began" in text or "not known" in text]
    if missing or hidden:
        yield Cause(
            code="hidden-state",
            text=hidden[0] if hidden else "the cells of the slice do not bind all that they read",
            remedy="Load cellops in the first cell of the notebook, restart the kernel and run all cells",
        )


def _held(records: Iterable[CellRecord], different: Iterable[Comparison]) -> Iterator[Cause]:
    """A generator without a seed inside of what differs, from which a cell has drawn."""
    names = {one.name for one in different if one.kind == "value"}
    uses = (use for record in records for use in record.generators if use.consumed and not use.seeded)
    held = list(dict.fromkeys(use.name for use in uses if NAME.split(use.name)[0] in names))
    if held:
        yield Cause(
            code="unseeded-randomness",
            text=f"{listed(held)} {'is a generator' if len(held) == 1 else 'are generators'} that nobody has seeded",
            remedy="Seed it: default_rng(7), random_state=7, or %%mlops run --seed 7",
        )


def _timings(different: Iterable[Comparison]) -> Iterator[Cause]:
    found = [f"{one.name}[{part}]" for one in different for part in one.parts if TIMING.search(part)]
    if found:
        yield Cause(
            code="clock",
            text=f"{listed(found)} {'says' if len(found) == 1 else 'say'} how long something took",
            remedy="Leave it out of what the run depends on",
        )


def _threads(reached: Sequence[CellRecord], different: Sequence[Comparison]) -> Iterator[Cause]:
    measured = [one.difference for one in different if one.difference is not None]
    parallel = [record for record in reached if PARALLEL.search(record.source)]
    if measured and len(measured) == len(different) and max(measured) <= FINEST:
        where = f"; {places(parallel)} works with several threads" if parallel else ""
        yield Cause(
            code="threads",
            text=f"the numbers differ by {max(measured):.1g} at most, as sums added in another order do{where}",
            remedy="Fix the number of threads, OMP_NUM_THREADS=1 for example, or accept it: --tolerance 1e-9",
        )
