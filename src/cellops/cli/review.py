"""What a model was unsure of, before a person."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellops.errors import UsageError

if TYPE_CHECKING:
    from cellops.flows.review_session import Review


@click.command()
@click.argument("what", metavar="MODEL|PACKAGE")
@click.option("--log", metavar="PLACE", help="Folder or address of the prediction log. Default: .cellops/log/NAME.")
@click.option(
    "--below",
    type=float,
    metavar="SHARE",
    help="Answers with less confidence wait. Default: CELLOPS_REVIEW_BELOW, 0.6.",
)
@click.option(
    "--sample",
    type=float,
    metavar="SHARE",
    default=0.05,
    show_default=True,
    help="Share of the queue that is drawn by chance among all other answers, as a check.",
)
@click.option("--reviewer", metavar="NAME", help="Who you are. Default: as git knows you.")
@click.option(
    "--server",
    metavar="URL",
    help="Give the labels to this server, with CELLOPS_SERVER_TOKEN. Default: they go into the folder of the log.",
)
@click.option("--list", "listed", is_flag=True, help="Show what waits and what has been done; label nothing.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.option(
    "--export",
    "exported",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the queue as CSV, for a spreadsheet; its rows are kept for you for a day.",
)
@click.option(
    "--import",
    "imported",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the labels of such a file: all of them, or none.",
)
@click.option(
    "--training-rows",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all labelled rows, inputs and target, to a Parquet or CSV file.",
)
@click.option("-n", "--limit", type=click.IntRange(1), help="Rows to list or to export. Default: 20, or 100.")
def review(**options: Any) -> None:
    """Label what a model was unsure of: answers in its prediction log that nobody has labelled yet.

    The least certain come first, and a few others drawn by chance are among them. Nobody is shown what another reviewer
    looks at. At a terminal each row is shown with a key for each class; s skips it, u takes back the last, q ends.

    \b
      cellops review model                               one row after the other
      cellops review model --list                        what waits, and who has done what
      cellops review model --export april.csv -n 200     for a spreadsheet: fill in the column label
      cellops review model --import april.csv
      cellops review model --log s3://bucket/logs/model --server https://models.example.org
      cellops review model --training-rows reviewed.parquet

    MODEL is a registered model, whose champion is meant. Labels are what POST /feedback takes; they stand in the label
    log with the name of the reviewer. Labels of predictions that are not in the log are refused.
    """
    from cellops import screens

    work(**options, on_begun=screens.reviewing)


def work(
    what: str,
    *,
    on_begun: "Callable[[Review], None]",
    listed: bool,
    as_json: bool,
    exported: Path | None,
    imported: Path | None,
    training_rows: Path | None,
    limit: int | None,
    log: str | None,
    below: float | None,
    sample: float,
    reviewer: str | None,
    server: str | None,
) -> None:
    """Do what the options ask for; `on_begun` takes the person through the queue where they ask for nothing else."""
    from cellops import screens
    from cellops.flows import review_files
    from cellops.flows.review import queue
    from cellops.flows.review import review as begin
    from cellops.flows.training_rows import training_rows as write_rows

    told = "--json" if as_json else "--list"
    given = {told: listed or as_json, "--export": exported, "--import": imported, "--training-rows": training_rows}
    modes = [name for name, value in given.items() if value]
    if len(modes) > 1:
        fact = f"{' and '.join(modes)} are given together"
        raise UsageError(fact, remedy="Give one of them")
    wanted: dict[str, Any] = {"log": log, "below": below, "sample": sample, "reviewer": reviewer}
    if listed or as_json:
        screens.review_queue(queue(what, **wanted, limit=limit or 20), as_json=as_json)
    elif exported is not None:
        screens.review_file(review_files.export_queue(what, exported, **wanted, limit=limit or 100), waiting=True)
    elif imported is not None:
        taken = review_files.import_labels(what, imported, log=log, server=server, reviewer=reviewer)
        screens.reviewed(taken)
    elif training_rows is not None:
        screens.review_file(write_rows(what, training_rows, log=log), waiting=False)
    else:
        on_begun(begin(what, **wanted, server=server))
