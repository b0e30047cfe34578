"""New data held against a package."""

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--log", metavar="PLACE", help="A prediction log to read instead of DATA: its folder or address.")
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

    DATA is a CSV or Parquet file or a folder with Parquet files, and may be larger than memory; or the file OUT.drift
    that cellops score has left. No reference data is needed. Writes a report as a page and as JSON, and prints
    performance beside drift.

    \b
      cellops drift model april.parquet --time departure --window week
      cellops drift model flights/ --time departure
      cellops drift model scored.parquet.drift
      cellops drift model --log .cellops/log/model
      cellops drift model --log s3://bucket/logs/model

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
