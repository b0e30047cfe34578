"""A model on its way: packaged, served, watched."""

from pathlib import Path
from typing import Any

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


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--token", help="What clients must send. Default: CELLOPS_SERVER_TOKEN, else a new one is made and shown."
)
@click.option(
    "--log", type=click.Path(path_type=Path), help="Folder of the prediction log. Default: .cellops/log/NAME."
)
def serve(package: Path, host: str, port: int, token: str | None, log: Path | None) -> None:
    """Serve PACKAGE over HTTP: KServe V1, Open Inference V2 and MLflow's protocol, until Ctrl-C.

    Digests are checked before anything is read, and the package's parity rows are replayed before it is ready.

    \b
      cellops serve model --port 8080
    """
    from cellops import screens
    from cellops.flows.serve import serve as work

    screens.served(work(package, host=host, port=port, token=token, log=log, on_ready=screens.serving))


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--log", type=click.Path(path_type=Path), help="A prediction log to read instead of DATA.")
@click.option("--time", metavar="COLUMN", help="The column by which rows are put into windows.")
@click.option(
    "--label", metavar="COLUMN", help="The column with the truth. Default: the model's target, where it is there."
)
@click.option("--window", type=click.Choice(["day", "week", "month"]), default="month", show_default=True)
@click.option(
    "--statistics", metavar="NAME,...", help='Those that stand in the report, or "all". Default: the cheap ones.'
)
@click.option(
    "--alarm-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of false alarms among all to stay below. Default: the setting, 0.05.",
)
@click.option("--fail-on-alarm", is_flag=True, help="End with exit code 3 when a window is an alarm.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the report. Default: .cellops/drift/NAME/DATA or NAME/log",
)
def drift(package: Path, data: Path | None, fail_on_alarm: bool, **options: Any) -> None:
    """Hold DATA, or a prediction log, against the profile that PACKAGE carries.

    DATA is a CSV or Parquet file or a folder with Parquet files, and may be larger than memory. No reference data is
    needed. Writes a report as a page and as JSON, and prints performance beside drift.

    \b
      cellops drift model april.parquet --time departure --window week
      cellops drift model flights/ --time departure
      cellops drift model --log .cellops/log/model

    A window of fewer than 100 rows is not judged. A column has drifted when its PSI is 0.1 or more and the change is no
    chance. A window is an alarm when that is so within a budget of false alarms over all windows. Exit code 1 when
    something could not be compared; the report is written all the same.
    """
    from cellops import screens
    from cellops.flows.alarms import refuse as refuse_alarms
    from cellops.flows.drift import drift as work
    from cellops.flows.drift import refuse

    with screens.reading() as on_stage:
        done = work(package, data, on_stage=on_stage, **options)
    screens.drift(done)
    if fail_on_alarm:
        refuse_alarms(done.report)
    refuse(done)
