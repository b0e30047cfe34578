"""What a sweep will do: all that was asked is held against the notebook before a kernel starts."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.redaction import redact_value
from cellops.capture.secrets import REDACTED
from cellops.errors import UsageError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.gates.notebook import computed_by_runs, likely_metrics, opens_no_run
from cellops.pipeline.parameters.binding import Given
from cellops.pipeline.parameters.declaration import declared
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.preparation import Preparation, prepare
from cellops.pipeline.refusals import Refusals
from cellops.pipeline.sweep.direction import is_maximized
from cellops.pipeline.sweep.samplers import SAMPLERS
from cellops.pipeline.sweep.samplers.grid import Grid
from cellops.pipeline.sweep.samplers.random import Random
from cellops.pipeline.sweep.samplers.tpe import Tpe, is_installed
from cellops.pipeline.sweep.space import Space, read_space
from cellops.records.sweep import SweepBegun, Trial

if TYPE_CHECKING:
    from nbformat import NotebookNode

REPORTS = re.compile(r"\breport\(")
"""What may give a run a metric that its cell does not compute under that name."""
NAMES_A_PLACE = ("env:", "file:")
INSTALL = "pip install 'cellops[sweep]' brings a sampler that learns (tpe)"


@dataclass(frozen=True, kw_only=True)
class SweepAsked:
    """What a person asks of a sweep."""

    notebook: Path
    space: Mapping[str, object] = field(default_factory=dict)
    parameters_file: Path | None = None
    metric: str | None = None
    maximize: bool | None = None
    """None for what the metric's name tells."""
    trials: int | None = None
    sampler: str | None = None
    """None for the one that fits."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep will do."""

    made: Preparation
    space: Space
    metric: str
    maximize: bool
    sampler: str
    planned: int | None
    """How many trials there will be; None where only the sampler knows."""
    fixed: dict[str, str]
    cells: tuple[str, ...]
    """Digests of the notebook's code cells."""
    notes: tuple[str, ...]


def plan(asked: SweepAsked, refusals: Refusals) -> Plan:
    """Hold what is asked against the notebook.

    Parameters
    ----------
    refusals
        What the caller has found wrong: it is raised with the rest.

    Raises
    ------
    UsageError, ParameterError, NotFoundError, NotebookError, UnfitError
        Naming all that stands in the way.
    """
    notebook = asked.notebook.resolve()
    source = notebook_file.read(notebook)
    space, notes = Space(), list[str]()
    with refusals.collecting():
        space = read_space(declared(source, notebook.parent), asked.space)
    with refusals.collecting():
        space.refuse()
    with refusals.collecting():
        _check_metric(asked.metric, source, notebook)
    sampler = Random.name
    with refusals.collecting():
        sampler = _sampler(asked, space, notes)
    made = prepare(
        notebook,
        space.sample(),
        folder=notebook.parent,
        parameters_file=asked.parameters_file,
        refusals=refusals,
    )
    assert asked.metric is not None  # noqa: S101 - it was refused otherwise
    maximize = is_maximized(asked.metric) if asked.maximize is None else asked.maximize
    if asked.maximize is None and not maximize:
        notes.append(f"Minimizing {asked.metric}; --maximize for the other way.")
    # What is searched comes with each trial.
    made.given = {name: given for name, given in made.given.items() if name not in space.written()}
    made.bound = {name: value for name, value in made.bound.items() if name in made.given}
    return Plan(
        made=made,
        space=space,
        metric=asked.metric,
        maximize=maximize,
        sampler=sampler,
        planned=_planned(asked, space, sampler, notes),
        fixed={name: _fixed(made, name, given) for name, given in made.given.items()},
        cells=digests(source),
        notes=tuple(notes),
    )


def digests(source: "NotebookNode") -> tuple[str, ...]:
    """A digest of each code cell, by which an edited one is told."""
    return tuple(
        hashlib.sha256(cell.source.encode(errors="backslashreplace")).hexdigest()[:16]
        for cell in source.cells
        if cell.cell_type == "code"
    )


