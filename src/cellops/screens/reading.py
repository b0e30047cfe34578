"""How far the reading of a long file has come."""

import contextlib
from collections.abc import Callable, Iterator

from cellops.screens.console import console, in_notebook


@contextlib.contextmanager
def reading() -> Iterator[Callable[[str], None]]:
    """What shows how much has been read: at a terminal one line that changes and is taken away, elsewhere nothing."""
    screen = console()
    if in_notebook() or not screen.is_terminal or screen.is_dumb_terminal:
        yield lambda _: None
        return
    with screen.status("") as line:
        yield line.update
