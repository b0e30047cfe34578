"""A model leaves the notebook."""

from pathlib import Path

import click


@click.command()
@click.argument("run", default="last")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The new folder. Default: .cellops/packages/NAME."
)
def package(run: str, output: Path | None) -> None:
    """Export the model of RUN as a package: an MLflow model with its contract, environment and digests.

    \b
      cellops package last -o model
    """
    from cellops import screens
    from cellops.flows.package import package as work

    screens.package(work(run, output=output))
