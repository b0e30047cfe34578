import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from cellops.data.decoder import decode_columns, frame_columns
from cellops.errors import InputError, PackageError
from cellops.packaging.contract import build_contract
from cellops.packaging.parity import build_parity, replay
from cellops.packaging.predictor import Predictions, SklearnPredictor, to_frame
from cellops.packaging.schema import build_field
from cellops.packaging.threads import FEW, Threads
from cellops.records.contract import Schema, Task

FRAME = pd.DataFrame(
    {
        "text": pd.Series(["a", None, "b"]),
        "object": pd.Series(["a", None, "b"], dtype=object),
        "nan": pd.Series(["a", np.nan, "b"], dtype=object),
        "category": pd.Series(["a", None, "b"], dtype="category"),
        "string": pd.Series(["a", None, "b"], dtype="string"),
        "number": [1.5, np.nan, 2.0],
        "single": pd.Series([1.5, np.nan, 2.0], dtype="float32"),
        "integer": [1, 2, 3],
        "short": pd.Series([1, 2, 127], dtype="int8"),
        "nullable": pd.Series([1, None, 3], dtype="Int64"),
        "flag": [True, False, True],
        "time": pd.to_datetime(["2013-01-01T00:00", "2013-01-01T05:30", "2013-12-31T23:59"]).as_unit("ns"),
    }
)
SCHEMA = Schema(
    inputs=tuple(build_field(name, FRAME[name]) for name in FRAME.columns), task=Task.CLASSIFICATION, target="late"
)


def test_columns_become_the_very_frame_that_the_model_was_fitted_on():
    pd.testing.assert_frame_equal(to_frame(SCHEMA, frame_columns(SCHEMA, FRAME)), FRAME)


def test_missing_text_is_what_it_was_in_training():
    frame = to_frame(SCHEMA, frame_columns(SCHEMA, FRAME))
    assert frame["object"][1] is None
    assert isinstance(frame["nan"][1], float)


def test_parity_rows_come_back_through_json_as_the_same_frame():
    parity = build_parity(SCHEMA, FRAME, Predictions(np.array([0, 1, 0]), None))
    again = type(parity).from_json(parity.to_json())
    pd.testing.assert_frame_equal(to_frame(SCHEMA, decode_columns(SCHEMA, again.inputs)), FRAME)


def test_a_number_that_does_not_fit_its_column_is_refused_and_not_wrapped():
    columns = frame_columns(SCHEMA, FRAME) | {"short": np.array([1, 300, -129])}
    with pytest.raises(InputError, match="short has a number outside of -128 to 127") as caught:
        to_frame(SCHEMA, columns)
    assert caught.value.data["rows"] == [1, 2]


@given(st.permutations(list(FRAME.columns)))
def test_the_order_of_the_columns_given_does_not_matter(order):
    columns = frame_columns(SCHEMA, FRAME)
    pd.testing.assert_frame_equal(to_frame(SCHEMA, {name: columns[name] for name in order}), FRAME)


@pytest.mark.parametrize("most_probable", [True, False])
def test_labels_are_those_of_predict_with_one_call_where_that_is_enough(cancer_model, most_probable, monkeypatch):
    schema = cancer_model.contract().schema.replace(label_is_most_probable=most_probable)
    rows = cancer_model.evaluation[0]
    expected = cancer_model.model.predict(rows)
    calls = []
    real = type(cancer_model.model).predict
    monkeypatch.setattr(type(cancer_model.model), "predict", lambda *given: calls.append(1) or real(*given))
    predictor, columns = SklearnPredictor(cancer_model.model, schema), frame_columns(schema, rows)
    first = predictor.predict(columns)  # asked for a table and for an array
    calls.clear()
    answers = predictor.predict(columns)
    assert first.labels.tolist() == answers.labels.tolist() == expected.tolist()
    assert len(calls) == (0 if most_probable else 1)


@pytest.mark.parametrize("name", ["flights_model", "cancer_model", "diabetes_model"])
def test_replaying_accepts_the_model_and_no_other(name, request):
    trained = request.getfixturevalue(name)
    contract = build_contract(trained.model, trained.training, trained.evaluation)
    predictor = SklearnPredictor(trained.model, contract.schema)
    replay(contract, predictor)
    turned = contract.parity.replace(labels=contract.parity.labels[::-1])
    with pytest.raises(PackageError, match="otherwise than in training"):
        replay(contract.replace(parity=turned), predictor)


def test_where_two_classes_are_equally_probable_the_model_is_asked(cancer_model):
    inputs, target = cancer_model.training
    model = LogisticRegression().fit(inputs * 0, target)
    model.coef_[:], model.intercept_[:] = 0, 1e-20  # a probability of exactly one half, and the second class
    schema = build_contract(model, (inputs, target)).schema
    assert schema.label_is_most_probable
    answers = SklearnPredictor(model, schema).predict(frame_columns(schema, inputs))
    assert set(answers.labels) == set(model.predict(inputs)) == {"malignant"}


@pytest.mark.parametrize(("rows", "used"), [(1, 1), (FEW, 1), (FEW + 1, 3)])
def test_few_rows_are_answered_in_one_thread(rows, used):
    openmp, threads = ThreadpoolController().select(user_api="openmp"), Threads()
    with openmp.limit(limits=3):
        for _ in range(2):
            with threads.for_rows(rows):
                assert {library["num_threads"] for library in openmp.info()} == {used}
        assert {library["num_threads"] for library in openmp.info()} == {3}
