"""The life of registered models."""

from typing import Any

import click

MODEL = click.option("--model", metavar="NAME", help="The registered model. Default: the name of the run's experiment.")
REASON = click.option("--reason", default="", metavar="TEXT", help="What is to be remembered with the decision.")


@click.command()
@click.argument("what", metavar="PACKAGE|RUN", default="last")
@MODEL
@REASON
def register(what: str, **options: Any) -> None:
    """Make the model of a PACKAGE or a RUN a version of a registered model of MLflow, and its challenger.

    \b
      cellops register model --model flights     a package: verified first, then in staging with its digest
      cellops register last                      a run: in development

    A run that has not finished, or has not passed one of its gates, is refused: exit codes 1 and 3.
    """
    from cellops import screens
    from cellops.flows.register import register as work

    screens.decided(work(what, **options), "registered")


@click.command()
@click.argument("what", metavar="VERSION|PACKAGE|RUN", default="last")
@MODEL
@click.option("--without-test", is_flag=True, help="Into production without a test deployment; the decision says so.")
@REASON
def promote(what: str, **options: Any) -> None:
    """Make a version of a registered model the champion, with which gates compare.

    \b
      cellops promote challenger --model flights
      cellops promote models:/flights/3          also to go back to an earlier version
      cellops promote model --model flights      a package
      cellops promote last                       a run; it is registered where it is not yet
      cellops promote executed.ipynb --model flights

    RUN is the start of its key, its name, its MLflow id, "last", or the path of an executed notebook.

    A version with a package goes into production, and needs a test deployment of that very package that has passed:
    cellops package test PACKAGE. One without a package becomes the champion and stays where it is.

    A run that has not finished, or has not passed one of its gates, is refused: exit codes 1 and 3.
    """
    from cellops import screens
    from cellops.flows.promote import promote as work

    screens.promoted(work(what, **options))


@click.command()
@click.argument("what", metavar="VERSION|PACKAGE|RUN", default="champion")
@MODEL
@REASON
def retire(what: str, **options: Any) -> None:
    """Take a version out of traffic: its aliases go, and from production it goes back to staging.

    \b
      cellops retire --model flights --reason "wrong on holidays"
      cellops retire models:/flights/3
    """
    from cellops import screens
    from cellops.flows.retire import retire as work

    screens.decided(work(what, **options), "out of traffic")


@click.command()
@click.argument("what", metavar="PACKAGE|VERSION|RUN")
@click.option("--to", metavar="PLACE", help="Folder, or address as fsspec takes it. Default: CELLOPS_ARCHIVE.")
@MODEL
@REASON
def archive(what: str, **options: Any) -> None:
    """Put the package of a version into the archive as a zip file, check it there, and mark the version archived.

    \b
      cellops archive model --model flights
      cellops archive models:/flights/3 --to s3://bucket/archive

    The package of a VERSION or a RUN is looked for in .cellops/packages. A champion has to be retired before.
    """
    from cellops import screens
    from cellops.flows.archive import archive as work

    screens.decided(work(what, **options), "archived")


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the registered models with their versions; with NAME, also who decided what of them, and on what evidence.

    \b
      cellops models
      cellops models flights
    """
    from cellops import screens
    from cellops.flows.models import models as work

    screens.models(work(name), history=name is not None)
