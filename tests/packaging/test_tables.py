"""Tables as people have them: each is packaged and answered the same, also as JSON, or refused in one clear line."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from cellops.data.decoder import decode_rows, frame_columns
from cellops.data.frames import scalars
from cellops.errors import PackageError
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.load import load_package

ROWS = 80
NUMBERS = pd.DataFrame({"a": np.linspace(0, 1, ROWS), "b": np.cos(np.arange(ROWS))})
LATE = pd.Series((NUMBERS["a"] + NUMBERS["b"] > 0.5).astype(int), name="late")


@pytest.fixture
def answers(save_model, recorded, tmp_path):
    """What the packaged model answers to its own table, as a frame and as JSON rows."""

    def both(model, table: pd.DataFrame, target) -> tuple[list, list]:
        contract = build_contract(model, (table, target), (table, target))
        folder = save_model(model, tmp_path / "model")
        loaded = load_package(build_package(folder, contract, *recorded, tmp_path / "package", name="x"))
        names = [field.name for field in contract.schema.inputs]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*(scalars(table[n]) for n in names), strict=True)]
        schema, predictor = loaded.contract.schema, loaded.predictor
        framed = predictor.predict(frame_columns(schema, table)).labels.tolist()
        return framed, predictor.predict(decode_rows(schema, json.loads(json.dumps(rows)))).labels.tolist()

    return both


def encoded(column: str, final):
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(make_column_transformer((encoder, [column]), remainder="passthrough"), final)


def column(values: list, dtype: str) -> pd.DataFrame:
    return NUMBERS.assign(c=pd.Series(values * (ROWS // len(values)), dtype=dtype))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, None], "Int64"),
        ([1, 2], "Int8"),
        ([1.5, None], "Float64"),
        ([True, None], "boolean"),
        ([True, False], "boolean"),
        ([1, None], "int64[pyarrow]"),
        ([1.5, None], "double[pyarrow]"),
        ([0.5, 1.5], "float[pyarrow]"),
        ([True, False], "bool[pyarrow]"),
        (["u", "v"], "category"),
    ],
)
def test_numbers_booleans_and_categories_of_every_dtype(values, dtype, answers):
    table = column(values, dtype)
    model = HistGradientBoostingClassifier(max_iter=3).fit(table, LATE)
    expected = model.predict(table).tolist()
    assert answers(model, table, LATE) == (expected, expected)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["u", "v"], "string"),
        (["u", "v"], "string[pyarrow]"),
        (["u", "v"], "large_string[pyarrow]"),
        (["u", "v"], "category"),
        ([True, False], "bool[pyarrow]"),
        (["2020-01-01", "2021-02-01"], "timestamp[ns][pyarrow]"),
        (["2020-01-01", "2021-02-01"], "datetime64[ns]"),
    ],
)
def test_texts_and_times_of_every_dtype(values, dtype, answers):
    if not isinstance(values[0], bool) and values[0].startswith("2"):
        values = pd.to_datetime(values).tolist()
    table = column(values, dtype)
    model = encoded("c", LogisticRegression()).fit(table, LATE)
    expected = model.predict(table).tolist()
    assert answers(model, table, LATE) == (expected, expected)


@pytest.mark.parametrize("names", [["", "b"], ["a\nb", "b"], ["[/bold]", "\x1b[31m"]])
def test_columns_of_strange_names(names, answers):
    table = NUMBERS.set_axis(names, axis=1)
    model = LogisticRegression().fit(table, LATE)
    expected = model.predict(table).tolist()
    assert answers(model, table, LATE) == (expected, expected)


def test_many_columns(answers):
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.random((ROWS, 2000)), columns=[f"c{n}" for n in range(2000)])
    model = LogisticRegression().fit(table, LATE)
    expected = model.predict(table).tolist()
    assert answers(model, table, LATE) == (expected, expected)


@pytest.mark.parametrize("model", [LinearRegression(), RandomForestRegressor(3)], ids=["linear", "forest"])
def test_a_target_in_a_table_of_one_column(model, answers):
    target = (NUMBERS["a"] * 3 + NUMBERS["b"]).rename("delay").to_frame()
    model.fit(NUMBERS, target.to_numpy() if isinstance(model, LinearRegression) else target["delay"])
    framed, sent = answers(model, NUMBERS, target)
    np.testing.assert_allclose(framed, model.predict(NUMBERS).reshape(-1), atol=1e-12)
    np.testing.assert_allclose(sent, framed, atol=1e-12)


@pytest.mark.parametrize("names", [[0, 1], pd.MultiIndex.from_tuples([("x", "a"), ("x", "b")])])
def test_column_names_that_are_not_text_are_refused_with_the_remedy(names):
    table = NUMBERS.set_axis(names, axis=1)
    with pytest.raises(PackageError, match=r"column names that are not text.*str\(name\)"):
        build_contract(LogisticRegression().fit(table, LATE), (table, LATE))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (pd.arrays.SparseArray([0.0, 1.0] * 40), "is sparse"),
        (pd.date_range("2020", periods=ROWS, tz="UTC"), "times with a zone"),
        (pd.period_range("2020", periods=ROWS), "cannot be described"),
        (pd.to_timedelta(range(ROWS), unit="s"), "cannot be described"),
    ],
)
def test_columns_that_no_request_could_send_are_refused_by_name(values, what):
    table = NUMBERS.assign(c=values)
    with pytest.raises(PackageError, match=f"Column c.*{what}"):
        build_contract(encoded("c", LogisticRegression()).fit(table, LATE), (table, LATE))
