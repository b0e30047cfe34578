"""A sweep that goes on: what it was, and that what is asked now is the same."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cellops.capture.secrets import REDACTED
from cellops.errors import UsageError
from cellops.pipeline.parameters.files import read_values
from cellops.pipeline.refusals import Refusals
from cellops.pipeline.sweep.ledger import History, going_on, last_of
from cellops.pipeline.sweep.planning import Plan, SweepAsked
from cellops.pipeline.sweep.space import One
from cellops.records.sweep import SweepBegun


def unfinished(journals: Path, notebook: Path, refusals: Refusals) -> History | None:
    """The last sweep over a notebook, unless somebody still works on it; a refusal is collected."""
    history = last_of(journals, notebook.resolve())
    with refusals.collecting():
        if history is None:
            fact = f"There is no sweep of {notebook.name} to be resumed"
            raise UsageError(fact, remedy="Leave --resume out to begin one")
        if history.is_alive:
            raise going_on(history.begun)
    return history


def filled(asked: SweepAsked, history: History) -> SweepAsked:
    """What is asked, and what was asked before where that says nothing."""
    begun = history.begun
    given = {} if asked.parameters_file is None else read_values(asked.parameters_file)
    fixed = {name: One(text) for name, text in begun.fixed.items() if text != REDACTED and name not in given}
    return replace(
        asked,
        space={**begun.space, **fixed, **asked.space},
        metric=asked.metric or begun.metric,
        maximize=begun.maximize if asked.maximize is None else asked.maximize,
        trials=asked.trials or begun.trials,
        sampler=asked.sampler or begun.sampler,
    )


def check_same(made: Plan, begun: SweepBegun, *, seed: int | None, models: str | None) -> None:
    """Refuse to go on with a sweep as another one: its trials could not be compared, or models are gone.

    Raises
    ------
    UsageError
        Naming all that differs.
    """
    found = list(_changed_cells(made.cells, begun.cells))
    found += _differing({**made.space.written(), **made.fixed}, {**begun.space, **begun.fixed})
    found += _differing(
        {"--metric": made.metric, "--sampler": made.sampler, "the direction": _direction(maximize=made.maximize)},
        {"--metric": begun.metric, "--sampler": begun.sampler, "the direction": _direction(maximize=begun.maximize)},
    )
    if seed is not None:
        found += _differing({"--seed": str(seed)}, {"--seed": _said(begun.kernel_seed)})
    if models is not None:
        found += _differing({"--models": models}, {"--models": begun.models})
    if found:
        fact = f"The sweep {begun.name} cannot be resumed: {'; '.join(found)}"
        remedy = "Put it back, or begin a new sweep without --resume"
        raise UsageError(fact, remedy=remedy, differences=found)


def _changed_cells(now: tuple[str, ...], before: tuple[str, ...]) -> Iterator[str]:
    if len(now) != len(before):
        yield f"the notebook had {len(before)} code cells and has {len(now)}"
    elif now != before:
        places = [str(place) for place, (one, other) in enumerate(zip(now, before, strict=True), 1) if one != other]
        yield f"code cell {' and '.join(places)} of the notebook has been edited since"


def _differing(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield f"{name} was {_said(before.get(name))} and is {_said(now.get(name))}"


def _direction(*, maximize: bool) -> str:
    return "to maximize" if maximize else "to minimize"


def _said(value: object) -> str:
    return "not given" if value is None else str(value)
