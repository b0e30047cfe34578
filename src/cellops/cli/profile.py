"""What a table holds."""

from pathlib import Path

import click


@click.command()
@click.argument("tables", nargs=-1, required=True)
@click.option("--correlations", is_flag=True, help="Tell also which columns of numbers vary together.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Save the profile, to merge it later."
)
def profile(tables: tuple[str, ...], correlations: bool, output: Path | None) -> None:
    """Tell what TABLES hold: for each column its kind, missing and distinct values, and distribution.

    A table is a CSV or Parquet file, a folder with Parquet files, or a profile that was saved; in a notebook also the
    name of a DataFrame. Files are read in one pass and may be larger than memory. Several count as one table with all
    their rows.

    \b
      cellops profile flights.parquet
      cellops profile january.csv february.csv --correlations
      cellops profile march.parquet -o march.profile    save it, and merge it without reading the rows again:
      cellops profile january.profile february.profile march.profile
      %mlops profile df                                 in a notebook, as a picture

    A number of distinct values with a ≈ is an estimate with a standard error of 2.3 %. Medians are exact up to 512
    distinct values, and beyond mostly to less than a hundredth of the rows. A column that cannot be read is named, and
    the others are told.
    """
    from cellops import screens
    from cellops.flows.profile import profile as work

    screens.profiled(work(*tables, correlations=correlations, output=output))
