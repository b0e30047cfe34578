"""What lies on the disk: carried to the tracking store, deleted."""

from pathlib import Path

import click

from cellops import settings
from cellops.errors import UsageError
from cellops.screens.console import count


@click.command()
@click.option("--follow", type=click.Path(path_type=Path), hidden=True)
@click.option("--awaited", is_flag=True, hidden=True)
@click.option("--models", is_flag=True, hidden=True)
@click.option("--here", is_flag=True, help="Carry all to the store that is set now, wherever it was meant to go.")
def sync(follow: Path | None, awaited: bool, models: bool, here: bool) -> None:
    """Carry records that still stand in local journals to the tracking store.

    Needed only where the tracking server could not be reached; otherwise a background writer does it. Every record
    goes to the store that was set when it was written. Exit code 1 when something could not be carried.

    \b
      cellops sync --here
    """
    from cellops.flows import sync as work

    if follow is not None:
        from cellops.flows.writer import step_back

        if not awaited:
            step_back()
        work.follow(follow, settings.load(), models=models)
        return
    from cellops import screens

    result = work.sync(here=here)
    screens.synced(result)
    work.refuse(result)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--store", metavar="URL", help="Delete old steps of a folder that machines share, and nothing here.")
@click.option("--older-than", type=click.FloatRange(0), metavar="DAYS", help="With --store: what was kept before that.")
@click.option("--max-size", type=click.IntRange(0), metavar="MB", help="With --store: the oldest, beyond so much.")
def clean(yes: bool, store: str | None, older_than: float | None, max_size: int | None) -> None:
    """Delete what cellops can make again: journals that were carried over whole, the writer's log, executed notebooks,
    proofs that runs have, drift reports, and environments of test deployments.

    Journals whose last cells are in no run's trail stay.

    \b
    Examples:
      cellops clean --yes
      cellops clean --store s3://bucket/steps --older-than 30 --max-size 50000
    """
    from cellops import screens
    from cellops.flows.clean import clean as work
    from cellops.flows.clean import clean_shared, kept, removable

    if store is not None:
        screens.cleaned(clean_shared(store, older_than=older_than, max_size=max_size))
        return
    if older_than is not None or max_size is not None:
        fact = "--older-than and --max-size speak of a folder that machines share"
        raise UsageError(fact, remedy="Give its address too: --store URL")
    found = removable()
    screens.kept(kept())
    question = f"Delete {count(len(found), 'file')} below {settings.load().folder}?"
    if found and not yes and not click.confirm(question):
        return
    screens.cleaned(work(found))
