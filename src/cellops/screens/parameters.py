"""The values that a notebook's parameters begin with."""

from typing import TYPE_CHECKING

from cellops.screens.console import plain, say

if TYPE_CHECKING:
    from cellops.records.parameter import BoundParameters

LONGEST_VALUE = 80


def parameters(told: "BoundParameters") -> None:
    """One line for each parameter, and one for each variable that names none."""
    for one in told.parameters:
        written = one.written if len(one.written) <= LONGEST_VALUE else one.written[: LONGEST_VALUE - 1] + "…"
        say(f"{plain(one.name)} = {plain(written or '…')} [dim]({plain(one.place)})[/]")
    for variable, hint in told.unused.items():
        say(f"[yellow]{plain(variable)} is set, but this notebook has no such parameter{plain(hint)}[/]")
