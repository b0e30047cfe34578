"""The notebook face: `%load_ext cellops`, `%mlops VERB` and `%%mlops VERB`."""

import atexit
import contextlib
import sys
from collections.abc import Callable, Iterator, MutableMapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import click

from cellops import settings
from cellops.commands import Verbs
from cellops.errors import UsageError
from cellops.flows import headers
from cellops.flows.open_run import RunOptions
from cellops.flows.recovery import recover_beside
from cellops.flows.session import Session, require, without_header
from cellops.flows.session_place import is_execution
from cellops.records.cell import CellRecord
from cellops.records.handover import Handover
from cellops.records.run import RunStatus, RunSummary
from cellops.records.sweep import Swept
from cellops.settings import Settings
from cellops.version import __version__
from cellops.widgets.page import Page

LOADED = "captures this session's cells · %mlops status · off: %unload_ext cellops"
SWITCHED_OFF = "captures nothing: CELLOPS_CAPTURE is false"
OVER_A_HEADER = ("%%time", "%%capture", "%%prun")
NOT_IN_A_NOTEBOOK = ("serve", "clean", "expect")
"""Verbs of the terminal that hold it until they end, that ask, or that are a verb of cells here."""


class LineVerbs(Verbs):
    """The verbs that only a notebook has, and those of the terminal that make sense on a line."""

    def list_commands(self, _context: click.Context) -> list[str]:
        shared = [name for name in _of_the_terminal() if name not in NOT_IN_A_NOTEBOOK]
        return [*self.commands, *shared]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in cell_verbs.commands:
            fact = f"{name} is a verb of a cell"
            raise UsageError(fact, remedy=f"Write %%mlops {name} on the first line of the cell")
        return super().get_command(context, name)

    def find(self, name: str) -> click.Command | None:
        own = super().find(name)
        found = None if own is not None or name in NOT_IN_A_NOTEBOOK else _of_the_terminal().get(name)
        return own or (_with_a_picture(found) if found is not None and name in PICTURES else found)


def _of_the_terminal() -> MutableMapping[str, click.Command]:
    """The verbs of the terminal, which are read when somebody asks for one."""
    from cellops.cli.verbs import terminal

    return terminal.commands


@click.group(cls=LineVerbs, context_settings={"help_option_names": ["-h", "--help"]})
def line_verbs() -> None:
    """Verbs on one line, `%mlops VERB`; the verbs of cells are run, parameters, step, features and expect."""


@line_verbs.command()
@click.pass_obj
def status(session: Session | None) -> None:
    """Findings on this kernel session, its runs, and what capturing cost."""
    from cellops import screens

    screens.status(require(session))


@line_verbs.command()
@click.argument("what", type=click.Choice(["runs", "rollout"]), default="runs")
@click.argument("model", required=False)
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs.")
@click.option("--server", default="http://127.0.0.1:8001", show_default=True, help="Admin port, for a rollout.")
def panel(what: str, model: str | None, limit: int, server: str) -> None:
    """The list of runs as a widget; or, by `%mlops panel rollout MODEL`, a rollout on a server, live."""
    from IPython.display import display

    if what == "rollout":
        _show_rollout(model, server)
        return
    from cellops.flows.runs import runs
    from cellops.widgets.runs import RunsPanel

    display(RunsPanel(runs(limit=limit)))  # type: ignore[no-untyped-call]


def _show_rollout(model: str | None, server: str) -> None:
    from IPython.display import display

    from cellops.flows.rollout import rollout
    from cellops.widgets.rollout import RolloutPanel

    if model is None:
        fact = "It is not said whose rollout to show"
        raise UsageError(fact, remedy="Write %mlops panel rollout MODEL")
    panel = RolloutPanel(lambda: rollout(model, server=server))
    handle = display(panel, display_id=True)  # type: ignore[no-untyped-call]
    panel.follow(handle.update)


def _with_a_picture(command: click.Command) -> click.Command:
    """The verb of the terminal with what a notebook shows instead of lines and an exit code."""
    shown = _with(command, PICTURES[str(command.name)])
    if command.name == "graph":
        shown.params = [_of_this_notebook(one) if one.name == "notebook" else one for one in command.params]
    return shown


def _of_this_notebook(parameter: click.Parameter) -> click.Parameter:
    optional = copy(parameter)
    optional.required = False
    return optional


@click.pass_obj
def _verify(session: Session | None, /, **options: Any) -> None:
    from IPython.display import display

    from cellops import screens
    from cellops.flows.verify import verify as work
    from cellops.widgets.proof import ProofPicture

    made = work(**options, on_progress=screens.progress, on_stage=screens.stage)
    if session is not None:
        session.proven(made)
    display(ProofPicture(made))  # type: ignore[no-untyped-call]


