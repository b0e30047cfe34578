"""A run that was written out as a notebook."""

import shlex
from typing import TYPE_CHECKING

from cellops.screens.console import count, plain, say, shown

if TYPE_CHECKING:
    from cellops.records.restored import Restored


def restored(made: "Restored") -> None:
    say(
        f"[bold]{plain(shown(made.folder))}[/]  {plain(made.name)} {made.run[:8]}, "
        f"{made.cells} of {count(made.of_trail, 'cell')} of its session"
    )
    modules = sum(name.startswith("modules/") for name in made.files)
    files = [name for name in made.files if not name.startswith("modules/")]
    more = f", modules/ ({count(modules, 'file')})" if modules else ""
    say(f"  {', '.join(files)}{more}", markup=False)
    for note in made.notes:
        say(f"[yellow]{plain(note)}[/]")
    say(f"How to execute it, without cellops: {shlex.join([f'{shown(made.folder)}/README.md'])}", markup=False)
