"""A model leaves the notebook."""

from pathlib import Path

import click


@click.command()
@click.argument("run", default="last")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The new folder. Default: .cellops/packages/NAME."
)
@click.option(
    "--format",
    type=click.Choice(["onnx", "pmml"]),
    help="onnx: serve the model as that, where it answers the same there. pmml: keep it as that too, for others.",
)
@click.option(
    "--quantise", type=click.Choice(["int8", "float16"]), help="Keep the weights of an ONNX model in fewer bits."
)
@click.option("--strict", is_flag=True, help="Build no package where the model does not go into the format.")
def package(run: str, output: Path | None, format: str | None, quantise: str | None, strict: bool) -> None:  # noqa: A002 - the option's name
    """Export the model of RUN as a package: an MLflow model with its contract, environment and digests.

    \b
      cellops package last -o model
      cellops package last --format onnx
      cellops package last --format onnx --quantise int8

    \b
    A model that has no equal in the format stays as the run has kept it, and a
    finding says why; with --strict that is an error.
    """
    from cellops import screens
    from cellops.flows.package import package as work

    screens.package(work(run, output=output, format=format, quantise=quantise, strict=strict))
