"""What two runs were given and what they gave: parameters, randomness, outcomes and metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cellops.pipeline.compare.cells import apart
from cellops.pipeline.compare.written import execution, places
from cellops.pipeline.verify.differences import difference
from cellops.records.cell import CellRecord, GeneratorUse
from cellops.records.recorded import SHARED_GENERATORS, RecordedRun
from cellops.records.run_comparison import Difference

Drawn = tuple[CellRecord, GeneratorUse]
"""A cell, and how it drew from a generator."""


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


def generator_differences(before: Sequence[CellRecord], after: Sequence[CellRecord]) -> Iterator[Difference]:
    """Generators that a run drew from without a seed, beginning at another state than in the other run.

    A generator that a cell made anew has no state before it; what it drew is another one each time. In one session a
    generator that was seeded once is in another state too when it is drawn from again.
    """
    own, others = apart(before, after)
    named = places(before) | places(after)
    in_one_session = len(own) < len(before)
    new, other_new = dict(_drawn(own)), dict(_drawn(others))
    then, now = dict(_drawn(before[::-1])) | new, dict(_drawn(after[::-1])) | other_new
    for name in dict.fromkeys((*new, *other_new)):
        one, other = then.get(name), now.get(name)
        drew = [drawn[1] for drawn in (one, other) if drawn is not None]
        states = {use.state for use in drew}
        if all(use.seeded for use in drew):
            differs = in_one_session and len(states) > 1 and not any(use.renewed for use in drew)
        else:
            differs = len(drew) == 1 or len(states) > 1 or states == {None}
        if differs:
            yield _drawn_otherwise(name, one, other, named)


def _drawn_otherwise(name: str, one: Drawn | None, other: Drawn | None, named: Mapping[str, str]) -> Difference:
    split_twice = one is not None and other is not None and one[0].splits and other[0].splits
    return Difference(
        kind="generator",
        name=name,
        before=_drew(one, named),
        after=_drew(other, named),
        note="the split was drawn again" if split_twice else "",
    )


def metric_differences(before: RecordedRun, after: RecordedRun) -> Iterator[Difference]:
    """How the runs ended, and what they measured."""
    then, now = _ending(before), _ending(after)
    if then != now:
        yield Difference(kind="outcome", name="outcome", before=then, after=now)
    yield from _numbers("metric", before.closed.metrics, after.closed.metrics)


def _numbers(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        then: Any = before.get(name)
        now: Any = after.get(name)
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


def _drawn(cells: Iterable[CellRecord]) -> Iterator[tuple[str, Drawn]]:
    """The first use of each generator that was drawn from."""
    known: set[str] = set()
    for record in cells:
        for use in record.generators:
            if use.consumed and use.name not in known:
                known.add(use.name)
                yield use.name, (record, use)


def _drew(drawn: Drawn | None, named: Mapping[str, str]) -> str:
    if drawn is None:
        return ""
    record, use = drawn
    shared = use.name.partition(".")[0] in SHARED_GENERATORS
    state = f", state {use.state[:8]}" if use.state is not None and shared and not use.seeded else ""
    return f"{'seeded' if use.seeded else 'nobody seeded it'}, {named[execution(record)]}{state}"


def _ending(run: RecordedRun) -> str:
    error = run.trail[-1].error if run.trail else None
    status = run.closed.status.value.lower()
    return status if error is None else f"{status}, {error.type}: {error.message}"