@click.pass_obj
def _graph(session: Session | None, /, notebook: Path | None, output: Path | None, form: str | None) -> None:
    """The graph of a notebook, of this one where none is named, as it was saved last."""
    from IPython.display import display

    from cellops import screens
    from cellops.flows.graph import graph as work
    from cellops.screens.graph.svg import GraphPicture

    own = require(session).notebook if notebook is None else notebook
    if own is None:
        fact = "This kernel does not know its notebook"
        raise UsageError(fact, remedy="Name it: %mlops graph NOTEBOOK")
    found = work(own)
    if output is None and form is None:
        display(GraphPicture(found))  # type: ignore[no-untyped-call]
        screens.problems(found)
    else:
        screens.graph(found, output, form)


@click.pass_obj
def _sweep(_session: Session | None, /, **options: Any) -> None:
    from IPython.display import display

    from cellops.cli.sweep import work
    from cellops.screens.sweep import SweepPicture

    def show(found: Swept) -> None:
        if found.picture is not None:
            display(SweepPicture(found))  # type: ignore[no-untyped-call]

    work(**options, on_shown=show)


@click.pass_obj
def _profile(_session: Session | None, /, tables: tuple[str, ...], **options: Any) -> None:
    from IPython import get_ipython
    from IPython.display import display

    from cellops import screens
    from cellops.flows.profile import profile as work

    shell = get_ipython()
    found = work(*tables, names={} if shell is None else shell.user_ns, **options)
    display(found)  # type: ignore[no-untyped-call]
    screens.saved(found)


@click.pass_obj
def _review(_session: Session | None, /, **options: Any) -> None:
    from IPython.display import display

    from cellops.cli.review import work
    from cellops.widgets.review import ReviewPanel

    work(**options, on_begun=lambda begun: display(ReviewPanel(begun)))  # type: ignore[no-untyped-call]


def _audit(package: Path, *, as_json: bool, everything: bool) -> None:
    from cellops import screens
    from cellops.flows.audit import audit

    screens.audited(audit(package), everything=everything, as_json=as_json)


PICTURES: dict[str, Callable[..., Any]] = {
    "audit": _audit,
    "graph": _graph,
    "profile": _profile,
    "review": _review,
    "sweep": _sweep,
    "verify": _verify,
}


class CellVerbs(Verbs):
    """The verbs that stand on the first line of a cell."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.commands and line_verbs.find(name) is not None:
            fact = f"{name} is a verb of a line"
            raise UsageError(fact, remedy=f"Write %mlops {name}, with one %")
        return super().get_command(context, name)


def _with(command: click.Command, callback: Callable[..., Any]) -> click.Command:
    """A command that does something else."""
    other = copy(command)
    other.callback = callback
    return other


def _misplaced(verb: str) -> click.Command:
    """A header that is taken off a cell before that runs: one that is reached as a magic stands in a wrong place."""

    def refuse(**_options: Any) -> None:
        fact = f"%%mlops {verb} stands where cellops cannot see it, and nothing of the cell has run"
        above = " and above other headers of cellops" if verb == "step" else ""
        where = f"Put it on the first line of the cell{above}, or right below {', '.join(OVER_A_HEADER)}"
        raise UsageError(fact, remedy=f"{where}; it is read as it stands: neither {{x}} nor $x is replaced in it")

    return _with(headers.VERBS[verb], refuse)


@dataclass(frozen=True)
class Given:
    """What a verb of a cell works with."""

    session: Session | None
    body: str
    namespace: dict[str, Any]


def _write_below(text: str) -> None:
    """Put a text into a new cell below, for a person to edit; where there is no shell, print it."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        print(text)
        return
    shell.set_next_input(text)
    print(f"{len(text.splitlines()) - 1} expectations are proposed in the cell below: edit them, then run it")


@click.pass_obj
def _expect(given: Given, /, table: str, infer: bool) -> None:
    from cellops import screens
    from cellops.flows.expect import expect as work
    from cellops.flows.expect import propose, refuse

    if infer:
        _write_below(f"%%mlops expect {table}\n{propose(table, given.body, given.namespace)}")
        return
    result = work(table, given.body, given.namespace, session=given.session)
    screens.expectations(result)
    refuse(result)


