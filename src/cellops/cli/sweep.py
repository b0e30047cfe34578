"""A search over the parameters of a notebook."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellops.commands import PARAMETER, WithParameters
from cellops.flows.headers import seconds

if TYPE_CHECKING:
    from cellops.records.sweep import Swept


@click.command(cls=WithParameters)
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    *PARAMETER,
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME SPACE",
    help="What is searched: a,b,c or 3..10 or 0.01:0.3:log; or one value for all trials.",
)
@click.option(
    "--params",
    "parameters_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Set parameters of all trials from a YAML, JSON or TOML file.",
)
@click.option("--metric", metavar="NAME", help="What trials are compared by: a metric of the runs that they open.")
@click.option("--maximize/--minimize", default=None, help="Default: what the metric's name tells.")
@click.option("--trials", type=click.IntRange(1), metavar="N", help="How many. Default: one for each combination.")
@click.option("--sampler", metavar="NAME", help="Who chooses values: grid, random or tpe. Default: what fits.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Execute up to N trials at once, which share the processors. Default: 1, or --dask's threads.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    help="Seed the sampler, and python, numpy and torch in every kernel.",
)
@click.option("--prune", is_flag=True, help="Stop trials that report worse values than half of the others.")
@click.option(
    "--models",
    metavar="WHICH",
    help="Of which trials the models are kept in MLflow: best, all or none. Default: best.",
)
@click.option(
    "--timeout",
    "cell_timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for one cell. Default: no limit.",
)
@click.option(
    "--trial-timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for one trial, which has failed then. Default: no limit.",
)
@click.option(
    "--total-timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for the whole sweep. Default: no limit.",
)
@click.option("--dask", metavar="ADDRESS", help="Execute trials on the workers of this scheduler of Dask.")
@click.option("--store", metavar="URL", help="With --dask, a folder that all machines reach. See CELLOPS_STEP_STORE.")
@click.option("--resume", is_flag=True, help="Go on with the last sweep of the notebook.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where the picture goes, an SVG.")
def sweep(notebook: Path, parameters: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Search the parameters of NOTEBOOK for those with the best metric.

    \b
    Each trial executes the notebook in a fresh kernel; its runs stand in MLflow below one for the sweep.
      cellops sweep train.ipynb -p kernel rbf,linear -p depth 3..10 --metric auc      every combination
      cellops sweep train.ipynb -p lr 0.01:0.3:log --trials 40 --metric auc --jobs 2  forty, chosen as it goes
      cellops sweep train.ipynb --resume                                              after Ctrl-C, or to look again
      cellops sweep train.ipynb --resume --dask tcp://host:8786                       on a cluster of Dask
      cellops sweep train.ipynb --help                                                list the parameters

    \b
    What is searched, held against the type and range of each parameter before a kernel starts:
      rbf,linear   '["a,b", "c"]'       choices
      3..10   3..10:2   1..1000:log     whole numbers, both ends included
      0.01:0.3   0.01:0.3:log   0:1:0.1 any number between; :log draws each order of magnitude alike; or a step

    The executed notebooks are in .cellops/sweeps. Exit code 1 when trials do not log the metric, all of them fail, or
    it takes too long, 2 when it is refused before a kernel starts.
    """
    work(notebook, parameters, **options)


def work(
    notebook: Path,
    parameters: tuple[tuple[str, str], ...],
    *,
    on_shown: Callable[["Swept"], None] = lambda _: None,
    **options: Any,
) -> None:
    """Sweep, and show what goes on and what came of it; `on_shown` hears of the latter once its lines are there."""
    from cellops import screens
    from cellops.flows.sweep import sweep as search

    results: list[Swept] = []
    try:
        with screens.sweeping() as watch:
            search(
                notebook,
                dict(parameters),
                on_plan=watch.plan,
                on_trial=watch.trial,
                on_cell=watch.cell,
                on_stage=watch.stage,
                on_result=results.append,
                **options,
            )
    finally:
        for found in results:
            screens.swept(found)
            on_shown(found)
