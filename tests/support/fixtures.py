"""Fixture notebooks of capture: what each holds, in which order it is driven, and what its records are to say."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import nbformat

from cellops.records.cell import CellRecord, Outcome
from cellops.records.finding import Finding
from cellops.records.run import RunClosed
from support.kernel import Kernel

Start = Callable[[str], Kernel]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is not named is empty; a key that nobody knows is refused."""


class ExpectedRun(Struct, frozen=True, kw_only=True):
    """What the record of a run says."""

    slice: tuple[int, ...]
    """Places on the trail."""
    widened: tuple[str, ...] = ()
    status: str = "FINISHED"
    parameters: dict[str, Any] = {}
    """Without those of models."""
    metrics: dict[str, float | None] = {}
    """None for a number that is another one each time."""
    models: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    """`ROLE NAME`."""
    files: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    figures: int = 0
    findings: tuple[str, ...] = ()
    """`CODE, PLACE` of those that the run has and its cell has not."""


class Expected(Struct, frozen=True, kw_only=True):
    """What the record of one execution of a cell says."""

    reads: str = ""
    """Names with blanks between them, in their order; so are these:"""
    writes: str = ""
    changed: str = ""
    deleted: str = ""
    uncertain: tuple[str, ...] = ()
    outcome: str = "ok"
    error: str | None = None
    """`TYPE, line NUMBER`; without the line where the cell was interrupted."""
    generators: dict[str, str] = {}
    """The generators that were consumed: `seeded` or `unseeded`."""
    files: tuple[str, ...] = ()
    """`MODE PATH`."""
    splits: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """`CODE, PLACE`."""
    run: ExpectedRun | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One thing that a person does, on the cell that `cell` names."""

    cell: str
    does: str = "run"
    """`run`; `open` to run it and leave it running; `edit` to change it only; `delete`."""
    source: str | None = None
    """What the cell is edited to before; one that is not there yet is made."""
    to: int | None = None
    """The place in the notebook that it is moved to before, from 0."""
    until: str | None = None
    """What the cell prints before the kernel is interrupted or killed, or goes on to the next step."""
    then: str | None = None
    """`interrupt` or `kill`, once it has printed that."""
    kernel: str = "first"
    beside: bool = False
    """Whether it runs on a subshell, beside the cell that is open."""
    captured: bool = True
    """Whether it leaves a record: a kernel that is killed writes none of the cell that it executes."""
    expected: Expected | None = None
    """In place of what the cell's own metadata say."""


@dataclass
class Fixture:
    """A notebook with its cells, files, order and expectations."""

    path: Path
    title: str
    cells: dict[str, str]
    expected: dict[str, Expected]
    order: tuple[Step, ...]
    interactive: bool
    files: dict[str, str]
    """What stands in the project beside it."""
    differs: str | None
    """Why executing a slice again cannot give the same values."""

    @classmethod
    def read(cls, path: Path) -> "Fixture":
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        cells = {cell.id: cell.source for cell in notebook.cells}
        given = notebook.metadata.get("order")
        order = given or [{"cell": name} for name in cells]
        found = {cell.id: cell.metadata.get("expected") for cell in notebook.cells}
        return cls(
            path=path,
            title=notebook.metadata.title,
            cells=cells,
            expected={name: msgspec.convert(dict(e), Expected) for name, e in found.items() if e is not None},
            order=tuple(msgspec.convert(dict(step), Step) for step in order),
            interactive=given is not None,
            files=dict(notebook.metadata.get("files", {})),
            differs=notebook.metadata.get("differs"),
        )

    def expectations(self) -> dict[str, list[Expected]]:
        """Those of each kernel's trail, in its order."""
        found: dict[str, list[Expected]] = {}
        for step in self.order:
            if step.does in ("run", "open") and step.captured:
                found.setdefault(step.kernel, []).append(step.expected or self.expected[step.cell])
        return found


