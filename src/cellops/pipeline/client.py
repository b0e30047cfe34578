"""papermill's client on one event loop: it names each cell to the kernel, saves on a timer and can be stopped."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any

import msgspec
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager

from cellops.capture import reporting
from cellops.capture.secrets import KNOWN, TARGET, keep_given
from cellops.capture.temporary import temporary_folder
from cellops.errors import NotebookError
from cellops.pipeline.cell_outputs import add_error, join_last, join_streams, left_on_purpose, shows_error, tell_lost
from cellops.pipeline.cell_title import title
from cellops.pipeline.kernel import KernelManager
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.silently import execute_silently
from cellops.records.execution import CellProgress, CellState
from cellops.records.sweep import Report

GRACE = 5.0
"""Seconds that an interrupted cell has to end before its kernel is killed."""
IOPUB_PATIENCE = 60
"""Seconds to wait for the output of a cell that has ended: a flood of it takes longer than nbclient's four."""


class StoppedError(Exception):
    """The execution was stopped from outside."""


class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no type information
    """Executes the code cells of one notebook in one kernel.

    Parameters
    ----------
    manager
        papermill's bookkeeper, which writes times and states into the metadata.
    stop
        Done when the execution shall end before its time; may be set from any thread.
    save
        Called every `kernel.save_interval` seconds while cells run.
    tell
        Called when a cell begins and when it ends.
    kernel
        Which kernel it is, and how it is used.
    between
        Python that the kernel executes before cells, by their index, and with the number of cells behind the last
        one if none has failed. It shows nothing and is no cell.
    on_report
        Called with what a run reports while it goes on.
    """

    km: Any
    kc: Any

    def __init__(
        self,
        manager: NotebookExecutionManager,
        *,
        stop: Future[None],
        save: Callable[[], None],
        tell: Callable[[CellProgress], None],
        kernel: KernelOptions,
        between: Mapping[int, str] | None = None,
        on_report: Callable[[Report], None] = lambda _: None,
    ) -> None:
        super().__init__(
            manager,
            kernel_name=kernel.name,
            iopub_timeout=IOPUB_PATIENCE,
            # Lost output is said in the cell; it is no reason to lose the run.
            raise_on_iopub_timeout=False,
            kernel_manager_class=KernelManager,
            resources={"metadata": {"path": str(kernel.folder)}},
            # nbclient would repeat on stderr what our errors say; a logger of its own keeps everybody else's as it is.
            log=logging.Logger("cellops.pipeline", level=logging.CRITICAL),
        )
        keep_given(kernel.environment)
        self.comm_open_handlers[TARGET] = _learn_secret
        self.comm_open_handlers[reporting.TARGET] = partial(_hear, on_report)
        self.stop = stop
        self.save = save
        self.tell = tell
        self.kernel = kernel
        self.between = between or {}
        self.begun = False
        """Whether the kernel was ready, so that there is something to save."""
        self.left = False
        """Whether a cell has ended the notebook on purpose, by `sys.exit()`."""
        self.failed: int | None = None
        """Index of the cell that ended the execution; its last output says why."""
        self._room = ExitStack()
        """The event loop of the kernel's channels, and the folder of their sockets."""
        self._language: object = None

    def execute(self) -> None:
        """Execute the notebook to its end or to the first cell that fails; no kernel is left behind."""
        spare = None if self.kernel.spares is None else self.kernel.spares.take()
        if spare is not None:
            self._take_over(spare)
        with self._room:
            if spare is None:
                self._enter_room()
            self._runner.run(self._execute(is_started=spare is not None))

    def start_ahead(self) -> "Client":
        """Start the kernel, which executes the notebook of whoever takes it over."""
        try:
            self._enter_room()
            self._runner.run(self._start())
        except BaseException:
            self.leave()
            raise
        return self

    def leave(self) -> None:
        """End a kernel that nobody has taken over."""
        self.shutdown_kernel = "immediate"
        with self._room:
            if self.km is not None:
                self._runner.run(self._async_cleanup_kernel())

    def _enter_room(self) -> None:
        # The selector loop is the one that zmq can use on every platform.
        self._runner = self._room.enter_context(asyncio.Runner(loop_factory=asyncio.SelectorEventLoop))
        self._sockets = self._room.enter_context(temporary_folder())

    def _take_over(self, spare: "Client") -> None:
        self._room, self._runner = spare._room, spare._runner
        self.km, self.kc, self._language = spare.km, spare.kc, spare._language

    async def _execute(self, *, is_started: bool) -> None:
        self.reset_execution_trackers()
        stopped = asyncio.wrap_future(self.stop)
        try:
            await self._unless(stopped, self._surround() if is_started else self._start())
            self.nb.metadata["language_info"] = self._language
            self.begun = True
            saving = asyncio.ensure_future(self._save_now_and_then())
            try:
                await self._execute_cells(stopped)
                if self.failed is None and not self.left:
                    await self._silently(stopped, len(self.nb.cells))
            finally:
                saving.cancel()
                self.set_widgets_metadata()
        finally:
            stopped.cancel()
            # nbclient has already cleaned up after a kernel that never became ready.
            if self.km is not None:
                await self._async_cleanup_kernel()

    async def _surround(self) -> None:
        """Give a kernel that was started ahead the environment that it is to have."""
        given = {name: value for name, value in self.kernel.environment.items() if os.environ.get(name) != value}
        await execute_silently(self, f"__import__('os').environ.update({given!r})")

    async def _start(self) -> None:
        self.km = self.create_kernel_manager()
        self.km.use_sockets(self._sockets)
        if self.kernel.interpreter is not None:
            self.km.use_interpreter(self.kernel.interpreter)
        if self.kernel.forkserver is not None:
            self.km.use_forkserver(self.kernel.forkserver)
        if self.km.ipykernel:
            # It warns at each start that its channels are not encrypted: they are this machine's own. And what is
            # executed here was not typed by the person whose history IPython keeps.
            self.extra_arguments = ["--IPKernelApp.log_level=40", "--HistoryManager.enabled=False"]
        await self.async_start_new_kernel(env=dict(self.kernel.environment))
        await self.async_start_new_kernel_client()
        reply = await self.async_wait_for_reply(self.kc.kernel_info())
        self._language = reply["content"]["language_info"]

    async def _silently(self, stopped: "asyncio.Future[None]", index: int) -> None:
        """Let the kernel execute what is no cell, where there is such before the cell of an index.

        Raises
        ------
        StepError
            When it fails, or the kernel dies of it.
        """
        if index in self.between:
            await self._unless(stopped, execute_silently(self, self.between[index]))

    async def _execute_cells(self, stopped: "asyncio.Future[None]") -> None:
        for index, cell in enumerate(self.nb.cells):
            await self._silently(stopped, index)
            self.nb_man.cell_start(cell, index)
            started = time.perf_counter()
            runs = cell.cell_type == "code" and bool(cell.source.strip())
            if runs:
                self._tell(index, cell, 0.0, CellState.RUNNING)
            try:
                await self._unless(stopped, self.async_execute_cell(cell, index), self.kernel.cell_timeout)
            except (CellExecutionError, DeadKernelError, TimeoutError) as error:
                if left_on_purpose(error):
                    self.left = True
                    return
                self.failed = index
                await self._explain(error, cell)
                self.nb_man.cell_exception(cell, index)
                return
            except StoppedError:
                self.nb_man.cell_exception(cell, index)
                raise
            finally:
                self.nb_man.cell_complete(cell, index)
                if runs:
                    state = CellState.FAILED if cell.metadata.papermill["exception"] else CellState.DONE
                    self._tell(index, cell, time.perf_counter() - started, state)

    async def async_execute_cell(self, cell: NotebookNode, cell_index: int, **options: object) -> NotebookNode:
        """Execute one cell, telling the kernel its id as JupyterLab does."""
        self.kc.session.metadata = {"cellId": cell.id}
        try:
            executed: NotebookNode = await super().async_execute_cell(cell, cell_index, **options)
        finally:
            join_streams(cell)
        tell_lost(cell)
        return executed

    async def _check_raise_for_error(
        self, cell: NotebookNode, cell_index: int, exec_reply: dict[str, Any] | None
    ) -> None:
        """Join the cell's streams first, for nbclient's error quotes them whole."""
        join_streams(cell)
        await super()._check_raise_for_error(cell, cell_index, exec_reply)

    async def _unless(
        self, stopped: "asyncio.Future[None]", work: Coroutine[None, None, object], timeout: float | None = None
    ) -> None:
        """Wait for the work, which ends early when the execution is stopped or the time is over."""
        task = asyncio.create_task(work)
        awaited: set[asyncio.Future[Any]] = {task, stopped}
        await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return
        await self._interrupt(task)
        if stopped.done():
            raise StoppedError
        raise TimeoutError

    async def _interrupt(self, task: "asyncio.Future[object]") -> None:
        """Interrupt the kernel, so that the cell ends with its traceback; kill it when that does not help."""
        if self.begun:
            await self.km.interrupt_kernel()
            await asyncio.wait({task}, timeout=GRACE)
        if not task.done():
            self.shutdown_kernel = "immediate"
            await self._kill()
            task.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task

    async def _kill(self) -> None:
        if self.km.has_kernel:
            await self.km.shutdown_kernel(now=True)

    async def _explain(self, error: Exception, cell: NotebookNode) -> None:
        """Let the cell show why it failed where its kernel could not."""
        if isinstance(error, CellExecutionError):
            if not shows_error(cell):
                add_error(cell, error.ename, error.evalue)
        elif isinstance(error, DeadKernelError):
            add_error(cell, "DeadKernelError", await self.km.cause_of_death())
        else:
            limit = f"{self.kernel.cell_timeout:g} s"
            add_error(cell, "TimeoutError", f"the cell took longer than {limit}, the longest for one cell (--timeout)")

    async def _save_now_and_then(self) -> None:
        pause = self.kernel.save_interval
        while True:
            await asyncio.sleep(pause)
            started = time.perf_counter()
            # A full disk is told when the notebook is saved for the last time; until then there may be room again.
            with contextlib.suppress(NotebookError):
                self.save()
            # A huge notebook is saved less often: saving holds up the messages of the kernel.
            pause = max(self.kernel.save_interval, 20 * (time.perf_counter() - started))

    def output(
        self, outs: list[NotebookNode], msg: dict[str, object], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Append an output; text that continues the stream before it is joined to it."""
        output: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        return None if output is None else join_last(outs, output)

    def _tell(self, index: int, cell: NotebookNode, seconds: float, state: CellState) -> None:
        total = len(self.nb.cells)
        self.tell(CellProgress(index=index, total=total, title=title(cell.source), seconds=seconds, state=state))


def _learn_secret(message: dict[str, Any]) -> None:
    """The kernel has made a value a secret: its outputs are written without it from now on."""
    value = message["content"]["data"].get("value")
    if isinstance(value, str):
        KNOWN.add(value)


def _hear(on_report: Callable[[Report], None], message: dict[str, Any]) -> None:
    """A run has reported how it stands; what is no report of ours is passed over."""
    with contextlib.suppress(msgspec.ValidationError):
        on_report(msgspec.convert(message["content"]["data"], Report))