@click.group(
    cls=CellVerbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    commands=[*map(_misplaced, ("run", "parameters", "step", "features")), _with(headers.VERBS["expect"], _expect)],
)
def cell_verbs() -> None:
    """Verbs of a cell, `%%mlops VERB` on its first line; the body stays the plain cell that it is."""


def read_run_options(arguments: str) -> RunOptions:
    """The options of a run header.

    Raises
    ------
    UsageError
        When an option does not exist or does not fit.
    """
    with _clear():
        given = headers.read("run", arguments)
    called = given.pop("called")
    return RunOptions(**given | {"name": called or given["name"]})


@lru_cache(maxsize=64)
def accepts(verb: str, arguments: str) -> bool:
    """Whether a header that keeps its cell is right; if not, the magic below says what is wrong."""
    try:
        if headers.asks_for_help(arguments):
            return False
        headers.read(verb, arguments)
    except (UsageError, click.ClickException):
        return False
    return True


@contextlib.contextmanager
def _clear() -> Iterator[None]:
    """Click's errors as ours: one line with the nearest valid name."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.message)
    except click.Abort as error:
        # The kernel and its front ends know an interrupt by its own type; its notes say what was stopped.
        raise error.__cause__ or error from None
    except click.ClickException as error:
        fact, remedy = headers.explained(error)
        raise UsageError(fact, remedy=remedy) from error


class Announcer:
    """Shows a session's records to the page, and names a run that has ended below its cell."""

    def __init__(self, page: Page, *, summary: bool) -> None:
        self._page = page
        self._summary = summary

    def cell(self, record: CellRecord) -> None:
        self._page.cell(record)

    def run(self, summary: RunSummary) -> None:
        self._page.run(summary)
        if self._summary and summary.status is not RunStatus.RUNNING:
            from cellops import screens

            print(screens.run_line(summary))

    def proven(self, summary: RunSummary) -> None:
        self._page.run(summary)

    def warn(self, text: str) -> None:
        print(text, file=sys.stderr)


class Notebook:
    """What `%load_ext cellops` puts into a shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._page = Page()
        self._session: Session | None = None
        self.handover = Handover()
        """What this kernel takes over from those of other steps."""

    def load(self) -> None:
        """Say that cells are captured, after `begin`."""
        print(f"cellops {__version__} {LOADED if self.begin() else SWITCHED_OFF}")

    def begin(self, handover: Handover | None = None) -> bool:
        """Register the magics and begin to capture, unless that was done; say whether cells are captured.

        Switched off, headers are taken off cells and that is all. The kernel of a step is told what it takes over.
        """
        self.handover = handover or self.handover
        held = settings.load()
        if self._session is None and self._plain not in self._shell.input_transformers_cleanup:
            if held.capture:
                self._capture(held)
            else:
                self._shell.input_transformers_cleanup.append(self._plain)
            self._shell.register_magic_function(self.line, "line", "mlops")
            self._shell.register_magic_function(self.cell, "cell", "mlops")
        return self._session is not None

    def _capture(self, held: Settings) -> None:
        announcer = Announcer(self._page, summary=held.summary)
        names = self._shell.user_ns
        session = Session(held, names, parse=read_run_options, observer=announcer, handover=self.handover)
        session.attach(self._shell, accepts=accepts)
        self._session = session
        self._page.open(session.notebook_shown, call=not is_execution())
        recover_beside(held, announcer.warn)
        atexit.register(session.close)

    def unload(self) -> None:
        """Take everything away again."""
        if self._session is not None:
            atexit.unregister(self._session.close)
            self._session.close()
            self._session = None
            self._page.close()
        elif self._plain in self._shell.input_transformers_cleanup:
            self._shell.input_transformers_cleanup.remove(self._plain)
        for kind in ("line", "cell"):
            self._shell.magics_manager.magics[kind].pop("mlops", None)

    @property
    def session(self) -> Session | None:
        """What captures the cells; None where that is switched off."""
        return self._session

    @staticmethod
    def _plain(lines: list[str]) -> list[str]:
        return without_header(lines, accepts)

    def line(self, text: str) -> None:
        """Do one verb: %mlops VERB [OPTIONS]; %mlops --help lists them."""
        with _clear():
            line_verbs.main(headers.split(text), "%mlops", standalone_mode=False, obj=self._session)

    def cell(self, text: str, body: str = "") -> None:
        """Do one verb on a cell: %%mlops VERB [OPTIONS]; %%mlops --help lists them."""
        arguments = headers.split(text)
        given = Given(self._session, body, self._shell.user_ns)
        with _clear():
            cell_verbs.main(arguments, "%%mlops", standalone_mode=False, obj=given)
