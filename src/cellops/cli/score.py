"""Many rows at once, or files as they arrive."""

from pathlib import Path
from typing import Any

import click

from cellops.records.batch import PROFILE_ROWS, OnBad


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("source", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "--keep",
    metavar="COLUMN,...",
    default="others",
    show_default=True,
    help='Columns of IN that go to OUT; "others": those that the model does not take; "all"; "none".',
)
@click.option(
    "--on-bad",
    type=click.Choice([one.value for one in OnBad]),
    default=OnBad.REFUSE.value,
    show_default=True,
    help="What to do at a row that the model may not answer: end, or write it to OUT.rejects with the reason.",
)
@click.option("--resume", is_flag=True, help="Go on where the same batch was stopped.")
@click.option("--force", is_flag=True, help="Begin anew, and replace OUT.")
@click.option("--chunk-rows", type=click.IntRange(1), help="Rows that are scored at a time. Default: 100000 at most.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that score.")
@click.option("--dask", metavar="ADDRESS", help="Let the workers of this scheduler of Dask score.")
@click.option(
    "--profile-rows",
    metavar="N",
    default=str(PROFILE_ROWS),
    show_default=True,
    help='Rows, drawn evenly, that OUT.drift is counted from; "all": each.',
)
@click.option(
    "--log",
    metavar="PLACE",
    help="Write the answers to this prediction log, too, for drift and review: a folder or an address. Default: none.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="IN is a folder: score each file that arrives in it, once, to the folder OUT. Or both are topics of Kafka.",
)
@click.option("--once", is_flag=True, help="With --watch, end when every file that is there is done.")
@click.option(
    "--every",
    type=click.FloatRange(0.01, 86_400),
    default=1.0,
    show_default=True,
    help="With --watch, seconds between two looks.",
)
def score(package: Path, source: str, output: str, **options: Any) -> None:
    """Answer every row of IN with PACKAGE, and write the answers to OUT.

    IN is a file of CSV, Parquet or JSON lines (.jsonl, .ndjson), a folder or a pattern of such, an address of any of
    these that fsspec takes, or a table of DuckDB, FILE::TABLE. OUT is such a file, an address, a table of DuckDB, or,
    where it ends in /, a folder of Parquet files. Memory does not grow with the rows. OUT appears in whole at the end:
    a batch that was stopped or killed goes on with --resume, and OUT is the same as if it had not been.

    \b
      cellops score model april.parquet scored.parquet
      cellops score model april.jsonl scored/
      cellops score model 'april/*.csv' scored.csv --keep all --on-bad set-aside
      cellops score model flights.duckdb::april flights.duckdb::scored --keep flight
      cellops score model s3://bucket/april/ s3://bucket/scored.parquet --jobs 4
      cellops score model april/ scored.parquet --dask tcp://scheduler:8786
      cellops score model --watch inbox scored
      cellops score model --watch kafka://broker:9092/flights kafka://broker:9092/delays

    Beside OUT lie OUT.report.json, what was found in the rows, and OUT.drift, which cellops drift PACKAGE OUT.drift
    reads. Rows are held against the rules of the package as the server does. A topic is read until stopped, and each
    message answered at least once: what was read is committed only after its answers are written.
    """
    from cellops import screens
    from cellops.flows.score import score as work

    with screens.scoring() as told:
        done = work(package, source, output, **options, on_progress=told.progress, on_file=told.file)
    screens.scored(done, package)
