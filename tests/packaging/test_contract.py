import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from cellops.data.decoder import frame_columns
from cellops.errors import PackageError
from cellops.packaging.contract import MOST_PROFILES, build_contract
from cellops.packaging.parity import NOISE, differences, replay
from cellops.packaging.predictor import Predictions, SklearnPredictor
from cellops.records.contract import Contract, Task
from cellops.records.profile import ColumnKind


def fitted_on(frame: pd.DataFrame) -> tuple[DummyClassifier, tuple[pd.DataFrame, pd.Series]]:
    target = pd.Series(np.arange(len(frame)) % 2, name="odd")
    return DummyClassifier().fit(frame, target), (frame, target)


def field_of(values: object, **options):
    model, training = fitted_on(pd.DataFrame({"c": pd.Series(values, **options)}))
    (field,) = build_contract(model, training).schema.inputs
    return field


def test_the_schema_of_flights(flights_contract, flights_model):
    schema = flights_contract.schema
    fields = {field.name: field for field in schema.inputs}
    assert list(fields) == ["carrier", "origin", "distance", "hour", "wind_gust", "visib"]
    assert fields["origin"].kind is ColumnKind.TEXT
    assert fields["origin"].categories == ("EWR", "JFK", "LGA")
    assert fields["wind_gust"].kind is ColumnKind.NUMBER
    assert fields["wind_gust"].nullable
    assert not fields["distance"].nullable
    assert (fields["hour"].minimum, fields["hour"].maximum) == (5, 23)
    assert (schema.task, schema.target, schema.classes) == (Task.CLASSIFICATION, "late", (0, 1))
    assert schema.probabilities
    assert schema.label_is_most_probable


def test_a_contract_survives_json(flights_contract):
    assert Contract.from_json(flights_contract.to_json()) == flights_contract


def test_profile_output_performance_and_suite_of_flights(flights_contract, flights_model):
    assert flights_contract.profile.rows == len(flights_model.training[0])
    assert flights_contract.output.name == "probability of 1"
    assert flights_contract.output.rows == flights_contract.performance.rows == len(flights_model.evaluation[0])
    assert 0.5 < flights_contract.performance.measure("roc_auc").value < 1
    assert flights_contract.performance.positive == 1
    assert flights_contract.suite.name == "inputs"


def test_parity_rows_are_real_the_same_each_time_and_show_missing_values_and_categories(
    flights_contract, flights_model
):
    parity = flights_contract.parity
    assert len(parity.labels) == len(parity.probabilities) == 20
    assert None in parity.inputs["wind_gust"]
    assert set(parity.inputs["origin"]) == {"EWR", "JFK", "LGA"}
    assert len(set(parity.inputs["carrier"])) > 5
    assert flights_model.contract().parity == parity


def test_a_regressor_has_numbers_for_output_and_no_classes(diabetes_model):
    contract = diabetes_model.contract()
    assert (contract.schema.task, contract.schema.classes) == (Task.REGRESSION, ())
    assert contract.parity.probabilities is None
    assert contract.output.kind is ColumnKind.NUMBER
    assert contract.performance.measure("rmse").value > 0
    assert 1e-6 < contract.parity.tolerance < 1e-3


def test_answers_far_below_one_are_compared_in_their_own_magnitude(diabetes_model):
    (inputs, target), small = diabetes_model.training, 1e-9
    model = LinearRegression().fit(inputs, target * small)
    contract = build_contract(model, (inputs, target * small))
    assert contract.parity.tolerance == pytest.approx(1e-6 * np.abs(contract.parity.labels).max())
    model.coef_ = -model.coef_
    with pytest.raises(PackageError, match="answers otherwise than in training"):
        replay(contract, SklearnPredictor(model, contract.schema))
    model.coef_, model.intercept_ = model.coef_ * 0, 0.0
    assert build_contract(model, (inputs, target * small)).parity.tolerance == NOISE


