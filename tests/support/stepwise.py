"""A folder with one notebook, executed step by step."""

from pathlib import Path
from typing import Any

import nbformat

from cellops.pipeline.engine import execute, explain
from cellops.pipeline.stepwise.options import Reuse, StepsAsked
from cellops.records.execution import ExecutedNotebook
from cellops.records.step_progress import StepProgress, StepState


class Project:
    """A folder with one notebook, executed step by step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "notebook.ipynb"
        self.output = folder / "executed.ipynb"
        self.states: list[tuple[str, StepState]] = []
        self.reasons: dict[str, str] = {}
        self.stages: list[str] = []
        self.stop_at: StepState | None = None
        """At which state of a step Ctrl-C is pressed."""
        self.told: list[str] = []
        """The reasons of all states, one after the other."""

    def write(self, *sources: str) -> None:
        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
        notebook.cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]  # type: ignore[no-untyped-call]
        nbformat.write(notebook, self.path)  # type: ignore[no-untyped-call]

    def asked(self, reuse: Reuse = Reuse.ANYTHING, **options: Any) -> StepsAsked:
        return StepsAsked(folder=self.folder / ".cellops" / "steps", project=self.folder, reuse=reuse, **options)

    def execute(
        self, reuse: Reuse = Reuse.ANYTHING, values: dict[str, object] | None = None, **options: Any
    ) -> ExecutedNotebook:
        self.states.clear()
        self.reasons.clear()
        self.told.clear()
        self.stages.clear()
        environment = {"CELLOPS_PROJECT": str(self.folder), "CELLOPS_WRITER": "false"}
        return execute(
            self.path,
            self.output,
            values or {},
            environment=environment,
            steps=self.asked(reuse, **options),
            on_step=self._see,
            on_stage=self.stages.append,
        )

    def _see(self, event: StepProgress) -> None:
        self.states.append((event.step, event.state))
        self.told.append("; ".join(event.reasons))
        if event.state is self.stop_at:
            raise KeyboardInterrupt
        if event.reasons:
            self.reasons[event.step] = "; ".join(event.reasons)

    def explain(self, **options: Any) -> dict[str, tuple[str, ...]]:
        """Why each step would be executed; no reasons for those that would not."""
        return {told.step: told.reasons for told in explain(self.path, {}, self.asked(**options))}

    @property
    def executed(self) -> list[str]:
        return [step for step, state in self.states if state is StepState.DONE]

    @property
    def reused(self) -> list[str]:
        return [step for step, state in self.states if state is StepState.REUSED]

    def printed(self) -> str:
        cells = nbformat.read(self.output, as_version=4).cells  # type: ignore[no-untyped-call]
        return "".join(
            out.text for cell in cells for out in cell.outputs if out.output_type == "stream" and out.name == "stdout"
        )
