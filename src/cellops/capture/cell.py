"""The hooks around a cell: open a record before it, close it after, and never be the reason that it fails."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from cellops.capture import header, step_header
from cellops.capture.dataflow.analysis import NOT_READ, analyse
from cellops.capture.ending import ending_of
from cellops.capture.header import Header
from cellops.capture.loading import executing, only_sets_up
from cellops.capture.redaction import distinct_secrets, distinct_values, redact_source, secrets_in
from cellops.capture.secrets import annotated, keep, keep_given, literals
from cellops.capture.watcher import Ending, OpenCell, Seen, Watcher
from cellops.records.cell import CellRecord, place


class Listener(Protocol):
    """Who is told of cells: the session."""

    def cell_opened(self, cell: OpenCell) -> None: ...

    def cell_closed(self, cell: OpenCell, record: CellRecord) -> None: ...


class CellCapture:
    """Registers the transformer and the hooks with an IPython shell, and takes them away again."""

    def __init__(
        self,
        shell: Any,
        session: str,
        listener: Listener,
        *,
        accepts: Callable[[str, str], bool],
        watchers: Iterable[Watcher[Any]],
        on_fault: Callable[[BaseException], None],
        above: int = 0,
    ) -> None:
        self._shell = shell
        self._accepts = accepts
        self._transformer = partial(header.strip, accepts=accepts)
        self._session = session
        self._listener = listener
        self._guard = _Guard(on_fault)
        self._order = above
        """The place of the cell that was opened last; `above` stand on the trail before this kernel's own."""
        self._open: list[OpenCell] = []
        self._watchers = tuple(watchers)
        self._pid = os.getpid()
        self._secrets: set[str] = set()
        """What the trail's sources bind to the names of secrets: an error can repeat it."""
        self.where = "session"
        """The cell that was opened last, as a place."""
        self.overheads: list[float] = []
        """What each captured cell paid in all, in seconds: record, journal, page and, for runs, evidence."""

    def start(self) -> None:
        keep_given(os.environ)
        self._shell.input_transformers_cleanup.append(self._transformer)
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        for watcher in self._watchers:
            with self._guard:
                watcher.start(self._shell)
        for info, line in executing():
            if not only_sets_up(info.raw_cell):
                with self._guard:
                    self._before(info, line)

    def stop(self) -> None:
        for watcher in self._watchers:
            with self._guard:
                watcher.stop()
        with contextlib.suppress(ValueError):
            self._shell.input_transformers_cleanup.remove(self._transformer)
        for event, callback in (("pre_run_cell", self.before), ("post_run_cell", self.after)):
            with contextlib.suppress(ValueError):
                self._shell.events.unregister(event, callback)

    def before(self, info: Any) -> None:
        """IPython's `pre_run_cell`."""
        with self._guard:
            self._before(info)

    def after(self, result: Any) -> None:
        """IPython's `post_run_cell`."""
        with self._guard:
            self._after(result)

    def _before(self, info: Any, begun: int | None = None) -> None:
        if os.getpid() != self._pid:
            return
        clock = time.perf_counter()
        thread = threading.get_ident()
        inside = [cell for cell in self._open if cell.thread == thread]
        if inside and not info.store_history and (inside[-1].header or header.find(info.raw_cell) is None):
            return  # a cell magic such as %%capture runs the cell's body again
        if not _is_nested():
            for lost in inside:
                self._close(lost, None)
        self._order += 1
        # IPython counts up before a cell or behind it, as it is old; its display hook knows the number in both.
        count = self._shell.displayhook.prompt_count if info.store_history or inside else None
        self.where = place(count)
        cell = OpenCell(info, self._order, info.raw_cell, None, thread, count, begun, flow=NOT_READ)
        with self._guard:
            self._understand(cell)
        self._open.append(cell)
        try:
            self._listener.cell_opened(cell)
        finally:
            for watcher in self._watchers:
                with self._guard:
                    cell.states[watcher.name] = watcher.before(cell)
            cell.started = time.time()
            cell.opening = time.perf_counter() - clock
            cell.clock = time.perf_counter()

    def _understand(self, cell: OpenCell) -> None:
        """Read the source of a cell; what a fault of ours keeps from being read may have done anything."""
        cell.header = self._accepted(cell.source) if cell.begun is None else None
        cell.body = self._python(cell.info, cell.header)
        for text in literals(cell.body):
            keep(text)
        cell.step = self._step(cell)
        cell.flow = analyse(cell.body)

    def _accepted(self, source: str) -> Header | None:
        """The header of a cell, unless one is wrong: then the magic `%%mlops` refuses it and nothing of it runs."""
        found = header.headers(source)
        right = all(not one.keeps_the_cell or self._accepts(one.verb, one.arguments) for one in found)
        right = right and all(one.verb != header.STEP for one in found[1:])
        return header.find(source) if right else None

    @staticmethod
    def _step(cell: OpenCell) -> str | None:
        """The step that the cell's header names, if that was accepted."""
        found = header.step(cell.source) if cell.header is not None else None
        return None if found is None else step_header.read(found.arguments).name

    def _python(self, info: Any, found: Header | None) -> str:
        """The cell as IPython executes it, with the body of magics that only wrap it, `%%time` among them."""
        given = getattr(info, "transformed_cell", None)
        given = given if isinstance(given, str) else str(self._shell.transform_cell(info.raw_cell))
        if not given.startswith("get_ipython().run_cell_magic("):
            return given
        if found is None and info.raw_cell.lstrip().startswith(header.MARK):
            return ""
        body = header.python_body(info.raw_cell)
        return given if body is None else str(self._shell.transform_cell(body)) if body else ""

    def _after(self, result: Any) -> None:
        cell = self._find(result)
        if cell is not None:
            clock = time.perf_counter()
            self._close(cell, result)
            self.overheads.append(cell.opening + time.perf_counter() - clock)

    def _find(self, result: Any) -> OpenCell | None:
        """The cell that a result belongs to; an interrupted async cell comes with new info, or with none."""
        info = getattr(result, "info", None)
        for cell in self._open:
            if cell.info is info:
                return cell
        thread = threading.get_ident()
        mine = [cell for cell in self._open if cell.thread == thread]
        if not mine or (info is not None and info.raw_cell != mine[-1].source):
            return None
        return mine[-1]

    def _close(self, cell: OpenCell, result: Any) -> None:
        now = time.perf_counter()
        duration = now - cell.clock
        self._open.remove(cell)
        self._secrets |= secrets_in(cell.source)
        self._keep_secrets(cell)
        ending = ending_of(result, self._secrets)
        seen = [seen for watcher in self._watchers if (seen := self._seen(watcher, cell, ending)) is not None]
        record = CellRecord(
            session=self._session,
            order=cell.order,
            source=redact_source(cell.source),
            started=cell.started,
            duration=duration,
            overhead=cell.opening + time.perf_counter() - now,
            outcome=ending.outcome,
            verb=cell.header.verb if cell.header else None,
            step=cell.step,
            execution_count=cell.execution_count,
            cell_id=cell.id,
            error=ending.error,
            reads=cell.flow.reads,
            writes=cell.flow.writes,
            uncertain=cell.flow.uncertain,
            findings=tuple(finding for one in seen for finding in one.findings),
            run=cell.run,
        ).replace(**cell.fields)
        self._listener.cell_closed(cell, record)

    def _keep_secrets(self, cell: OpenCell) -> None:
        """Know what the cell bound to the names of secrets: it may be given other names, and stand in other values."""
        namespace = self._shell.user_ns
        given = [namespace.get(name) for name in annotated(cell.body)]
        found = distinct_secrets(cell.source) | distinct_values(cell.flow.writes, namespace)
        for value in (*found, *(value for value in given if type(value) is str)):
            keep(value)

    def _seen(self, watcher: Watcher[Any], cell: OpenCell, ending: Ending) -> Seen | None:
        """What a watcher saw; nothing where it failed, now or before the cell."""
        with self._guard:
            if watcher.name in cell.states:
                found = watcher.after(cell, cell.states[watcher.name], ending)
                cell.fields.update(found.fields)
                return found
        return None


class _Guard:
    """A fault of ours becomes a finding; a forked child is not our session."""

    def __init__(self, on_fault: Callable[[BaseException], None]) -> None:
        self._on_fault = on_fault
        self._pid = os.getpid()

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> bool:
        if not isinstance(fault, (Exception, KeyboardInterrupt, SystemExit)) or os.getpid() != self._pid:
            return False
        with contextlib.suppress(Exception):  # the user's cell must not see it
            self._on_fault(fault)
        return True


def _is_nested() -> bool:
    """Whether a cell is being executed below the hook that asks: `get_ipython().run_cell` inside of a cell."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "run_code" and frame.f_code.co_filename.endswith("interactiveshell.py"):
            return True
    return False
