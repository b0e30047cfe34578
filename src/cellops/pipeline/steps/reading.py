"""What the checks look at, and how they say what they have found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cellops.pipeline.steps.cells import Division
from cellops.pipeline.steps.flow import Stretch
from cellops.pipeline.steps.modules import Modules
from cellops.pipeline.steps.wiring import Wiring
from cellops.records.finding import Severity
from cellops.records.step import StepGraph, StepProblem


@dataclass(frozen=True)
class Reading:
    """What the checks look at."""

    graph: StepGraph
    division: Division
    stretches: Sequence[Stretch]
    wiring: Wiring
    modules: Modules

    @property
    def parts(self) -> list[Stretch]:
        return [stretch for stretch in self.stretches if stretch.step is not None]

    def origin(self, order: int) -> Stretch:
        return self.stretches[order - 1]

    def taken(self, part: Stretch) -> Iterator[tuple[str, Stretch]]:
        """The names that a part takes from other steps, each with the part that gives it."""
        for name, order in sorted(self.wiring.takes[part.order].items()):
            origin = self.origin(order)
            if origin.step not in (None, part.step):
                yield name, origin


def who(stretch: Stretch) -> str:
    return "a shared cell" if stretch.step is None else f"step {stretch.step}"


def problem_at(
    code: str,
    place: tuple[int, int | None],
    seen: str,
    remedy: str,
    *,
    stretch: Stretch,
    severity: Severity = Severity.ERROR,
    steps: tuple[str, ...] | None = None,
    names: tuple[str, ...] = (),
) -> StepProblem:
    own = () if stretch.step is None else (stretch.step,)
    return StepProblem(
        code=code,
        severity=severity,
        cell=place[0],
        line=place[1],
        steps=own if steps is None else steps,
        names=names,
        seen=seen,
        remedy=remedy,
    )
