"""A model leaves the notebook."""

from pathlib import Path

import click


@click.command()
@click.argument("run", default="last")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The new folder. Default: .cellops/packages/NAME."
)
@click.option("--format", type=click.Choice(["onnx"]), help="Serve the model as this, where it answers the same there.")
@click.option("--strict", is_flag=True, help="Build no package where the model does not go into the format.")
def package(run: str, output: Path | None, format: str | None, strict: bool) -> None:  # noqa: A002 - the option's name
    """Export the model of RUN as a package: an MLflow model with its contract, environment and digests.

    \b
      cellops package last -o model
      cellops package last --format onnx

    \b
    A model that has no equal in the format stays as the run has kept it, and a
    finding says why; with --strict that is an error.
    """
    from cellops import screens
    from cellops.flows.package import package as work

    screens.package(work(run, output=output, format=format, strict=strict))
