"""A challenger beside the champion, on a running server."""

from collections.abc import Callable
from typing import Any

import click

from cellops.commands import WithSubverbs
from cellops.records.rollout import RolloutAction, RolloutOrder, Strategy


def _on_a_server(command: Callable[..., None]) -> Callable[..., None]:
    """Model and server, as every command on a rollout takes them."""
    command = click.option("--token", help="With the scope admin. Default: CELLOPS_SERVER_TOKEN.", metavar="TOKEN")(
        command
    )
    command = click.option(
        "--server", default="http://127.0.0.1:8001", show_default=True, help="Address of its admin port."
    )(command)
    return click.argument("model")(command)


def _percentages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        return None if value is None else tuple(float(part.strip().removesuffix("%")) for part in value.split(","))
    except ValueError as error:
        message = "give percentages with commas between them, such as 5,25,50,100"
        raise click.BadParameter(message) from error


@click.command("start")
@_on_a_server
@click.argument("challenger")
@click.option(
    "--strategy",
    type=click.Choice([each.value for each in Strategy if each is not Strategy.SINGLE]),
    default=Strategy.CANARY.value,
    show_default=True,
)
@click.option(
    "--share", type=click.FloatRange(0, 100), help="Percent for the challenger. Default: as the strategy has it."
)
@click.option(
    "--stages", callback=_percentages, metavar="5,25,50,100", help="Percentages of a canary, the last is 100."
)
@click.option("--key", metavar="COLUMN|HEADER", help="Says of which user a request is. Default: the header X-User-Key.")
@click.option(
    "--shadow-when",
    type=click.Choice(["always", "idle"]),
    help="idle: ask a shadow only while the server has little to do. Default: always.",
)
@click.option("--error-margin", type=float, help="How many more requests may fail, as a share. Default: 0.005.")
@click.option("--latency-margin", type=float, help="How much slower it may be, as a share. Default: 0.2.")
@click.option("--latency-quantile", type=float, help="At which they are compared. Default: 0.95.")
@click.option("--quality-margin", type=float, help="How much more it may lose, from 0 to 1. Default: 0.02.")
@click.option("--needs-labels", is_flag=True, default=None, help="Pass no stage before labels have shown its quality.")
@click.option("--rollback-level", type=float, help="How often a rollback may be wrong. Default: 0.01.")
@click.option("--promotion-level", type=float, help="How often passing a stage may be wrong. Default: 0.05.")
@click.option("--least-requests", type=int, help="Of the challenger in each stage. Default: 200.")
@click.option("--least-seconds", type=float, help="That each stage lasts. Default: 60.")
@click.option("--why", default="", help="For the decision record.")
def start(model: str, challenger: str, server: str, token: str | None, **options: Any) -> None:
    """Give CHALLENGER, a package that the server of MODEL has, a part of the traffic: its version or its folder.

    \b
      cellops serve fares-2014 fares --admin-port 8001         both of the name fares; the last answers
      cellops rollout start fares fares-2014
      cellops rollout start fares fares-2014 --stages 1,10,50,100 --needs-labels
      cellops rollout start fares fares-2014 --strategy ab --share 50 --why "does the new one sell more?"

    Before a canary passes 5%, it takes some 22,000 requests of both packages, or 87,000 where 0.5% of them fail; at 25%
    it takes 4,600 to 22,000. With fewer requests a day, begin with --stages 25,50,100.
    """
    from cellops.flows.rollout import start_order

    _decided(model, start_order(challenger, **options), server, token)


def _command(action: RolloutAction, text: str) -> click.Command:
    @click.command(action.value, help=f'{text}\n\n\b\n  cellops rollout {action} fares --why "as agreed"')
    @_on_a_server
    @click.option("--why", default="", help="For the decision record.")
    def command(model: str, server: str, token: str | None, why: str) -> None:
        _decided(model, RolloutOrder(action=action, why=why), server, token)

    return command


SUBVERBS = (
    start,
    _command(RolloutAction.ADVANCE, "Go on to the next stage now, whatever the tests say."),
    _command(RolloutAction.PAUSE, "Leave the shares as they are: no test changes them."),
    _command(RolloutAction.RESUME, "Let the tests decide again."),
    _command(RolloutAction.PROMOTE, "Make the challenger the champion now."),
    _command(RolloutAction.ROLLBACK, "Give all traffic back to the champion now."),
    _command(RolloutAction.SWITCH, "Give all traffic to the other package of blue and green."),
)


@click.command(cls=WithSubverbs, subverbs=SUBVERBS)
@_on_a_server
@click.option("--json", "as_json", is_flag=True, help="The whole record, for a script.")
def rollout(model: str, server: str, token: str | None, as_json: bool) -> None:
    """Show how the traffic of MODEL is divided, what the evidence says, and when it will be decided.

    \b
      cellops rollout fares                          how it stands
      cellops rollout fares --json                   the same for a script
      cellops rollout start fares fares-2014         a canary in stages of 5, 25, 50 and 100%
      cellops rollout pause fares                    also resume, advance, promote, rollback, switch

    It asks the admin port of the server. A canary goes on and back by itself; what a person decides here is recorded
    with the name of their token and what --why says.
    """
    from cellops import screens
    from cellops.flows.rollout import rollout as work

    view = work(model, server=server, token=token)
    if as_json:
        click.echo(view.to_pretty_json(), nl=False)
    else:
        screens.rollout(view)


def _decided(model: str, order: RolloutOrder, server: str, token: str | None) -> None:
    from cellops import screens
    from cellops.flows.rollout import decide as work

    screens.rollout(work(model, order, server=server, token=token))
