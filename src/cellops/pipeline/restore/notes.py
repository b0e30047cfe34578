"""What of a restored run may come out otherwise, or is not there."""

import re
from collections.abc import Iterator, Sequence

from cellops.capture.header import FEATURES, VERBS_THAT_KEEP_THE_CELL
from cellops.capture.secrets import REDACTED
from cellops.pipeline.restore.plain import plain
from cellops.records.cell import CellRecord, Outcome, place
from cellops.records.recorded import SHARED_GENERATORS, RecordedRun, kernels

GIVEN = re.compile(r"Secret\.given\(['\"](\w+)['\"]\)")
SIDE_EFFECTS = {"shell-command": "runs a shell command", "package-installed": "installs packages"}


def of_cells(run: RecordedRun, cells: Sequence[CellRecord], *, whole_trail: bool) -> Iterator[str]:
    """What the cells themselves show, with what to do about it."""
    secret = [record for record in cells if REDACTED in record.source]
    if secret:
        yield (
            f"{_places(secret)} held a secret, which was not recorded: `{REDACTED}` stands in its place. "
            "Put it back, or read it from the environment, before you execute the cell."
        )
    for name in dict.fromkeys(name for record in cells for name in GIVEN.findall(record.source)):
        yield f"The secret parameter {name} is taken from the variable CELLOPS_SECRET_{name}: set it before you begin."
    interrupted = [record for record in cells if record.outcome is Outcome.INTERRUPTED]
    if interrupted:
        yield f"{_places(interrupted)} was interrupted, so runners pass over it: how far it came cannot be repeated."
    failed = [record for record in cells if record.outcome is Outcome.ERROR]
    if failed:
        yield f"{_places(failed)} failed when it was executed, and is expected to fail again."
    for code, text in SIDE_EFFECTS.items():
        found = [record for record in cells if any(finding.code == code for finding in record.findings)]
        if found:
            yield f"{_places(found)} {text}, and does so again. Look at it first."
    unread = [
        record for record in cells if plain(record) != record.source and record.verb not in VERBS_THAT_KEEP_THE_CELL
    ]
    if unread:
        yield f"{_places(unread)} used verbs of cellops, which stand as comments: they change no value of the notebook."
    features = [record for record in cells if record.verb == FEATURES]
    if features:
        yield f"{_places(features)} makes features, which need cellops: the lock installs it. Its functions do without."
    if len(kernels(cells)) > 1:
        yield "Each step had a kernel of its own; here one kernel executes all cells, and hands copies of values on."
    yield from _generators(cells)
    if run.closed.slice is None and not whole_trail:
        yield "Which cells the run depended on is not known, so the whole trail of its session is here."
    elif run.closed.slice is not None:
        yield from (f"{text[:1].upper()}{text[1:]}." for text in run.closed.slice.widened)


def _generators(cells: Sequence[CellRecord]) -> Iterator[str]:
    """Draws that nothing can repeat: of generators that the cells make for themselves."""
    for record in cells:
        own = [
            use.name
            for use in record.generators
            if use.consumed and not use.seeded and use.name.partition(".")[0] not in SHARED_GENERATORS
        ]
        if own:
            yield f"{place(record.execution_count)} draws from {', '.join(own)}, which nobody seeded: other numbers."


def _places(records: Sequence[CellRecord]) -> str:
    return ", ".join(place(record.execution_count) for record in records)
