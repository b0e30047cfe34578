import ast
import os
import pickle
import warnings
import zipfile
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from cellops.errors import PackageError, TrustError
from cellops.packaging.formats import FORMATS, Trust
from cellops.packaging.formats.skops import TRIES, Skops
from cellops.packaging.load import load_package
from cellops.packaging.manifest import write
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from cellops.settings import load as load_settings

TRUST = Trust(frozenset(BUILT_IN_TRUSTED_TYPES))


class Foreign(ClassifierMixin, BaseEstimator):
    """An estimator that no allow-list knows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture(scope="module")
def data():
    return load_breast_cancer(return_X_y=True)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_refuses_a_file_of_another_kind(name):
    with pytest.raises(PackageError):
        FORMATS[name].load(b"neither", Trust(pickle=True))
    with pytest.raises(PackageError):
        FORMATS[name].untrusted(b"neither")


def test_a_pickle_disguised_as_skops_is_refused_and_runs_nothing(flights_package, tmp_path):
    trace = tmp_path / "trace"
    (flights_package / "model.skops").write_bytes(pickle.dumps(Trap(trace)))
    write(flights_package, "flights", None)
    for allowed in (False, True):
        with pytest.raises(PackageError, match="cannot be read as a skops file"):
            load_package(flights_package, allow_pickle=allowed)
    assert not trace.exists()


def test_a_pickle_is_loaded_only_when_the_operator_says_so(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(TrustError, match="CELLOPS_ALLOW_PICKLE=true") as caught:
        FORMATS["pickle"].load(path.read_bytes(), TRUST)
    assert caught.value.data["types"] == [f"{os.name}.mkdir"]
    assert not trace.exists()
    FORMATS["pickle"].load(path.read_bytes(), Trust(pickle=True))
    assert trace.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_globals_of_a_pickle_are_named_without_loading_it(protocol, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([Trap(tmp_path / "trace"), Trap(tmp_path / "trace")], protocol=protocol))
    assert FORMATS["pickle"].untrusted(path.read_bytes()) == [f"{os.name}.mkdir"]


def test_foreign_types_are_refused_by_name(tmp_path, data):
    path = tmp_path / "model.skops"
    skops.io.dump(Foreign().fit(*data), path)
    (name,) = FORMATS["skops"].untrusted(path.read_bytes())
    assert name.endswith("Foreign")
    with pytest.raises(TrustError, match="Foreign") as caught:
        FORMATS["skops"].load(path.read_bytes(), TRUST)
    assert caught.value.data["types"] == [name]
    assert isinstance(FORMATS["skops"].load(path.read_bytes(), Trust(frozenset({name}))), Foreign)


def test_what_the_package_trusts_is_not_read(flights_package, tmp_path, data):
    skops.io.dump(Foreign().fit(*data), flights_package / "model.skops")
    (name,) = FORMATS["skops"].untrusted((flights_package / "model.skops").read_bytes())
    text = (flights_package / "MLmodel").read_text()
    (flights_package / "MLmodel").write_text(
        text.replace("skops_trusted_types:", f"skops_trusted_types:\n    - {name}")
    )
    write(flights_package, "flights", None)
    with pytest.raises(TrustError, match="Foreign"):
        load_package(flights_package)
    assert isinstance(load_package(flights_package, trusted_types=[name]).predictor, object)


def test_a_format_that_is_unknown_or_not_there(flights_package):
    path = flights_package / "provenance.json"
    for name in ("onnx", "pickle"):
        path.write_text(path.read_text().replace('"skops"', f'"{name}"'))
        write(flights_package, "flights", None)
        with pytest.raises(PackageError, match=f"no model in the format {name}"):
            load_package(flights_package, allow_pickle=True)
        path.write_text(path.read_text().replace(f'"{name}"', '"skops"'))


def test_a_skops_file_put_together_wrongly(tmp_path, data):
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", '{"protocol": 2, "__loader__": "ObjectNode"}')
    with pytest.raises(PackageError, match="cannot be read as a skops file"):
        FORMATS["skops"].load(path.read_bytes(), TRUST)


def text_and_numbers(final):
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), ["kind"]),
        (TfidfVectorizer(), "words"),
        sparse_threshold=0,
    )
    return make_pipeline(columns, final)


@pytest.mark.parametrize(
    "final",
    [
        CalibratedClassifierCV(DecisionTreeClassifier()),
        ExtraTreesClassifier(3),
        GradientBoostingClassifier(n_estimators=3),
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=StratifiedKFold(2)),
        GridSearchCV(LogisticRegression(), {"C": [1, 2]}, scoring=("roc_auc", "neg_log_loss"), refit="roc_auc", cv=2),
        RandomizedSearchCV(Ridge(), {"alpha": [1, 2]}, n_iter=1, cv=KFold(2), scoring="neg_mean_absolute_error"),
        HistGradientBoostingClassifier(max_iter=3),
        KMeans(2),
        KNeighborsClassifier(algorithm="kd_tree"),
        LinearRegression(),
        LogisticRegression(),
        MLPClassifier(max_iter=3),
        Ridge(),
        SGDClassifier(),
        SVC(),
    ],
    ids=lambda final: type(final).__name__,
)
def test_common_estimators_need_no_more_than_the_built_in_allow_list(final, tmp_path):
    rows = 60
    frame = pd.DataFrame(
        {
            "number": np.where(np.arange(rows) % 7, np.arange(rows) / rows, np.nan),
            "kind": np.array(["a", "b", None], dtype=object)[np.arange(rows) % 3],
            "words": np.array(["late again", "on time"])[np.arange(rows) % 2],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = text_and_numbers(final).fit(frame, np.arange(rows) % 2)
    skops.io.dump(model, tmp_path / "model.skops")
    loaded = FORMATS["skops"].load((tmp_path / "model.skops").read_bytes(), TRUST)
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))


def test_the_setting_adds_to_the_built_in_allow_list(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLOPS_TRUSTED_TYPES", "mine.Estimator")
    assert load_settings(tmp_path).trusted == (*BUILT_IN_TRUSTED_TYPES, "mine.Estimator")


def test_cloudpickled_models_are_pickles(tmp_path, data):
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(RandomForestClassifier(2).fit(*data)))
    assert "sklearn.ensemble._forest.RandomForestClassifier" in FORMATS["pickle"].untrusted(path.read_bytes())
    assert isinstance(FORMATS["pickle"].load(path.read_bytes(), Trust(pickle=True)), RandomForestClassifier)


@pytest.mark.parametrize("times", [TRIES - 1, TRIES])
def test_a_file_is_read_again_that_python_has_miscounted_beside_another_thread(flights_folder, monkeypatch, times):
    content = (flights_folder / "model.skops").read_bytes()
    # As numpy reads the head of an array.
    parse, left = ast.literal_eval, [SystemError("AST constructor recursion depth mismatch")] * times

    def read(text):
        if left:
            raise left.pop()
        return parse(text)

    monkeypatch.setattr(ast, "literal_eval", read)
    if times < TRIES:
        Skops().load(content, TRUST)
    else:
        with pytest.raises(PackageError, match="recursion depth mismatch"):
            Skops().load(content, TRUST)
    assert not left
