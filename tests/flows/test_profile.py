"""The verb: several tables as one, saved profiles, and what cannot be done."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cellops
from cellops.data.summary.file import read
from cellops.data.summary.summarize import summarize
from cellops.errors import InputError, NotFoundError, UsageError
from cellops.records.finding import merged


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    x = generator.normal(size=400)
    return pd.DataFrame({"x": x, "y": -x, "carrier": generator.choice(["UA", "AA"], 400)})


def test_files_frames_and_saved_profiles_count_as_one_table(project: Path, table: pd.DataFrame) -> None:
    table.iloc[:100].to_parquet("one.parquet")
    table.iloc[100:200].to_csv("two.csv", index=False)
    saved = cellops.profile(table.iloc[200:300], output="new/three.profile")
    found = cellops.profile("one.parquet", Path("two.csv"), "new/three.profile", pl.from_pandas(table.iloc[300:]))

    assert saved.saved == str(Path("new/three.profile"))
    assert found.rows == 400
    whole = cellops.profile(table)
    assert [column.distinct for column in found.columns] == [column.distinct for column in whole.columns]
    assert found.name == "one.parquet, two.csv, new/three.profile and 1 more"
    x, other = found.column("x"), whole.column("x")
    assert x is not None
    assert other is not None
    assert x.numbers is not None
    assert other.numbers is not None
    assert x.numbers.quantiles == pytest.approx(other.numbers.quantiles)
    assert read(project / "new" / "three.profile") == summarize(table.iloc[200:300])


def test_correlations_are_told_in_the_same_pass(table: pd.DataFrame) -> None:
    found = cellops.profile(table, correlations=True)

    assert found.correlations is not None
    assert found.correlations.strongest(1) == [("y", "x", pytest.approx(-1.0))]
    assert cellops.profile(table).correlations is None


def test_a_notebook_shows_the_picture_and_a_terminal_a_line(table: pd.DataFrame) -> None:
    shown = cellops.profile(table)._repr_mimebundle_()

    assert shown["text/plain"] == "DataFrame: 400 rows x 3 columns"
    assert shown["text/html"].startswith('<div class="cellops-profile">')


def test_what_is_no_table_is_refused(project: Path, table: pd.DataFrame) -> None:
    cellops.profile(table, output="saved.profile")
    data = bytearray(Path("saved.profile").read_bytes())
    data[-1] ^= 1
    Path("damaged.profile").write_bytes(data)

    with pytest.raises(UsageError, match="No table is given"):
        cellops.profile()
    with pytest.raises(NotFoundError, match=r"There is no file missing\.csv"):
        cellops.profile("missing.csv")
    with pytest.raises(InputError, match="is no table"):
        cellops.profile(3)
    with pytest.raises(InputError, match=r"damaged\.profile is damaged"):
        cellops.profile("damaged.profile")
    with pytest.raises(UsageError, match="does not show the rows that correlations need"):
        cellops.profile("saved.profile", correlations=True)


def test_what_a_notebook_does_not_have_is_named_with_what_was_meant(project: Path, table: pd.DataFrame) -> None:
    names = {"trips": table}
    with pytest.raises(NotFoundError, match=r"neither a DataFrame nor a file trip. Did you mean trips\?"):
        cellops.profile("trip", names=names)
    with pytest.raises(NotFoundError, match=r"trips.head\(\) is no name of a table.*cellops.profile\(trips.head\(\)\)"):
        cellops.profile("trips.head()", names=names)
    with pytest.raises(NotFoundError, match=r"There is no file march\.csv"):
        cellops.profile("march.csv", names=names)


def test_files_that_are_not_as_they_should_be_are_said_to_be(project: Path) -> None:
    Path("divided.csv").write_text("a;b\n1;2\n")
    Path("latin.csv").write_bytes("town,people\nZürich,4\n".encode("latin-1"))
    (divided,) = cellops.profile("divided.csv").findings
    (binary,) = cellops.profile("latin.csv").findings
    assert (divided.code, divided.seen) == (
        "table-undivided",
        "its only column is called 'a;b': its cells seem to be divided by ';'",
    )
    assert (binary.where, binary.remedy) == ("column town", "Write them as text in UTF-8, if they are text")


def test_columns_of_which_the_same_is_found_are_listed_in_one_word() -> None:
    found = cellops.profile(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), pd.DataFrame({"c": [4]})).findings
    assert [one.where for one in merged(found)] == ["columns a, b"]
