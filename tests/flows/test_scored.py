"""Rows that a model cannot answer cost themselves, and not the window that they are in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from cellops.flows.scored import Unscored, answered
from cellops.monitoring.windows import Window, whole
from cellops.packaging.contract import build_contract
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import SklearnPredictor
from cellops.records.package import Manifest
from support.provenance import PROVENANCE

ROWS = 400


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "kind": random.choice(["a", "b", "c"], ROWS),
            "size": random.normal(size=ROWS),
            "count": random.integers(0, 5, ROWS),
            "late": random.integers(0, 2, ROWS),
        }
    )


@pytest.fixture(scope="module")
def loaded(table: pd.DataFrame) -> LoadedPackage:
    """A model whose encoder refuses categories that it does not know."""
    inputs, late = table.drop(columns="late"), table["late"]
    encode = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(encode, LogisticRegression()).fit(inputs, late)
    contract = build_contract(model, (inputs, late))
    return LoadedPackage(
        path=Path("model"),
        manifest=Manifest(version=1, name="model", run=None, files=()),
        digest="0" * 64,
        contract=contract,
        provenance=PROVENANCE,
        predictor=SklearnPredictor(model, contract.schema),
    )


def scored(loaded: LoadedPackage, rows: pd.DataFrame) -> tuple[Window, Unscored]:
    unscored = Unscored()
    (window,) = whole(rows)
    return answered(loaded, window, "late", unscored), unscored


def test_all_rows_that_the_model_takes_are_answered(loaded: LoadedPackage, table: pd.DataFrame) -> None:
    window, unscored = scored(loaded, table)
    assert len(window.labels) == len(window.truth) == ROWS
    assert unscored.findings() == []


@pytest.mark.parametrize(
    ("column", "bad", "said"),
    [
        ("kind", "new", "the model raised ValueError: Found unknown categories"),
        ("kind", 3, "a number where a string is needed"),
        ("size", np.inf, "not a finite number"),
        ("count", 2.5, "a number with a fraction"),
        ("count", "many", "a string where an integer is needed"),
    ],
)
def test_one_row_that_the_model_does_not_take_costs_itself_alone(
    loaded: LoadedPackage, table: pd.DataFrame, column: str, bad: object, said: str
) -> None:
    rows = table.astype({column: object})
    rows.loc[7, column] = bad
    window, unscored = scored(loaded, rows)
    (finding,) = unscored.findings()
    assert (finding.code, finding.where) == ("rows-not-scored", "1 row")
    assert said in finding.seen
    assert finding.remedy
    assert len(window.frame) == ROWS
    assert window.truth.tolist() == table["late"].drop(index=7).tolist()
    assert window.labels.tolist() == scored(loaded, table.drop(index=7))[0].labels.tolist()


def test_rows_of_several_faults_are_left_out_together(loaded: LoadedPackage, table: pd.DataFrame) -> None:
    rows = table.astype({"size": object})
    rows.loc[3, "size"], rows.loc[[4, 5], "kind"], rows.loc[6, "count"] = "?", "new", None
    window, unscored = scored(loaded, rows)
    (finding,) = unscored.findings()
    assert finding.where == "3 rows"
    assert "a string where a number is needed; the model raised ValueError" in finding.seen
    assert len(window.labels) == len(window.probabilities) == len(window.truth) == ROWS - 4


def test_a_window_of_nothing_else_is_said_not_to_be_answered(loaded: LoadedPackage, table: pd.DataFrame) -> None:
    window, unscored = scored(loaded, table.assign(kind="new"))
    assert window.labels is None
    (finding,) = unscored.findings()
    assert (finding.code, finding.where) == ("window-not-scored", "window all")
    assert "Found unknown categories" in finding.seen
