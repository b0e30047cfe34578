"""The life of registered models."""

import click


@click.command()
@click.argument("run", default="last")
@click.option("--model", metavar="NAME", help="The registered model. Default: the name of the run's experiment.")
def promote(run: str, model: str | None) -> None:
    """Make the model of RUN the champion: the version of a registered model of MLflow that gates compare with.

    RUN is the start of its key, its name, its MLflow id, "last", or the path of an executed notebook.

    \b
      cellops promote last
      cellops promote executed.ipynb --model flights

    A run that has not finished, or has not passed one of its gates, is refused: exit codes 1 and 3.
    """
    from cellops import screens
    from cellops.flows.promote import promote as work

    screens.promoted(work(run, model=model))
