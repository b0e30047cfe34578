"""Gates: which are asked, before a kernel starts; whether they hold, when it has ended."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellops.capture.journal import read
from cellops.capture.redaction import redact
from cellops.errors import GateError, UsageError
from cellops.flows.carrier import killed
from cellops.flows.progress import first_event, journals
from cellops.records.cached import KeptRun
from cellops.records.gate import Champion, GateFigure, GateOutcome, GateResult, not_passed
from cellops.records.run import RunClosed, RunOpened, RunSummary, SessionOpened
from cellops.settings import Settings

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from cellops.pipeline.gates.grammar import Gate


SETTINGS = "Among the gates of the settings"


def check(text: str) -> str:
    """The text of a gate.

    Raises
    ------
    UsageError
        When it is none; `data` holds `position`, the character at which it goes wrong, from 1.
    """
    from cellops.pipeline.gates.grammar import Gate

    return Gate(text).text


class Asked(NamedTuple):
    """The gates that an execution answers for."""

    gates: "tuple[Gate, ...]" = ()
    """Of all its runs."""
    own: "tuple[Gate, ...]" = ()
    """Of single runs, which stand in their headers."""
    notes: tuple[str, ...] = ()
    """What is doubtful about them."""

    @property
    def measured(self) -> tuple[str, ...]:
        """What the kernels measure for them where runs have not computed it."""
        return tuple(dict.fromkeys(name for gate in self.gates for name in gate.measured))

    def text(self) -> str:
        """Those of all runs as the kernels are told them, one a line: no gate has two."""
        return "\n".join(gate.text for gate in self.gates)


def prepare(texts: Iterable[str], notebook: Path, configured: Iterable[str] = ()) -> Asked:
    """The gates of an execution, and those in the notebook, before a kernel starts.

    Gates in headers that cannot be read are left to the check of headers.

    Parameters
    ----------
    configured
        Those of the settings, which an error says of them.

    Raises
    ------
    UsageError
        When one cannot be read, or names a metric that no run of the notebook can have, or there can be no run;
        `UnfitError` for several of them.
    NotFoundError, NotebookError
        When there are gates, and no notebook.
    """
    given = [*((SETTINGS, text) for text in configured), *(("", text) for text in texts)]
    if not given and not _may_have_gates(notebook):
        return Asked()
    from cellops.pipeline.gates.notebook import computed_by_runs, gates_of_runs, opens_no_run
    from cellops.pipeline.notebook import read as read_notebook
    from cellops.pipeline.refusals import Refusals

    held, refusals = read_notebook(notebook), Refusals()
    own = [(f"Cell {place + 1}", text) for place, text in gates_of_runs(held) if _is_gate(text)]
    known, gates = computed_by_runs(held), {}
    for where, text in (*given, *own):
        with refusals.collecting(where):
            gates[text] = _gate(text, known, held)
    if given and opens_no_run(held):
        with refusals.collecting():
            fact = f"No cell of {notebook.name} opens a run, and a gate needs one: {given[0][1]}"
            remedy = "Begin the cell that computes the metric with %%mlops run, below a cell with %load_ext cellops"
            raise UsageError(fact, remedy=remedy, gate=given[0][1])
    refusals.refuse()
    of_all, of_runs = ({gates[text].text: gates[text] for _, text in some} for some in (given, own))
    notes = (note for gate in gates.values() for note in _unknown_columns(gate, held))
    return Asked(tuple(of_all.values()), tuple(of_runs.values()), tuple(notes))


def _gate(text: str, known: Sequence[str] | None, notebook: "NotebookNode") -> "Gate":
    from cellops.pipeline.gates.grammar import Gate

    gate = Gate(text)
    if known is not None:
        _require_metrics(gate, known, notebook)
    return gate


def _may_have_gates(notebook: Path) -> bool:
    """Whether the file has the option anywhere: to read a large notebook takes longer than to look for that."""
    return notebook.is_file() and b"--gate" in notebook.read_bytes()


def _is_gate(text: str) -> bool:
    try:
        check(text)
    except UsageError:
        return False
    return True


def _require_metrics(gate: "Gate", known: Iterable[str], notebook: "NotebookNode") -> None:
    from cellops.pipeline.gates.notebook import likely_metrics
    from cellops.pipeline.gates.reading import pointed
    from cellops.pipeline.gates.words import LATENCIES

    for name in gate.names:
        if name in gate.measured or name.partition(".")[0] in known:
            continue
        fact = f"The gate {gate.text!r} names {name}, which no run cell of the notebook computes"
        near = get_close_matches(name, (*known, *LATENCIES), n=1)
        likely = ", ".join(sorted(likely_metrics(notebook), key=lambda metric: -_likeness(name, metric)))
        hint = f"Did you mean {near[0]}?" if near else f"They compute {likely or 'nothing that is likely a metric'}"
        shown = pointed(fact, gate.text, gate.text.find(name) + 1)
        raise UsageError(fact, remedy=hint, shown=shown, gate=gate.text)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _unknown_columns(gate: "Gate", notebook: "NotebookNode") -> Iterator[str]:
    """What is to be said of columns that the notebook does not name: a file may have them, so nobody knows yet."""
    from cellops.pipeline.gates.notebook import WORD, words

    for group in gate.groups:
        named = words(notebook)
        if not named.issuperset(WORD.findall(group.column)):
            near = get_close_matches(group.column, named, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            yield (
                f"The gate {gate.text} groups by {group.column}, which the notebook does not name{hint}: "
                "whether the evaluation rows have that column is seen when the run ends."
            )


def judge(execution: str, asked: Asked, settings: Settings, reused: Iterable[KeptRun] = ()) -> tuple[GateResult, ...]:
    """Hold the runs of an execution against its gates, and each run against those of its own header.

    The runs of steps that were not executed again (`reused`) are held against them as well. The journals are read,
    so that an unreachable tracking store stands in nobody's way but the champion's.
    """
    from cellops.pipeline.gates.grammar import read_all
    from cellops.pipeline.gates.judging import judge as judge_one
    from cellops.pipeline.gates.judging import judge_all

    if not asked.gates and not asked.own:
        return ()
    runs = [*((kept.opened, kept.closed) for kept in reused), *_runs(execution, settings)]
    champion = _champions(settings)
    results = list(judge_all(asked.gates, runs, champion))
    results += [judge_one(gate, run, champion) for run in runs for gate in read_all(run[0].gates)]
    plain = (result.replace(gate=redact(result.gate), said=redact(result.said)) for result in results)
    return tuple({(result.gate, result.run): result for result in plain}.values())


def refuse(results: Iterable[GateResult]) -> None:
    """Raise what was not passed.

    Raises
    ------
    GateError
        Naming each gate with its figures; `data["results"]` has them all.
    """
    results = list(results)
    missed = not_passed(results)
    if missed:
        fact = "; ".join(sentence(result) for result in missed)
        remedy = (
            f"Compare the run with an earlier one: cellops compare RUN {missed[0].run[:8] if missed[0].run else 'RUN'}"
        )
        raise GateError(fact, remedy=remedy, results=results)


def sentence(result: GateResult) -> str:
    """A gate that was not passed, in one sentence without a full stop."""
    of = f", run {result.name} ({result.run[:8]})" if result.run else ""
    word = "failed" if result.outcome is GateOutcome.MISSED else "cannot be judged"
    return f"The gate {result.gate} {word}{of}: {result.said}"


def runs_of(execution: str, settings: Settings) -> tuple[RunSummary, ...]:
    """The runs of an execution as the journals know them."""
    return tuple(RunSummary.of(opened, closed) for opened, closed in _runs(execution, settings))


def figures_of(execution: str, settings: Settings, reused: Iterable[KeptRun] = ()) -> dict[str, tuple[GateFigure, ...]]:
    """What gates have asked of the runs of an execution, by their keys."""
    closed = [*(kept.closed for kept in reused), *(closed for _, closed in _runs(execution, settings))]
    return {run.run: run.groups for run in closed if run.groups}


def _runs(execution: str, settings: Settings) -> Iterator[tuple[RunOpened, RunClosed]]:
    """The runs that the kernels of an execution opened, in their order; one that did not end was killed."""
    for path in journals(settings):
        first = first_event(path)
        if not isinstance(first, SessionOpened) or first.execution != execution:
            continue
        events = [event for event, _ in read(path)]
        closed = {event.run: event for event in events if isinstance(event, RunClosed)}
        for event in events:
            if isinstance(event, RunOpened):
                yield event, closed.get(event.run) or killed(event, path)


def _champions(settings: Settings) -> Callable[[RunOpened], Champion | None]:
    """Finds the champion of a run: of the registered model that has the name of the run's experiment."""

    def find(opened: RunOpened) -> Champion | None:
        from cellops.tracking.registry import Registry

        return Registry(settings).champion(opened.experiment or settings.experiment)

    return find
