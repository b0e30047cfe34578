"""A run while its cell is being executed: what was asked of it, and what is read of code and environment meanwhile."""

import contextlib
import math
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

from cellops.capture.blobs import Blobs
from cellops.capture.environment.code import read_code_version
from cellops.capture.environment.description import prepare, read_environment
from cellops.capture.environment.locks import Archives, read_locks
from cellops.capture.environment.modules import Modules
from cellops.capture.names.bindings import Bindings
from cellops.capture.redaction import redact
from cellops.flows.session_place import EXECUTION
from cellops.records.base import Record, Value
from cellops.records.environment import Origin
from cellops.records.module import ModuleSource
from cellops.records.run import CodeVersion, Environment, RunClosed, RunOpened, RunReported
from cellops.settings import Settings


class RunOptions(Record, frozen=True, kw_only=True):
    """The options of `%%mlops run`."""

    name: str | None = None
    experiment: str | None = None
    seed: int | None = None
    training: tuple[str, ...] = ()
    """Inputs and target, where the cell's source does not show them: two expressions that name tables."""
    evaluation: tuple[str, ...] = ()
    model: bool = True
    gates: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Columns by whose values the evaluation rows fall into groups on which the model is measured."""


class OpenRun:
    """A run whose cell is being executed, the names as they stood before it, and its code version."""

    def __init__(
        self, opened: RunOpened, options: RunOptions, settings: Settings, before: Bindings, modules: Modules
    ) -> None:
        self.opened = opened
        self.options = options
        self.before = before
        self._settings = settings
        self._modules = modules
        self._reported: dict[str, tuple[int, float]] = {}
        self._next = 0
        """The step of a report that names none."""
        self._code: CodeVersion | None = None
        self._origins: dict[Path, Origin | None] = {}
        self._archives: Archives = {}
        self._reader = Thread(target=self._read, name="cellops-code-version", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        patches = Blobs(self._settings.folder / "patches")
        self._code = read_code_version(self._settings.project, patches, patch_limit=self._settings.patch_limit)
        with contextlib.suppress(OSError):
            self._modules.keep()
        self._origins = prepare()
        self._archives = read_locks(self._settings.project)

    def code(self) -> CodeVersion | None:
        self._reader.join()
        return self._code

    def report(self, values: Mapping[str, float], step: int | None) -> RunReported:
        """How metrics stand now; without a step, at the next one."""
        at = self._next if step is None else step
        self._next = max(self._next, at + 1)
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._reported.update({name: (at, value) for name, value in finite.items()})
        return RunReported(run=self.opened.run, step=at, values=finite, time=time.time())

    def with_reports(self, closed: RunClosed) -> RunClosed:
        """The record of the run with what it has reported; what its cell has computed under that name comes first."""
        if not self._reported:
            return closed
        last = {name: value for name, (_, value) in self._reported.items() if name not in closed.not_finite}
        steps = {name: step for name, (step, _) in self._reported.items()}
        return closed.replace(metrics={**last, **closed.metrics}, reported=steps)

    def environment(self) -> Environment:
        """In what the cell ran, with what it has imported and installed."""
        self._reader.join()
        return read_environment(self._origins, self._archives)

    def modules(self) -> tuple[ModuleSource, ...]:
        """The project's modules, with those that the cell has imported."""
        self._reader.join()
        return self._modules.keep()


def run_opened(
    options: RunOptions,
    *,
    session: str,
    name: str,
    order: int,
    notebook: str | None,
    parameters: dict[str, Value | list[Value]],
    step: str | None,
) -> RunOpened:
    """The beginning of a run, under a new key; `name` is for one that its options do not name."""
    return RunOpened(
        run=uuid.uuid4().hex,
        session=session,
        name=redact(options.name or "") or name,
        started=time.time(),
        order=order,
        experiment=options.experiment,
        notebook=notebook,
        seed=options.seed,
        execution=os.environ.get(EXECUTION),
        parameters=parameters,
        gates=options.gates,
        step=step,
    )


def default_name(notebook: str | None, number: int) -> str:
    return f"{Path(notebook).stem if notebook else 'session'}-{number}"