@dataclass
class Driver:
    """Drives a fixture as a person does: cell by cell, with the notebook saved whenever it has been changed."""

    fixture: Fixture
    notebook: Path
    start: Start
    kernels: dict[str, Kernel] = field(default_factory=dict)
    trails: dict[str, list[str]] = field(default_factory=dict)
    """The sources that were executed, by kernel."""
    cells: dict[str, str] = field(default_factory=dict)
    """The notebook as it stands now."""
    _open: dict[str, str] = field(default_factory=dict)
    _subshells: dict[str, str] = field(default_factory=dict)

    def drive(self) -> None:
        self.cells = dict(self.fixture.cells)
        self.save()
        for step in self.fixture.order:
            self._change(step)
            if step.does in ("run", "open"):
                self._run(step)

    def save(self) -> None:
        """Save the notebook, at a moment that is surely behind the cells that have ended."""
        cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in self.cells.items()]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), self.notebook)
        os.utime(self.notebook, ns=(time.time_ns(), time.time_ns()))

    def _change(self, step: Step) -> None:
        if step.does == "delete":
            del self.cells[step.cell]
        if step.source is not None:
            self.cells[step.cell] = step.source
        if step.to is not None:
            names = [name for name in self.cells if name != step.cell]
            names.insert(step.to, step.cell)
            self.cells = {name: self.cells[name] for name in names}
        if step.does == "delete" or step.source is not None or step.to is not None:
            self.save()

    def _run(self, step: Step) -> None:
        if step.kernel not in self.kernels:
            self.kernels[step.kernel] = self.start(step.kernel)
        kernel, source = self.kernels[step.kernel], self.cells[step.cell]
        if step.captured:
            self.trails.setdefault(step.kernel, []).append(source)
        sent = kernel.send(source, step.cell, subshell=self._subshell(step.kernel) if step.beside else None)
        if step.until is not None:
            kernel.wait_for_output(step.until)
        if step.does == "open":
            self._open[step.kernel] = sent
        elif step.then == "kill":
            kernel.kill()
        else:
            if step.then == "interrupt":
                kernel.manager.interrupt_kernel()
                kernel.client.kernel_info()  # a waiting event loop sees the signal with its next message
            opened = self._open.pop(step.kernel, None)
            kernel.wait_for_all([sent, *([opened] if opened is not None else [])])

    def _subshell(self, name: str) -> str:
        if name not in self._subshells:
            self._subshells[name] = self.kernels[name].new_subshell()
        return self._subshells[name]


def seen(record: CellRecord, closed: RunClosed | None) -> Expected:
    """What a record says, in the words of an expectation."""
    return Expected(
        reads=" ".join(record.reads),
        writes=" ".join(record.writes),
        changed=" ".join(record.changed),
        deleted=" ".join(record.deleted),
        uncertain=record.uncertain,
        outcome=str(record.outcome),
        error=_error(record),
        generators={use.name: "seeded" if use.seeded else "unseeded" for use in record.generators if use.consumed},
        files=tuple(f"{file.mode} {file.path}" for file in record.files),
        splits=tuple(split.kind for split in record.splits),
        findings=_places(record.findings),
        run=_seen_run(record, closed) if closed is not None else None,
    )


def _error(record: CellRecord) -> str | None:
    """Where an interrupt arrives, nobody knows."""
    if record.error is None or record.outcome is Outcome.INTERRUPTED:
        return record.error.type if record.error else None
    return f"{record.error.type}, line {record.error.line}"


def _seen_run(record: CellRecord, closed: RunClosed) -> ExpectedRun:
    models = tuple(model.name for model in closed.models)
    own = tuple(f"{name}." for name in models)
    found = closed.slice
    return ExpectedRun(
        slice=found.cells if found is not None else (),
        widened=found.widened if found is not None else (),
        status=str(closed.status),
        parameters={name: value for name, value in closed.parameters.items() if not name.startswith(own)},
        metrics=dict(closed.metrics),
        models=models,
        data=tuple(f"{table.role} {table.name}" for table in closed.data),
        files=tuple(file.path for file in closed.files),
        modules=tuple(module.name for module in closed.modules),
        figures=len(closed.figures),
        findings=_places(finding for finding in closed.findings if finding not in record.findings),
    )


def _places(findings: Iterator[Finding] | tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(f"{finding.code}, {finding.where}" for finding in findings)
