"""Expectations on a file, and suites on their way between formats."""

from pathlib import Path

import click

from cellops.errors import UsageError


@click.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("-s", "--suite", type=click.Path(path_type=Path), help="Expectations, one a line; or JSON, as --from-gx.")
@click.option("--from-gx", type=click.Path(path_type=Path), help="A suite of Great Expectations, as its JSON.")
@click.option("--infer", is_flag=True, help="Propose expectations from DATA, below those of a suite.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the suite; to a .json, as Great Expectations reads it.",
)
def expect(data: Path | None, suite: Path | None, from_gx: Path | None, infer: bool, output: Path | None) -> None:
    """Hold DATA (CSV, Parquet, or a folder with Parquet files) against a suite of expectations, or propose one.

    Without DATA the suite is carried from one format to the other; what cannot be carried over is named.

    \b
      cellops expect april.parquet --suite trips.txt
      cellops expect april.parquet --infer > trips.txt
      cellops expect april.parquet --from-gx suite.json
      cellops expect --from-gx suite.json > trips.txt
      cellops expect --suite trips.txt -o suite.json

    Exit code 3 when an expectation of severity `error` does not hold, 2 for a file that is not there, 1 for one that
    cannot be read.
    """
    if (suite and from_gx) or not (suite or from_gx or infer) or (infer and data is None):
        fact = "There are two suites" if suite and from_gx else "There is nothing to do"
        raise UsageError(fact, remedy="Give --suite or --from-gx, or a file and --infer")
    from cellops import screens
    from cellops.flows import suites
    from cellops.flows.expect import expect as work
    from cellops.flows.expect import propose, refuse
    from cellops.records.finding import Finding

    findings: list[Finding] = []
    source = suite or from_gx
    held = None if source is None else suites.read(source, findings)
    if infer:
        held = suites.parsed(str(data), propose(str(data), "" if held is None else suites.text_of(held)))
    if held is not None and output is not None:
        suites.write(held, output, findings)
    elif held is not None and (infer or data is None):
        click.echo(suites.text_of(held))
    screens.findings_of_suite(findings)
    if held is not None and data is not None and not infer:
        result = work(data, held)
        screens.expectations(result)
        refuse(result)
