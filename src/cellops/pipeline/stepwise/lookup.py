"""Whether a step has to be executed, and why."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellops.pipeline.cache.freshness import changed, stale
from cellops.pipeline.cache.interpreter import interpreter_of, with_variables
from cellops.pipeline.cache.key import key
from cellops.pipeline.gates.judging import unmeasured
from cellops.pipeline.stepwise.notebook import sources
from cellops.pipeline.stepwise.options import Reuse, Stepwise
from cellops.records.cached import KeptStep, StepKey
from cellops.records.step import Step
from cellops.records.stored import StoredValue

if TYPE_CHECKING:
    from nbformat import NotebookNode

NEW = "nothing is kept of it"


class Looked(NamedTuple):
    """What was found of a step."""

    key: StepKey
    places: tuple[int, ...]
    """Where the cells of the key's code stand."""
    kept: KeptStep | None
    """What may be used instead of executing it."""
    reasons: tuple[str, ...]
    """Why it is executed, where it is."""


def look_up(
    step: Step,
    source: "NotebookNode",
    values: Mapping[str, StoredValue],
    options: Stepwise,
    *,
    kernel: str,
    folder: Path,
    last_execution: str | None,
) -> Looked:
    """Look for what was kept of a step.

    Parameters
    ----------
    step
        The step.
    source
        The notebook as the person has it.
    values
        What other steps have handed on, by name.
    options
        What may be reused.
    kernel, folder
        The name of the kernel, and in which folder it works.
    last_execution
        The identifier of the execution of this notebook before this one.
    """
    texts, places = sources(step, source, options.parameters_cell)
    declares = options.parameters_cell in (*step.shared, *step.cells)
    now = key(
        texts,
        options.parameters if declares else {},
        {name: values[name].digest if name in values else None for name in step.inputs},
        outputs=step.outputs,
        folder=folder,
        project=options.project,
        parameters_cell=source.cells[options.parameters_cell].source if declares else None,
        kernel=with_variables(kernel),
        salt=options.cache.salt,
    )
    if options.seed is not None:
        now = now.replace(options=(*now.options, f"--seed {options.seed}"))
    found = Looked(now, tuple(places), None, ())
    last = options.cache.last(options.notebook, step.name)
    match options.reuse:
        case Reuse.NOTHING:
            return found
        case Reuse.LAST if last_execution is None:
            return found._replace(reasons=(f"{NEW}: an execution in one kernel keeps no steps",))
        case Reuse.LAST if last is None or last.execution != last_execution:
            return found._replace(reasons=("the last execution did not finish it",))
    problems: list[str] = []
    candidates = _same(last, now) if options.reuse is Reuse.LAST else options.cache.find(now, problems)
    reasons: list[str] = []
    for entry in candidates:
        missing = [name for run in entry.runs for name in unmeasured(run.closed, options.figures)]
        asked = [f"a gate asks for {name}, which was not measured" for name in dict.fromkeys(missing)]
        why = asked or _stale(entry, step, options, kernel)
        if not why:
            gone = options.cache.fetch(entry)
            if gone is None:
                return found._replace(kept=entry)
            why = [gone]
        reasons = reasons or why
    reasons += dict.fromkeys(problems)
    if not reasons:
        reasons = [NEW] if last is None else [*changed(last, now, found.places)] or ["what was kept of it was deleted"]
    return found._replace(reasons=tuple(reasons))


def _same(last: KeptStep | None, key: StepKey) -> list[KeptStep]:
    """The last execution of a step, where the same would be executed now."""
    return [] if last is None or last.key != key else [last]


def _stale(entry: KeptStep, step: Step, options: Stepwise, kernel: str) -> list[str]:
    now = interpreter_of(kernel)
    return list(stale(entry.dependencies, options.project, now, salt=options.cache.salt, declared=step.keep))
