"""Hold the runs of an execution against gates."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from cellops.errors import TrackingError
from cellops.pipeline.gates.grammar import Gate, Pair
from cellops.pipeline.gates.words import CHAMPION
from cellops.records.gate import Champion, GateFigure, GateOutcome, GateResult, Group
from cellops.records.run import RunClosed, RunOpened, RunStatus
from cellops.tracking.names import accepted

Run = tuple[RunOpened, RunClosed]
FindChampion = Callable[[RunOpened], Champion | None]
MOST_NAMES = 20


def judge_all(gates: Iterable[Gate], runs: Sequence[Run], champion: FindChampion) -> Iterator[GateResult]:
    """Hold every run that has a gate's metrics against it: each of them must pass, and there must be one.

    A run that did not finish passes no gate.

    Parameters
    ----------
    champion
        Finds the champion that a run is compared with; None where there is none yet, `TrackingError` where nobody
        could be asked.
    """
    for gate in gates:
        concerned = [run for run in runs if _concerns(gate, run)]
        yield from (judge(gate, run, champion) for run in concerned)
        if not concerned:
            yield GateResult(gate=gate.text, outcome=GateOutcome.NOT_JUDGED, said=_nobody(gate, runs))


def judge(gate: Gate, run: Run, champion: FindChampion) -> GateResult:
    """Hold one run against a gate."""
    opened, closed = run
    outcome, said = _judged(gate, opened, closed, champion)
    return GateResult(gate=gate.text, outcome=outcome, said=said, run=opened.run, name=opened.name)


def unmeasured(closed: RunClosed, names: Iterable[str]) -> list[str]:
    """Those names of which a run says nothing: it was not asked for them."""
    told = {*closed.metrics, *closed.measured, *closed.not_finite, *(figure.name for figure in closed.groups)}
    return [name for name in names if name not in told]


def _concerns(gate: Gate, run: Run) -> bool:
    return run[1].status is not RunStatus.FINISHED or not unmeasured(run[1], gate.names)


def _nobody(gate: Gate, runs: Sequence[Run]) -> str:
    if not runs:
        return "the notebook opened no run"
    known = sorted({name for _, closed in runs for name in (*closed.metrics, *closed.measured)})
    missing = next((name for name in gate.names if name not in known), None)
    if missing is None:
        return f"no run has all of {', '.join(gate.names)}"
    if missing in gate.measured:
        return f"{missing} was not measured: no gate asked for it when the step was executed; execute it anew"
    near = get_close_matches(missing, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known[:MOST_NAMES]) or 'none'}"
    return f"no run has the metric {missing}; {hint}"


def _judged(gate: Gate, opened: RunOpened, closed: RunClosed, champion: FindChampion) -> tuple[GateOutcome, str]:
    if closed.status is not RunStatus.FINISHED:
        return GateOutcome.NOT_JUDGED, f"the run has {closed.status.lower()}"
    figures = {**closed.metrics, **closed.measured}
    missing = next((name for name in gate.names if name not in figures), None)
    if missing is not None:
        return GateOutcome.NOT_JUDGED, _why_missing(missing, closed)
    beside = []
    if gate.champion:
        try:
            found = champion(opened)
        except TrackingError as error:
            return GateOutcome.NOT_JUDGED, f"the champion is not known: {error.fact}"
        if found is None:
            return GateOutcome.PASSED, f"{_shown(figures[gate.names[0]])}, and there is no champion yet"
        name = gate.names[0]
        metric = found.metrics.get(accepted([name])[name])
        if metric is None:
            return GateOutcome.NOT_JUDGED, f"the champion, {found.model} {found.version}, has no metric {name}"
        figures[CHAMPION] = metric
        beside.append(f"champion {found.model} {found.version}: {_shown(metric)}")
    beside += [_of_groups(figure) for figure in closed.groups if figure.groups and figure.name in gate.names]
    outcome, said = _compared(gate.judge(figures))
    return outcome, f"{said} ({'; '.join(beside)})" if beside else said


def _why_missing(name: str, closed: RunClosed) -> str:
    if name in closed.not_finite:
        return f"{name} came out as NaN or infinite"
    reason = next((figure.reason for figure in closed.groups if figure.name == name), "")
    return f"there is no {name}: {reason}" if reason else f"the run has no metric {name}"


def _compared(pairs: Sequence[Pair]) -> tuple[GateOutcome, str]:
    if any(not math.isfinite(side) for pair in pairs for side in (pair.left, pair.right)):
        return GateOutcome.NOT_JUDGED, "its arithmetic gives no number"
    missed = next((pair for pair in pairs if not pair.holds), None)
    if missed is None:
        chain = " ".join(f"{pair.sign} {_shown(pair.right)}" for pair in pairs)
        return GateOutcome.PASSED, f"{_shown(pairs[0].left)} {chain}"
    apart = abs(missed.left - missed.right)
    return GateOutcome.MISSED, f"{_shown(missed.left)} {missed.sign} {_shown(missed.right)} missed by {apart:.2g}"


def _of_groups(figure: GateFigure) -> str:
    """From which groups a figure comes, and how many were not judged."""
    known: Mapping[object, Group] = {group.name: group for group in figure.groups}
    named = " and ".join(f"{name}, {_rows(known[name])}" for name in figure.extremes)
    left = sum(bool(group.reason) for group in figure.groups)
    judged = len(figure.groups) - left
    return f"{named}; {judged} groups judged{f', {left} not' if left else ''}"


def _rows(group: Group) -> str:
    return f"{group.rows} rows" if group.counted == group.rows else f"{group.counted} of {group.rows} rows"


def _shown(number: float) -> str:
    return f"{number:.6g}"
