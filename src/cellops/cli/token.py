"""The tokens of a server's clients."""

from typing import Any

import click

from cellops.commands import WithSubverbs


@click.command("new")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    help="What it allows: predict, feedback, metrics or admin; may be given several times. "
    " [default: predict, feedback]",
)
@click.option("--days", type=click.FloatRange(0, min_open=True), help="For how long. Default: until it is revoked.")
def new(name: str, **options: Any) -> None:
    """Make a token called NAME, and show it once.

    \b
      cellops token new web-shop
      cellops token new prometheus --scope metrics --days 365
    """
    from cellops import screens
    from cellops.flows.tokens import new_token as work

    screens.token(work(name, **options))


@click.command("rotate")
@click.argument("name")
@click.option(
    "--hours",
    type=click.FloatRange(0),
    default=24.0,
    show_default=True,
    help="How long the old one is still taken, so that clients can change over.",
)
def rotate(name: str, hours: float) -> None:
    """Make another token in place of NAME, with the same scopes.

    \b
      cellops token rotate web-shop --hours 1
    """
    from cellops import screens
    from cellops.flows.tokens import rotate_token as work

    screens.token(work(name, hours=hours), replaced=hours)


@click.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Take the token NAME no more; running servers refuse it within a second.

    \b
      cellops token revoke web-shop
    """
    from cellops import screens
    from cellops.flows.tokens import revoke_token as work

    work(name)
    screens.revoked(name)


@click.command(cls=WithSubverbs, subverbs=[new, rotate, revoke])
def token() -> None:
    """List the tokens of clients that servers of this project take; make, replace and revoke them.

    \b
      cellops token                        what there is
      cellops token new web-shop           one that may predict and send labels
      cellops token rotate web-shop        another in its place, both taken for a day
      cellops token revoke web-shop        no more

    Only their SHA-256 is kept, in a file that only you can read: the setting CELLOPS_SERVER_TOKENS. The token of
    CELLOPS_SERVER_TOKEN is one besides these, which allows everything.
    """
    from cellops import screens
    from cellops.flows.tokens import tokens as work

    screens.tokens(work())