def _check_metric(metric: str | None, source: "NotebookNode", notebook: Path) -> None:
    """Refuse a metric that no run can have, as far as the source tells."""
    if opens_no_run(source):
        fact = f"No cell of {notebook.name} opens a run, and a sweep compares the metrics of runs"
        remedy = "Begin the cell that computes the metric with %%mlops run, below a cell with %load_ext cellops"
        raise UsageError(fact, remedy=remedy)
    likely = ", ".join(likely_metrics(source)) or "nothing that is likely a metric"
    if not metric:
        fact = "What makes a trial better is not said"
        raise UsageError(fact, remedy=f"Name a metric: --metric NAME. The run cells compute {likely}")
    known = computed_by_runs(source)
    if known is None or metric.partition(".")[0] in known or any(REPORTS.search(c.source) for c in source.cells):
        return
    fact = f"No run cell of {notebook.name} computes {metric}, so no trial could have it as its metric"
    near = get_close_matches(metric, known, n=1)
    raise UsageError(fact, remedy=f"Did you mean --metric {near[0]}?" if near else f"They compute {likely}")


def _sampler(asked: SweepAsked, space: Space, notes: list[str]) -> str:
    """The sampler that was asked for, or the one that fits, which is said."""
    if asked.sampler is not None and asked.sampler not in SAMPLERS:
        near = get_close_matches(asked.sampler, SAMPLERS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(SAMPLERS)}"
        fact = f"There is no sampler {asked.sampler}"
        raise UsageError(fact, remedy=hint)
    endless = [dimension.name for dimension in space.dimensions if dimension.size is None]
    if asked.sampler == Grid.name and endless:
        fact = f"A grid needs values that can be counted, and {' and '.join(endless)} may be any number of a range"
        raise UsageError(fact, remedy=f"Give a step, as in 0.1:0.5:0.1, or choices; or take --sampler {Random.name}")
    if asked.sampler == Tpe.name and not is_installed():
        fact = "The sampler tpe needs Optuna, which is not installed"
        raise UsageError(fact, remedy=f"Install it with: pip install 'cellops[sweep]'; or take --sampler {Random.name}")
    if asked.trials is None and endless and space.dimensions:
        fact = f"How many trials there shall be is not said, and {' and '.join(endless)} may be any number of a range"
        raise UsageError(fact, remedy="Give --trials N, or a step behind the range")
    if asked.trials is None and asked.sampler in (Random.name, Tpe.name):
        fact = f"The sampler {asked.sampler} goes on for as long as it may"
        raise UsageError(fact, remedy="Say how many trials there shall be: --trials N")
    if asked.sampler is not None:
        return asked.sampler
    if asked.trials is None or (space.size is not None and space.size <= asked.trials):
        return Grid.name
    if is_installed():
        notes.append("The sampler is tpe, which learns from the trials before; --sampler random or grid for another.")
        return Tpe.name
    notes.append(f"The sampler is random; {INSTALL}.")
    return Random.name


def _planned(asked: SweepAsked, space: Space, sampler: str, notes: list[str]) -> int | None:
    size, trials = space.size, asked.trials
    if size is None or sampler == Tpe.name:
        return trials
    if trials is None or trials > size:
        if trials is not None:
            notes.append(f"There are only {size:,} combinations, fewer than {trials:,} trials: each is tried once.")
        return size
    if sampler == Grid.name and trials < size:
        notes.append(f"The first {trials:,} of {size:,} combinations are tried.")
    return trials


def _fixed(made: Preparation, name: str, given: Given) -> str:
    """A value that all trials have, as it is told: of a secret only where it comes from."""
    value = made.bound.get(name)
    if type(value).__name__ == "Secret":
        text = str(given.value)
        return text if text.startswith(NAMES_A_PLACE) else REDACTED
    text = given.value if isinstance(given.value, str) else as_text(plain(value))
    return str(redact_value(name, text))


def as_text(value: object) -> str:
    """A plain value as it is typed behind `-p NAME`."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def command_of(plan: Plan, begun: SweepBegun, best: Trial | None) -> str:
    """What executes the notebook with the values of a trial, to be typed."""
    if best is None:
        return ""
    values = {**begun.fixed, **{name: as_text(value) for name, value in best.values.items()}}
    words = ["cellops", "execute", notebook_file.from_here(plan.made.notebook)]
    for name, text in values.items():
        words += ["-p", name, text]
    words += [] if begun.kernel_seed is None else ["--seed", str(begun.kernel_seed)]
    return shlex.join(words)
