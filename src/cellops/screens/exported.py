"""A pipeline that was written for a CI system or an orchestrator."""

from typing import TYPE_CHECKING

from cellops.screens.console import plain, say, shown

if TYPE_CHECKING:
    from cellops.records.exported import Exported


def exported(made: "Exported") -> None:
    file, *beside = made.files
    say(f"[bold]{plain(shown(file))}[/]  {plain(made.notebook)} for {made.target}")
    for other in beside:
        say(f"  {plain(shown(other))}")
    say("It executes:")
    for command in made.commands:
        say(f"  {plain(command)}")
    for note in made.notes:
        say(f"[yellow]{plain(note)}[/]")
