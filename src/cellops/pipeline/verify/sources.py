"""What the sources of cells, and their use of generators, show of why a run came out otherwise."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cellops.records.cell import CellRecord, place
from cellops.records.proof import Cause
from cellops.records.recorded import RecordedRun

CLOCK = re.compile(
    r"\b(?:time|datetime|date|pd\.Timestamp|Timestamp|pendulum|arrow)\.(?:time|time_ns|now|utcnow|today|localtime|ctime)\b"
    r"|\bperf_counter\w*\(|\bmonotonic\w*\(|\bstrftime\(|\btime(?:_ns)?\(\)|\bprocess_time\w*\(|\bdefault_timer\("
)
TIMED = re.compile(r"%time(?:it)?\b|\btqdm\b|\btrange\(|\bverbose\b|\blogg(?:ing|er)\b")
"""What shows how long something took, or when it was, without reading the clock itself."""
IDENTIFIERS = re.compile(
    r"\buuid[14]\(|\bsecrets\.\w+\(|\btoken_\w+\(|\burandom\(|\bgetpid\(|\btempfile\.\w+\(|\bmkdtemp\(|\bid\("
)
UNSEEDED = re.compile(r"\b(?:default_rng|SeedSequence|Generator|RandomState|Random|SystemRandom)\(\s*\)")
RANDOM_STATE = re.compile(r"random_state\s*=\s*None|\bshuffle\s*=\s*True|\bsample\(|\btrain_test_split\(")
SETS = re.compile(
    r"\bset\(|\bfrozenset\(|\{[^{}:]*(?:,|\bfor\b)[^{}:]*\}|\bhash\(|\.intersection\(|\.union\(|\.difference\("
)
STORE = re.compile(
    r"\bmlflow\.(?:search_|get_|load_|last_|\w+\.load_model)|\bMlflowClient\(|\.search_runs\(|models:/|runs:/"
)
VARIABLES = re.compile(r"\bos\.environ\b(?!\s*\[[^\]]*\]\s*=[^=])|\bgetenv\(")
NETWORK = frozenset({"network-read", "network-write"})
"""Findings on cells that ask over the network."""
MOST_NAMED = 3


def of_sources(run: RecordedRun, records: Sequence[CellRecord]) -> Iterator[Cause]:
    """The causes that they show, the likeliest first."""
    yield from _randomness(records)
    yield from _clock(records)
    yield from _order(run, records)
    yield from _network(records)
    yield from _surroundings(records)


def tells_time(source: str) -> bool:
    """Whether a cell can say how long it took, or when it was executed."""
    return (CLOCK.search(source) or TIMED.search(source)) is not None


def _randomness(reached: Sequence[CellRecord]) -> Iterator[Cause]:
    drawn = [r for r in reached if any(use.consumed and not use.seeded and not use.kept for use in r.generators)]
    written = [r for r in reached if UNSEEDED.search(r.source) or (RANDOM_STATE.search(r.source) and _draws(r))]
    made = [r for r in reached if IDENTIFIERS.search(r.source)]
    found = list({record.order: record for record in (*drawn, *written)}.values())
    if found:
        yield Cause(
            code="unseeded-randomness",
            text=f"{places(found)} draws random numbers from a generator that nobody has seeded",
            remedy="Seed it where it is made or used: default_rng(7), random_state=7",
        )
    if made:
        yield Cause(
            code="unseeded-randomness",
            text=f"{places(made)} makes identifiers that are new each time",
            remedy="Derive them from the data, or leave them out of what is compared",
        )


def _draws(record: CellRecord) -> bool:
    return any(use.consumed and not use.seeded for use in record.generators)


def _clock(reached: Sequence[CellRecord]) -> Iterator[Cause]:
    found = [record for record in reached if CLOCK.search(record.source)]
    if found:
        yield clock([place(record.execution_count) for record in found])


def clock(reading: Sequence[str]) -> Cause:
    """The cause that stands in cells, or modules, which read the clock."""
    verb = "reads" if len(set(reading)) == 1 else "read"
    remedy = "Make the moment a parameter of the notebook"
    return Cause(code="clock", text=f"{listed(reading)} {verb} the clock", remedy=remedy)


def _order(run: RecordedRun, reached: Sequence[CellRecord]) -> Iterator[Cause]:
    variables: Mapping[str, str] = run.closed.environment.variables if run.closed.environment is not None else {}
    found = [record for record in reached if SETS.search(record.source)]
    if found and variables.get("PYTHONHASHSEED", "random") == "random":
        yield Cause(
            code="order-of-sets",
            text=f"{places(found)} uses a set, whose order changes with each process unless PYTHONHASHSEED is set",
            remedy="Sort it: sorted(set(names)); or set PYTHONHASHSEED=0 before the kernel starts",
        )


def _network(reached: Sequence[CellRecord]) -> Iterator[Cause]:
    found = [r for r in reached if any(f.code in NETWORK for f in r.findings) or _reads_address(r)]
    if found:
        yield Cause(
            code="network",
            text=f"{places(found)} reads over the network what nobody has pinned",
            remedy="Keep a copy in the project and read that",
        )


def _surroundings(records: Sequence[CellRecord]) -> Iterator[Cause]:
    """What stands around a kernel and is not as it was: the tracking store, and most environment variables."""
    asking = [record for record in records if STORE.search(record.source)]
    if asking:
        yield Cause(
            code="tracking-store",
            text=f"{places(asking)} reads the tracking store, in whose place an empty one stood",
            remedy="Keep what it answered in a file, and read that",
        )
    reading = [record for record in records if VARIABLES.search(record.source)]
    if reading:
        yield Cause(
            code="environment-variables",
            text=f"{places(reading)} reads environment variables, most of which are not put back",
            remedy="Make what it reads a parameter of the notebook",
        )


def _reads_address(record: CellRecord) -> bool:
    return any("://" in use.path for use in record.files)


def places(records: Sequence[CellRecord]) -> str:
    return listed([place(record.execution_count) for record in records])


def listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - MOST_NAMED} more" if len(unique) > MOST_NAMED else ""
    return ", ".join(unique[:MOST_NAMED]) + more
