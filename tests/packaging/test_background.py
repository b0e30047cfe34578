"""The background of explanations: real rows that stand for the training data, and that a request could have."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from cellops.data.decoder import decode_columns
from cellops.errors import IntegrityError
from cellops.packaging.background import ROWS, build_background
from cellops.packaging.contract import build_contract
from cellops.packaging.load import read_contract
from cellops.packaging.manifest import write
from cellops.packaging.schema import build_schema


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({"x": random.exponential(size=20_000), "n": random.integers(0, 5, 20_000)})


def test_it_stands_for_the_training_data(table: pd.DataFrame) -> None:
    model = LinearRegression().fit(table, table["x"])
    background = build_contract(model, (table, table["x"].rename("y"))).background
    assert background is not None
    assert background.drawn_from == 20_000
    drawn = pd.DataFrame(background.inputs)
    assert len(drawn) == ROWS
    assert len(drawn.merge(table)) >= ROWS  # each is a row of the table
    # Four standard errors of a mean of a hundred.
    assert np.abs(drawn.mean() - table.mean()).max() < 4 * table.std().max() / np.sqrt(ROWS)


def test_it_is_the_same_for_the_same_table_and_small_tables_are_taken_whole(table: pd.DataFrame) -> None:
    schema = build_schema(LinearRegression().fit(table, table["x"]), table, "y")
    assert build_background(schema, table) == build_background(schema, table.copy())
    few = build_background(schema, table[:7])
    assert few is not None
    assert sorted(few.inputs["x"]) == sorted(table["x"][:7])


def test_rows_that_no_request_could_have_are_left_out(table: pd.DataFrame) -> None:
    schema = build_schema(LinearRegression().fit(table, table["x"]), table, "y")
    table["x"] = table["x"].mask(np.arange(len(table)) % 2 == 0, np.inf)
    background = build_background(schema, table)
    assert background is not None
    assert len(decode_columns(schema, background.inputs)["x"]) == ROWS
    table["x"] = np.inf
    assert build_background(schema, table) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held["inputs"].pop("hour"), "not the inputs"),
        (lambda held: held["inputs"]["hour"].append(1), "differ in length"),
        (lambda held: held.update(drawn_from=3), "more rows than they were drawn from"),
        (lambda held: held["inputs"]["hour"].__setitem__(0, "five"), "could not have its rows"),
    ],
)
def test_one_that_no_model_can_have_is_refused(flights_package, tmp_path, change, words) -> None:
    package = shutil.copytree(flights_package, tmp_path / "changed")
    path = package / "contract" / "background.json"
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))
    write(package, "flights", None)
    with pytest.raises(IntegrityError, match=words):
        read_contract(package)
