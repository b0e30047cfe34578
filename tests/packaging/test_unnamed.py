"""Models of scikit-learn that answer arrays as they answer tables, and those that are asked with tables only."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from cellops.data.decoder import frame_columns
from cellops.packaging.contract import build_contract
from cellops.packaging.predictor import SklearnPredictor, to_frame
from cellops.packaging.unnamed import unnamed

GENERATOR = np.random.default_rng(5)
FRAME = pd.DataFrame(GENERATOR.normal(size=(120, 4)), columns=["size", "age", "rooms", "floor"])
TARGET = pd.Series(np.where(FRAME["size"] * FRAME["age"] + GENERATOR.normal(size=120) > 0, "late", "on time"), name="y")
NUMBER = FRAME["size"] * 2 + FRAME["floor"]
ALONE = [
    LogisticRegression(),
    RidgeClassifier(),
    GaussianNB(),
    KNeighborsClassifier(),
    SVC(),
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(10, random_state=0),
    ExtraTreesClassifier(10, random_state=0),
    GradientBoostingClassifier(n_estimators=5),
    HistGradientBoostingClassifier(max_iter=5),
    AdaBoostClassifier(n_estimators=5),
    BaggingClassifier(n_estimators=3, random_state=0),
    MLPClassifier((4,), max_iter=5, random_state=0),
]
IN_STEPS = [
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(SimpleImputer(), PCA(2), make_pipeline(StandardScaler(), "passthrough"), SVC()),
    make_pipeline(PolynomialFeatures(2), SelectKBest(k=3), RandomForestClassifier(5, random_state=0)),
]
BY_NAME = [
    make_pipeline(ColumnTransformer([("kept", StandardScaler(), ["size", "age"])]), LogisticRegression()),
    make_pipeline(make_column_transformer(("passthrough", ["age"])), LogisticRegression()),
    make_pipeline(FunctionTransformer(lambda rows: rows[["age", "size"]]), LogisticRegression()),
    make_pipeline(StandardScaler().set_output(transform="pandas"), LogisticRegression()),
    make_pipeline(StandardScaler(), LogisticRegression()).set_output(transform="pandas"),
    HistGradientBoostingClassifier(max_iter=5, categorical_features=["floor"]),
    VotingClassifier([("one", LogisticRegression()), ("two", GaussianNB())]),
    StackingClassifier([("one", GaussianNB()), ("two", make_pipeline(StandardScaler(), SVC()))]),
    CalibratedClassifierCV(GaussianNB(), cv=2),
]
MODELS = [*ALONE, *IN_STEPS, *BY_NAME]


def fitted(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = FRAME.assign(floor=FRAME["floor"].round().clip(0)) if "categorical" in str(model) else FRAME
        return sklearn.clone(model).fit(frame, TARGET), frame


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model)[:60])
def test_every_answer_is_that_of_the_table_to_the_last_bit_and_without_a_warning(model, monkeypatch):
    model, frame = fitted(model)
    before = str(vars(model))
    schema = build_contract(model, (frame, TARGET)).schema
    predictor = SklearnPredictor(model, schema)
    predictor.predict(frame_columns(schema, frame[:5]))
    tables = []
    answer = SklearnPredictor.answer
    monkeypatch.setattr(SklearnPredictor, "answer", lambda *given: tables.append(1) or answer(*given))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rows in (frame, frame[7:8]):
            columns = frame_columns(schema, rows)
            answered, table = predictor.predict(columns), to_frame(schema, columns)
            assert answered.labels.tolist() == model.predict(table).tolist()
            if schema.probabilities:
                assert answered.probabilities.tobytes() == np.ascontiguousarray(model.predict_proba(table)).tobytes()
    assert len(tables) == (2 if unnamed(model) is None else 0)
    assert str(vars(model)) == before


@pytest.mark.parametrize(
    "model", [RandomForestRegressor(5), HistGradientBoostingRegressor(max_iter=5), Ridge()], ids=str
)
def test_so_is_every_number(model):
    schema = build_contract(model.fit(FRAME, NUMBER), (FRAME, NUMBER)).schema
    predictor = SklearnPredictor(model, schema)
    columns = frame_columns(schema, FRAME)
    for _ in range(2):
        assert predictor.predict(columns).labels.tolist() == model.predict(to_frame(schema, columns)).tolist()


@pytest.mark.parametrize("model", [*ALONE, *IN_STEPS], ids=lambda model: str(model)[:60])
def test_what_takes_arrays_shares_what_was_fitted(model):
    model, _ = fitted(model)
    copy = unnamed(model)
    last, own = (getattr(found, "steps", [("", found)])[-1][1] for found in (model, copy))
    assert own is not last
    assert not hasattr(own, "feature_names_in_")
    assert all(held is vars(last)[name] for name, held in vars(own).items())


@pytest.mark.parametrize("model", BY_NAME, ids=lambda model: str(model)[:60])
def test_what_may_depend_on_names_is_asked_with_tables(model):
    assert unnamed(fitted(model)[0]) is None


def test_where_transformers_give_tables_so_are_models_asked():
    model, _ = fitted(IN_STEPS[0])
    with sklearn.config_context(transform_output="pandas"):
        assert unnamed(model) is None


def test_an_estimator_that_answers_arrays_otherwise_is_asked_with_tables(monkeypatch):
    class Odd(LogisticRegression):
        def predict_proba(self, rows):
            return super().predict_proba(rows if isinstance(rows, pd.DataFrame) else -rows)

    monkeypatch.setattr(Odd, "__module__", "sklearn.odd")
    model = Odd().fit(FRAME, TARGET)
    assert unnamed(model) is not None
    schema = build_contract(model, (FRAME, TARGET)).schema
    predictor = SklearnPredictor(model, schema)
    for _ in range(2):
        columns = frame_columns(schema, FRAME)
        assert (
            predictor.predict(columns).probabilities.tolist() == model.predict_proba(to_frame(schema, columns)).tolist()
        )


def test_rows_that_the_model_refuses_prove_nothing():
    model, _ = fitted(LogisticRegression())
    schema = build_contract(model, (FRAME, TARGET)).schema
    predictor = SklearnPredictor(model, schema)
    with pytest.raises(ValueError, match="NaN"):
        predictor.predict({name: np.full(3, np.nan) for name in FRAME})
    for _ in range(2):
        assert predictor.predict(frame_columns(schema, FRAME)).labels.tolist() == model.predict(FRAME).tolist()
