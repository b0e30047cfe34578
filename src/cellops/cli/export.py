"""A notebook for CI and orchestrators."""

from pathlib import Path
from typing import Any

import click

from cellops.commands import PARAMETER, WithParameters

TARGETS = ("github", "gitlab", "kfp", "airflow", "dvc", "cron")


@click.command(cls=WithParameters)
@click.argument("target", type=click.Choice(TARGETS))
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    *PARAMETER, "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="Fix a parameter; also: -p NAME=VALUE."
)
@click.option(
    "--params",
    "parameters_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Fix parameters by a YAML, JSON or TOML file of the repository.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file. Default: where TARGET looks for it.")
@click.option("--schedule", metavar="CRON", help='When to execute it, five fields: "0 6 * * 1" for Mondays at 6:00.')
@click.option("--gate", "gates", multiple=True, metavar="RULE", help="What every run must satisfy; more than once.")
@click.option("--store", metavar="URL", help="A folder that machines share, for steps. See CELLOPS_STEP_STORE.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Execute up to N steps at once.")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Seed python, numpy and torch before the first cell."
)
@click.option(
    "--drift",
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="Hold DATA (CSV or Parquet) against the profile of the model after each execution.",
)
@click.option(
    "--promote",
    metavar="MODEL",
    help="Make the model that has passed the champion of MODEL, on the default branch only.",
)
@click.option("--python", metavar="VERSION", help="The version of Python. Default: this one.")
@click.option("--force", is_flag=True, help="Replace a file that was not exported from NOTEBOOK, or edited since.")
def export(target: str, notebook: Path, parameters: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Write NOTEBOOK for TARGET: github, gitlab, kfp, airflow, dvc or cron.

    \b
    The file executes the command lines that a person would type, and names what it does not carry over. Beside it
    goes a lock of this environment.
      cellops export github train.ipynb --schedule "0 6 * * 1" --gate "auc >= 0.72" --promote flights
      cellops export airflow train.ipynb -p months "[1, 2, 3]" --store s3://bucket/steps
      cellops export cron train.ipynb --schedule "30 5 * * *" --drift data/new.parquet
    A secret is never written: it is looked for where TARGET keeps secrets, or where -p NAME env:VARIABLE says.

    Everything is checked as cellops execute does before a kernel starts. Exit code 2 when it is refused; nothing is
    written then.
    """
    from cellops import screens
    from cellops.flows.export import export as work

    screens.exported(work(target, notebook, dict(parameters), **options))
