"""What steps hand on to each other: values, and the cells that made them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cellops.capture.files.watcher import completed
from cellops.records.handover import HandedOver, Handover
from cellops.records.step import Step
from cellops.records.step_trail import StepTrail
from cellops.records.stored import StoredValue


class Handed(NamedTuple):
    """What a step has handed on."""

    values: Mapping[str, StoredValue]
    """By name."""
    trail: StepTrail

    @classmethod
    def of(cls, values: Iterable[StoredValue], trail: StepTrail) -> "Handed":
        return cls({name: value for value in values for name in value.names}, trail)


class Taken(NamedTuple):
    """What a step takes from others."""

    values: Mapping[str, StoredValue]
    """By name; a name that its producer has not bound is not among them."""
    producers: Mapping[str, Handed]
    """For each of the names, all that its producer has handed on."""

    def handover(self, step: Step, store: Path, answer: Path) -> Handover:
        """The same as the kernel of a step is told."""
        sessions = {name: handed.trail.session for name, handed in self.producers.items()}
        return Handover(
            step=step.name,
            store=str(store),
            values=tuple(dict.fromkeys(self.values.values())),
            names=tuple(self.values),
            outputs=step.outputs,
            answer=str(answer),
            trail=joined(handed.trail for handed in self.producers.values()),
            sessions={name: session for name, session in sessions.items() if session is not None},
        )


def joined(trails: Iterable[StepTrail]) -> StepTrail:
    """One trail of several: the cells of a session once, behind those that they depend on, with places from 1."""
    held = list(trails)
    sessions = dict.fromkeys(cell.session for trail in held for cell in trail.cells)
    of_session = {cell.session: trail for trail in reversed(held) for cell in trail.cells}
    cells = [cell for session in sessions for cell in of_session[session].cells if cell.session == session]
    return StepTrail(
        cells=tuple(cell.replace(order=place) for place, cell in enumerate(cells, 1)),
        modules=tuple(dict.fromkeys(module for trail in held for module in trail.modules)),
        parameters={name: value for trail in held for name, value in trail.parameters.items()},
        widened=tuple(dict.fromkeys(text for trail in held for text in trail.widened)),
    )


def with_digests(found: HandedOver, project: Path) -> HandedOver:
    """An answer with the digests of files that were to be hashed beside the kernel's work."""
    cells = (cell.replace(files=tuple(completed(use, project) for use in cell.files)) for cell in found.trail.cells)
    found = found.replace(trail=found.trail.replace(cells=tuple(cells)))
    if (known := found.dependencies) is None:
        return found
    files = tuple(completed(use, project) for use in known.files)
    return found.replace(dependencies=known.replace(files=files))
