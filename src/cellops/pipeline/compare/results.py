"""What two runs were given and what they gave: parameters, randomness, outcomes and metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cellops.pipeline.verify.differences import difference
from cellops.records.cell import CellRecord, GeneratorUse, place
from cellops.records.recorded import SHARED_GENERATORS, RecordedRun
from cellops.records.run_comparison import Difference


def parameter_differences(before: RecordedRun, after: RecordedRun) -> Iterator[Difference]:
    """Parameters and the seed of the run's own cell; those of a model that one run alone has, as one."""
    then, now = before.closed.parameters, after.closed.parameters
    models, others = (Counter(_model(name) for name in given if "." in name) for given in (then, now))
    alone = models.keys() ^ others.keys()
    yield from _numbers(
        "parameter",
        *({name: value for name, value in given.items() if _model(name) not in alone} for given in (then, now)),
    )
    for model in sorted(alone):
        count = f"{models[model] or others[model]} parameters"
        yield Difference(
            kind="parameter",
            name=f"{model}.*",
            before=count if model in models else "",
            after=count if model in others else "",
        )
    if before.seed != after.seed:
        yield Difference(kind="seed", name="--seed", before=_given(before.seed), after=_given(after.seed))


def generator_differences(before: Iterable[CellRecord], after: Iterable[CellRecord]) -> Iterator[Difference]:
    """Generators that a run drew from without a seed, beginning at another state than in the other run.

    A generator that a cell made anew has no state before it; what it drew is another one each time.
    """
    then, now = dict(_drawn(before)), dict(_drawn(after))
    for name in dict.fromkeys((*then, *now)):
        one, other = then.get(name), now.get(name)
        if all(drawn is None or drawn[1].seeded for drawn in (one, other)):
            continue
        states = {drawn[1].state for drawn in (one, other) if drawn is not None}
        if one is None or other is None or len(states) > 1 or states == {None}:
            yield Difference(kind="generator", name=name, before=_drew(one), after=_drew(other))


def metric_differences(before: RecordedRun, after: RecordedRun) -> Iterator[Difference]:
    """How the runs ended, and what they measured."""
    then, now = _ending(before), _ending(after)
    if then != now:
        yield Difference(kind="outcome", name="outcome", before=then, after=now)
    yield from _numbers("metric", before.closed.metrics, after.closed.metrics)


def _numbers(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        then, now = before.get(name), after.get(name)
        if name in before and name in after and _same(then, now):
            continue
        numbers = type(then) in {int, float} and type(now) in {int, float}
        yield Difference(
            kind=kind,
            name=name,
            before=repr(then) if name in before else "",
            after=repr(now) if name in after else "",
            change=now - then if numbers else None,
        )


def _same(then: Any, now: Any) -> bool:
    if type(then) is float and type(now) is float:
        return difference(then, now) == 0
    return type(then) is type(now) and bool(then == now)


def _model(name: str) -> str:
    """The model that a parameter is one of, `model.max_depth`; names that a cell binds have no dot."""
    return name.partition(".")[0] if "." in name else ""


def _given(seed: int | None) -> str:
    return "" if seed is None else str(seed)


def _drawn(cells: Iterable[CellRecord]) -> Iterator[tuple[str, tuple[CellRecord, GeneratorUse]]]:
    """The first use of each generator that was drawn from."""
    known: set[str] = set()
    for record in cells:
        for use in record.generators:
            if use.consumed and use.name not in known:
                known.add(use.name)
                yield use.name, (record, use)


def _drew(drawn: tuple[CellRecord, GeneratorUse] | None) -> str:
    if drawn is None:
        return ""
    record, use = drawn
    shared = use.name.partition(".")[0] in SHARED_GENERATORS
    state = f", state {use.state[:8]}" if use.state is not None and shared and not use.seeded else ""
    return f"{'seeded' if use.seeded else 'nobody seeded it'}, {place(record.execution_count)}{state}"


def _ending(run: RecordedRun) -> str:
    error = run.trail[-1].error if run.trail else None
    status = run.closed.status.value.lower()
    return status if error is None else f"{status}, {error.type}: {error.message}"
