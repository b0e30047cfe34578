"""Where the screens' text goes, and how the text of others is put into it."""

import contextlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import printable, visible
from cellops.records.finding import Finding, Severity, merged

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
NOTEBOOK = 120
"""Characters in a line of a notebook's output."""
NARROWEST = 80
"""A narrower terminal breaks lines itself: a table squeezed into it is read by nobody."""
ENDLESS = 10_000
"""A file or a pipe gets each row in one line, for grep."""


ABOVE: ContextVar["Console | None"] = ContextVar("above", default=None)
"""The console that has a line of its own at the bottom, above which everything else is to be printed."""


@contextlib.contextmanager
def above(screen: "Console") -> Iterator[None]:
    """Print everything above the line that stands at the bottom of a console."""
    token = ABOVE.set(screen)
    try:
        yield
    finally:
        ABOVE.reset(token)


def console() -> "Console":
    """Where results go: the terminal, a pipe without colours, or, as one coloured text, the output of the cell."""
    from rich.console import Console

    screen = ABOVE.get()
    if screen is not None:
        return screen
    if in_notebook():
        return Console(
            highlight=False,
            emoji=False,
            force_jupyter=False,
            force_terminal=True,
            color_system="standard",
            width=NOTEBOOK,
        )
    width = max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else ENDLESS
    return Console(highlight=False, emoji=False, width=width)


def in_notebook() -> bool:
    """Whether what is printed becomes the output of a notebook's cell."""
    return type(sys.stdout).__module__.startswith("ipykernel.")


def command(verb: str) -> str:
    """A verb as it is typed where this is read."""
    ipython = sys.modules.get("IPython")
    return f"{'cellops' if ipython is None or ipython.get_ipython() is None else '%mlops'} {verb}"


def say(text: str, *, markup: bool = True) -> None:
    """One line, broken by nobody but the terminal."""
    console().print(text if markup else printable(text), markup=markup, soft_wrap=True)


def remark(text: str) -> None:
    """A line for whoever watches, on standard error: a script that takes the result does not get it."""
    from rich.console import Console

    Console(stderr=True, highlight=False, emoji=False).print(text, soft_wrap=True)


def plain(value: object) -> str:
    """Text of others as it stands: neither markup nor the terminal's control characters work in it."""
    from rich.markup import escape

    return escape(printable(str(value)))


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 run`, `2 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def findings(found: Iterable[Finding]) -> None:
    """The gravest first, each with what to do about it."""
    for finding in sorted(merged(found), key=lambda f: list(Severity).index(f.severity), reverse=True):
        colour = COLOURS[finding.severity]
        said = finding.seen.removeprefix(f"{finding.where} ")
        where, seen, remedy = (plain(visible(text)) for text in (finding.where, said, finding.remedy))
        say(f"[{colour}]{finding.severity.value}[/] {where}: {seen}")
        say(f"  [dim]{remedy} ({finding.code})[/]")


def shown(path: str) -> str:
    """A path as short as it can be typed from here."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
