"""A model leaves the notebook."""

from pathlib import Path
from typing import Any

import click

from cellops.commands import WithSubverbs


@click.command("test")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--python", metavar="PYTHON", help="A path, or a version that uv finds. Default: the version of the run.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 600, min_open=True),
    default=3.0,
    show_default=True,
    help="How long it is asked as fast as it answers.",
)
@click.option("--keep", is_flag=True, help="Keep the environment for the next test: .cellops/environments.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file for the report, as JSON.")
def package_test(package: Path, **options: Any) -> None:
    """Try PACKAGE as it will be deployed: a fresh environment, a real server, and everything over the wire.

    Builds an environment of what serving the package needs, with uv, else with venv and pip, starts the server there,
    replays the parity rows over all three protocols, asks single rows for some seconds, and stops it by SIGTERM while a
    request is under way. The report stays in .cellops/deployment-tests: cellops promote PACKAGE asks for one that has
    passed.

    \b
      cellops package test model
      cellops package test model --python 3.12 --keep -o report.json

    Exit code 3 when the package fails, 1 when it cannot be tested: it is not there, or its environment cannot be built.
    """
    from cellops import screens
    from cellops.flows.try_deployment import refuse
    from cellops.flows.try_deployment import try_deployment as work

    with screens.watching() as watch:
        report = work(package, **options, on_stage=watch.stage, on_step=screens.deployment_step)
    screens.deployed(report)
    refuse(report)


@click.command(cls=WithSubverbs, subverbs=[package_test])
@click.argument("run", default="last")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The new folder, or an archive: model.zip. Default: .cellops/packages/RUN-KEY.",
)
@click.option(
    "--name",
    help="What it is called. Packages of one name are versions of a model. Default: as the folder; of none as the run.",
)
@click.option(
    "--format",
    type=click.Choice(["onnx", "pmml"]),
    help="onnx: serve the model as that, where it answers the same there. pmml: keep it as that too, for others.",
)
@click.option(
    "--quantise", type=click.Choice(["int8", "float16"]), help="Keep the weights of an ONNX model in fewer bits."
)
@click.option(
    "--pii",
    multiple=True,
    metavar="COLUMN[=hash|drop]",
    help="A column that tells of persons: logged as keyed hashes, or not at all. May be given several times.",
)
@click.option("--strict", is_flag=True, help="Build no package where the model does not go into the format.")
def package(run: str, **options: Any) -> None:
    """Export the model of RUN, by default the newest run, as a package: an MLflow model with its contract and digests.

    \b
      cellops package last -o model
      cellops package last -o model-2 --name model      another version of the same model
      cellops package last --format onnx
      cellops package last --format onnx --quantise int8
      cellops package last --pii passenger --pii birthday=drop
      cellops package test model      try it in a fresh environment: cellops package test --help

    A model that has no equal in the format stays as the run has kept it, and a finding says why; with --strict that is
    an error.
    """
    from cellops import screens
    from cellops.flows.package import package as work

    screens.package(work(run, **options))
