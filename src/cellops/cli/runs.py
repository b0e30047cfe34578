"""What was recorded: listed, shown, compared, executed again, written as a notebook of its own."""

import math
import sys
from pathlib import Path
from typing import Any

import click

from cellops import settings
from cellops.cli.codes import DIVERGED


def _number(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        fact = "nan is no number"
        raise click.BadParameter(fact)
    return value


@click.command()
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
def runs(limit: int) -> None:
    """List the runs, newest first, with their metrics and findings.

    \b
      cellops runs -n 100
    """
    from cellops import screens
    from cellops.flows.runs import runs as work

    screens.runs(work(limit=limit))


@click.command()
@click.argument("run", default="last")
@click.option("--all", "everything", is_flag=True, help="Also the parameters that the estimator has by itself.")
def show(run: str, everything: bool) -> None:
    """Show one RUN: its parameters, metrics and findings, what it stands on, and where it lies.

    RUN is the start of its key, its name, its MLflow id, or "last".

    \b
      cellops show 3f2a91c0
    """
    from cellops import screens
    from cellops.flows.recorded import whole
    from cellops.flows.runs import show as work

    found = work(run)
    screens.run(found, settings.load(), whole(found, settings.load()), everything=everything)


@click.command()
@click.argument("run", default="last")
@click.option(
    "--env",
    "environment",
    type=click.Choice(["same", "fresh"]),
    default="same",
    show_default=True,
    help="Execute in this environment, or in one that is built from the run's lock.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=1e-9,
    show_default=True,
    callback=_number,
    help="The largest difference of numbers that counts as none, as a share of the largest of them.",
)
@click.option("--commands", "commands_allowed", is_flag=True, help="Start programs again, and send data again.")
def verify(run: str, **options: Any) -> None:
    """Execute RUN again and say whether it comes out the same: identical, within tolerance or diverged.

    The cells that the run depended on are executed in a fresh kernel, with its parameters, seeds and states of random
    generators. Everything that they leave is compared with what they left: names, files, metrics, models, figures.
    Files that they write are put back as they were.

    \b
      cellops verify last
      cellops verify 3f2a91c0 --env fresh --tolerance 1e-6

    \b
    Exit code 0 when it is the same (identical, or within tolerance), 3 when it has diverged,
    1 when it cannot be executed again: the run is unknown or open, data are gone, the lock cannot be rebuilt.
    """
    from cellops import screens
    from cellops.flows.verify import verify as work
    from cellops.records.proof import Verdict

    with screens.watching() as watch:
        made = work(run, **options, on_progress=watch.cell, on_stage=watch.stage)
    screens.proof(made)
    if made.verdict is Verdict.DIVERGED:
        sys.exit(DIVERGED)


@click.command()
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@click.option("--full", is_flag=True, help="Show every diff and every value whole.")
def compare(before: str, after: str, *, full: bool) -> None:
    """Say what differs between two runs, the likeliest cause first.

    \b
    Code, cell by cell, and the project's modules; parameters and seeds; data, by content and by column;
    environment; metrics. Nothing is executed.
      cellops compare 3f2a91c0 last

    Each RUN is the start of a key, a name, an MLflow id, or "last". The first one stands left, and as "-".

    Exit code 0 whether or not something differs, 1 for a run that is not there, is still open, or has no whole record.
    """
    from cellops import screens
    from cellops.flows.compare import compare as work

    screens.comparison(work(before, after), full=full)


@click.command()
@click.argument("run", default="last")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder. Default: restored-KEY.")
@click.option("--all", "whole_trail", is_flag=True, help="Every cell of its session, not only those it depended on.")
def restore(run: str, output: Path | None, *, whole_trail: bool) -> None:
    """Write RUN as a notebook that anybody can execute without cellops.

    The folder holds the cells in the order in which they were executed, seeds and states of random generators as plain
    code, the lock of the environment, the sources of the project's modules, the uncommitted patch, the values to
    expect, and a README.md that says how to build the environment and execute it. Data are not copied: their digests
    are there, and the notebook checks them. Secrets stay [redacted].

    \b
      cellops restore 3f2a91c0 -o audit

    Exit code 1 for a run that is not there or has no whole record, 2 for a folder that holds something already.
    """
    from cellops import screens
    from cellops.flows.restore import restore as work

    screens.restored(work(run, output=output, whole_trail=whole_trail))
