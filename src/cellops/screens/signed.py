"""Keys that were made, and a package that was signed."""

from typing import TYPE_CHECKING

from cellops.screens.console import count, plain, say, shown

if TYPE_CHECKING:
    from cellops.flows.key import NewKeys
    from cellops.flows.sign import Signed


def keys(made: "NewKeys") -> None:
    say(f"[bold]{plain(shown(made.private))}[/] signs packages; only you can read it. Keep it secret, and a copy safe")
    say(f"[bold]{plain(shown(made.public))}[/] is for those who trust it:")
    say(f"  CELLOPS_TRUSTED_KEYS={made.text}", markup=False)


def signed(done: "Signed") -> None:
    by = f", with {count(done.keys - 1, 'other key')}" if done.keys > 1 else ""
    say(f"[green]✓[/] [bold]{plain(shown(done.path))}[/] signed by {plain(done.key)}{by}")
    say(f"  [dim]SHA-256 of the manifest {done.digest}[/]")
