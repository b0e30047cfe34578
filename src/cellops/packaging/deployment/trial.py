"""The steps of a test deployment as they are taken, with what each has shown."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cellops.errors import CellopsError
from cellops.records.deployment import BuiltEnvironment, DeploymentStep, LoadFigures, StepReport, WireParity


class EndedError(Exception):
    """A step has failed, and stands in the report."""


@dataclass
class Trial:
    """What has been seen until now."""

    on_stage: Callable[[str], None]
    on_step: Callable[[StepReport], None]
    steps: list[StepReport] = field(default_factory=list)
    environment: BuiltEnvironment | None = None
    parity: tuple[WireParity, ...] = ()
    load: LoadFigures | None = None
    answered: int = 0
    """Rows that the server has answered."""

    @contextlib.contextmanager
    def step(self, step: DeploymentStep) -> Iterator[list[str]]:
        """Take a step; what the block puts into the list is what was seen.

        Raises
        ------
        EndedError
            When it has failed: there is no next one.
        """
        said: list[str] = []
        began = time.perf_counter()
        try:
            yield said
        except CellopsError as error:
            self._ended(step, began, error)
            raise EndedError from error
        self._tell(
            StepReport(step=step, passed=True, seconds=round(time.perf_counter() - began, 3), said="; ".join(said))
        )

    def _ended(self, step: DeploymentStep, began: float, error: CellopsError) -> None:
        log = error.data.get("log", ())
        self._tell(
            StepReport(
                step=step,
                passed=False,
                seconds=round(time.perf_counter() - began, 3),
                said=error.fact,
                remedy=error.remedy,
                log=tuple(log) if isinstance(log, list | tuple) else (),
            )
        )

    def _tell(self, report: StepReport) -> None:
        self.steps.append(report)
        self.on_step(report)
