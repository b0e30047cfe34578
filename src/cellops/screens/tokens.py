"""The tokens of a server's clients."""

from collections.abc import Sequence
from datetime import datetime

from cellops.records.tokens import ServerToken
from cellops.screens.console import plain, remark, say


def token(made: ServerToken, replaced: float | None = None) -> None:
    """A token that was just made; what it is goes to standard error, so that a script takes the token alone."""
    say(made.token or "", markup=False)
    until = f" until {_day(made.expires)}" if made.expires else ""
    remark(
        f"[bold]{plain(made.name)}[/] allows {', '.join(made.scopes)}{until}. It is shown this once, and kept nowhere"
    )
    if replaced is not None:
        remark(f"  [dim]The one before is taken for {replaced:g} h more[/]")


def tokens(known: Sequence[ServerToken]) -> None:
    """One line a token."""
    if not known:
        say("There are no tokens of clients. Make one: cellops token new NAME")
    for one in known:
        state = "" if one.is_valid else " [yellow]no longer valid[/]"
        until = f", until {_day(one.expires)}" if one.expires else ""
        say(f"[bold]{plain(one.name)}[/] {', '.join(one.scopes)} [dim]since {_day(one.created)}{until}[/]{state}")


def revoked(name: str) -> None:
    say(f"[green]✓[/] [bold]{plain(name)}[/] is taken no more")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
