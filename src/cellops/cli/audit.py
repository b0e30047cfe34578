"""What loading a package would run."""

import sys
from pathlib import Path

import click

from cellops.cli.codes import REFUSED


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, with the source of features.")
@click.option("--all", "everything", is_flag=True, help="Also what its format or cellops trusts, name by name.")
def audit(package: Path, as_json: bool, everything: bool) -> None:
    """List what loading PACKAGE, a folder or an archive, would run; nothing of it is loaded.

    The types of its model and who trusts them, the code of its features, what MLflow's own loader would do, what an
    environment of it would install, its digests and who signed it. Exit code 3 when the settings refuse it.

    \b
      cellops audit model
      cellops audit model.zip --json
    """
    from cellops import screens
    from cellops.flows.audit import audit as work

    done = work(package)
    screens.audited(done, everything=everything, as_json=as_json)
    if done.refused:
        sys.exit(REFUSED)