def test_one_answer_for_all_rows_is_none_for_each(cancer_model):
    contract = cancer_model.contract()
    parity = contract.parity.replace(labels=["benign"] * 20, probabilities=[[0.5, 0.5]] * 20)
    for labels, chances in ((1, 20), (20, 1)):
        answers = Predictions(np.array(["benign"] * labels), np.full((chances, 2), 0.5))
        assert differences(contract.schema, parity, answers).tolist() == list(range(20))


def test_without_evaluation_data_there_is_no_performance_and_no_output(cancer_model):
    contract = build_contract(cancer_model.model, cancer_model.training, parity_rows=7)
    assert contract.performance is None
    assert contract.output is None
    assert len(contract.parity.labels) == 7


def test_string_classes_and_a_target_in_an_array(cancer_model):
    inputs, target = cancer_model.training
    contract = build_contract(cancer_model.model, (inputs, target.to_numpy()))
    assert contract.schema.classes == ("benign", "malignant")
    assert contract.schema.target == "target"


@pytest.mark.parametrize(
    "model",
    [
        FixedThresholdClassifier(LogisticRegression(max_iter=5000), threshold=0.9),
        TunedThresholdClassifierCV(LogisticRegression(max_iter=5000), cv=2),
        make_pipeline(FixedThresholdClassifier(DecisionTreeClassifier(), threshold=0.9)),
        SVC(probability=True),
        KNeighborsClassifier(),
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1]}),
    ],
    ids=lambda model: type(model).__name__,
)
def test_labels_follow_from_probabilities_only_where_the_model_says_so(model):
    """A sample on which the two agree proves nothing: here no row is between the thresholds."""
    inputs, target = load_breast_cancer(return_X_y=True, as_frame=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(inputs, target)
    agreeing = inputs[model.predict_proba(inputs).max(axis=1) > 0.999]
    contract = build_contract(model, (inputs, target), (agreeing, target[agreeing.index]))
    assert not contract.schema.label_is_most_probable
    answers = SklearnPredictor(model, contract.schema).predict(frame_columns(contract.schema, inputs))
    np.testing.assert_array_equal(answers.labels, model.predict(inputs))


def test_a_classifier_without_probabilities_has_its_labels_for_output(cancer_model):
    inputs, target = cancer_model.training
    model = LinearSVC().fit(inputs, target)
    contract = build_contract(model, (inputs, target), cancer_model.evaluation)
    assert not contract.schema.probabilities
    assert contract.parity.probabilities is None
    assert set(contract.output.bins.categories) == {"benign", "malignant"}


@pytest.mark.parametrize(
    ("values", "options", "kind", "dtype", "nullable"),
    [
        ([1, 2, 3, 4], {}, ColumnKind.INTEGER, "int64", False),
        ([1, None, 3, 4], {"dtype": "Int64"}, ColumnKind.INTEGER, "Int64", True),
        ([1.5, None, 3, 4], {"dtype": "float32"}, ColumnKind.NUMBER, "float32", True),
        ([True, False, True, True], {}, ColumnKind.BOOLEAN, "bool", False),
        (["a", None, "b", "b"], {"dtype": "object"}, ColumnKind.TEXT, "object", True),
        (["a", "a", "b", "b"], {"dtype": "category"}, ColumnKind.TEXT, "category", False),
        (pd.to_datetime(["2013-01-01"] * 4), {}, ColumnKind.DATETIME, None, False),
    ],
)
def test_a_field_says_what_stood_in_the_column(values, options, kind, dtype, nullable):
    field = field_of(values, **options)
    assert (field.kind, field.nullable) == (kind, nullable)
    assert dtype in (None, field.dtype)


def test_none_and_nan_are_told_apart_and_a_mixture_is_refused():
    assert field_of(["a", None], dtype=object).missing_is_none
    assert not field_of(["a", np.nan], dtype=object).missing_is_none
    with pytest.raises(PackageError, match="both None and NaN"):
        field_of(["a", None, np.nan], dtype=object)


def test_free_text_lists_no_categories():
    assert field_of([f"text {row}" for row in range(201)]).categories is None


@pytest.mark.parametrize(
    ("values", "options", "fact"),
    [
        ([1, "a", 2, "b"], {"dtype": "object"}, "c cannot be described"),
        ([1, 2, 1, 2], {"dtype": "category"}, "categories that are not text"),
        (pd.to_datetime(["2013-01-01"] * 4, utc=True), {}, "times with a zone"),
        ([np.inf, np.inf], {}, "no row that could be sent"),
    ],
)
def test_a_column_that_no_request_could_express_is_refused_by_name(values, options, fact):
    with pytest.raises(PackageError, match=fact):
        field_of(values, **options)


def test_infinite_and_newly_missing_values_are_no_parity_rows():
    model, training = fitted_on(pd.DataFrame({"c": [1.0, 2.0, np.inf, 4.0]}))
    evaluation = (pd.DataFrame({"c": [1.0, np.nan, np.inf, 3.0]}), pd.Series([0, 1, 0, 1]))
    assert build_contract(model, training, evaluation).parity.inputs == {"c": [1.0, 3.0]}


def test_a_model_fitted_on_an_array_is_refused_with_the_remedy():
    inputs, target = load_breast_cancer(return_X_y=True)
    model = LinearSVC().fit(inputs, target)
    for table in (inputs, pd.DataFrame(inputs).add_prefix("c")):
        with pytest.raises(PackageError, match="Fit it on a pandas DataFrame"):
            build_contract(model, (table, target))


def test_a_table_that_the_model_was_not_fitted_on_is_refused(cancer_model):
    inputs, target = cancer_model.training
    with pytest.raises(PackageError, match="not fitted on these columns") as caught:
        build_contract(cancer_model.model, (inputs.drop(columns="mean area"), target))
    assert caught.value.received == ["mean area"]
    with pytest.raises(PackageError, match="lack the columns mean area"):
        build_contract(cancer_model.model, (inputs, target), (inputs.drop(columns="mean area"), target))


def test_what_is_no_classifier_or_regressor_of_one_target_is_refused(cancer_model):
    inputs, target = cancer_model.training
    with pytest.raises(PackageError, match="neither a classifier nor a regressor"):
        build_contract(KMeans(2).fit(inputs), (inputs, target))
    both = pd.DataFrame({"a": target, "b": target})
    with pytest.raises(PackageError, match="several targets"):
        build_contract(MultiOutputClassifier(DummyClassifier()).fit(inputs, both), (inputs, both))


def test_evaluation_columns_may_come_in_another_order(cancer_model):
    inputs, target = cancer_model.evaluation
    contract = build_contract(cancer_model.model, cancer_model.training, (inputs[inputs.columns[::-1]], target))
    assert contract == cancer_model.contract()


def test_a_pipeline_that_starts_with_an_encoder_is_described_by_its_own_inputs():
    frame = pd.DataFrame({"c": ["a", "b", "a", "b"] * 5})
    target = np.array([0, 1, 0, 1] * 5)
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, target)
    assert build_contract(model, (frame, target)).schema.inputs[0].categories == ("a", "b")


def test_a_table_that_models_are_fitted_on_again_is_profiled_once_and_another_one_anew(cancer_model):
    inputs, target = cancer_model.training
    first = build_contract(cancer_model.model, (inputs, target), content="one").profile
    again = build_contract(cancer_model.model, (inputs, target), content="one").profile
    assert again is first == build_contract(cancer_model.model, (inputs, target)).profile
    shifted = inputs + 1.0
    other = build_contract(cancer_model.model, (shifted, target), content="two").profile
    assert other == build_contract(cancer_model.model, (shifted, target)).profile != first
    for number in range(MOST_PROFILES):
        build_contract(cancer_model.model, (inputs, target), content=f"further {number}")
    assert build_contract(cancer_model.model, (inputs, target), content="one").profile is not first
