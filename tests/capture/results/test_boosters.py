"""xgboost and lightgbm, as estimators and as what their own `train` gives."""

import sys

import pytest

from cellops.capture.results import trained
from cellops.records.run import RunClosed
from support.kernel import Kernel

TABLES = (
    "import numpy as np, pandas as pd\ngenerator = np.random.default_rng(7)\n"
    "X = pd.DataFrame(generator.normal(size=(80, 3)), columns=list('abc'))\ny = (X['a'] > 0).astype(int)\n"
    "X2, y2 = X.iloc[60:] + 0.5, y.iloc[60:]\n"
)
TRAIN = {
    "xgboost": (
        "import xgboost\ntrain = xgboost.DMatrix(X, label=y)\ntest = xgboost.DMatrix(data=X2, label=y2)\n"
        "booster = xgboost.train({'max_depth': 2, 'eta': 0.25}, train, 3, evals=[(train, 'a'), (test, 'b')], "
        "verbose_eval=False)"
    ),
    "lightgbm": (
        "import lightgbm as lgb\ntrain = lgb.Dataset(X, y)\ntest = lgb.Dataset(X2, label=y2)\n"
        "booster = lgb.train({'max_depth': 2, 'eta': 0.25, 'verbose': -1}, train_set=train, num_boost_round=3, "
        "valid_sets=[test], keep_training_booster=True)"
    ),
}
ONE_MORE = {"xgboost": "booster.update(train, 3)", "lightgbm": "_ = booster.update()"}


def _codes(run: RunClosed) -> list[str]:
    return [finding.code for finding in run.findings if finding.code != "no-repository"]


@pytest.mark.parametrize("library", TRAIN)
def test_what_train_gives_is_a_model_with_its_tables_and_parameters(loaded: Kernel, library: str) -> None:
    loaded.run(TABLES)
    assert loaded.run(f"%%mlops run\n{TRAIN[library]}").status == "ok"
    run = loaded.closed()[-1]
    assert [model.name for model in run.models] == ["booster"]
    assert run.models[0].type.startswith(library)
    assert run.parameters["booster.max_depth"] == 2
    assert run.parameters["booster.eta"] == 0.25
    assert {(table.name, table.role) for table in run.data} == {
        ("X", "training"),
        ("y", "training"),
        ("X2", "evaluation"),
        ("y2", "evaluation"),
    }
    assert [(overlap.training, overlap.evaluation, overlap.shared) for overlap in run.overlaps] == [("X", "X2", 0)]
    assert "has no contract" in " ".join(finding.seen for finding in run.findings)


@pytest.mark.parametrize("library", TRAIN)
def test_a_booster_is_of_the_run_that_trained_it(loaded: Kernel, library: str) -> None:
    loaded.run(TABLES + TRAIN[library])
    loaded.run("%%mlops run\nwords = float(len(str(type(booster))))")
    loaded.run(f"%%mlops run\n{ONE_MORE[library]}")
    assert [[model.name for model in run.models] for run in loaded.closed()] == [[], ["booster"]]


def test_a_booster_that_has_learnt_nothing_is_no_model(loaded: Kernel) -> None:
    loaded.run(f"{TABLES}import xgboost, lightgbm")
    loaded.run(
        "%%mlops run\nempty = xgboost.Booster()\nfresh = lightgbm.Booster({'verbose': -1}, lightgbm.Dataset(X, y))"
    )
    assert (loaded.closed()[-1].models, _codes(loaded.closed()[-1])) == ((), [])


@pytest.mark.parametrize(
    ("imported", "made", "parameter"),
    [
        ("from xgboost import XGBClassifier", "XGBClassifier(n_estimators=3)", "model.n_estimators"),
        ("from lightgbm import LGBMClassifier", "LGBMClassifier(n_estimators=3, verbose=-1)", "model.n_estimators"),
        (
            "from xgboost import XGBClassifier\nfrom sklearn.model_selection import GridSearchCV",
            "GridSearchCV(XGBClassifier(n_estimators=3), {'max_depth': [1, 2]}, cv=2)",
            "model.estimator__n_estimators",
        ),
        (
            "from lightgbm import LGBMClassifier as L\nfrom sklearn import pipeline, preprocessing",
            "pipeline.make_pipeline(preprocessing.MinMaxScaler(), L(n_estimators=3, verbose=-1))",
            "model.lgbmclassifier__n_estimators",
        ),
    ],
)
def test_their_estimators_are_scikit_learns(loaded: Kernel, imported: str, made: str, parameter: str) -> None:
    loaded.run(f"{TABLES}{imported}")
    done = loaded.run(f"%%mlops run\nx = np.random.rand()\nmodel = {made}.fit(X, y)\nright = model.score(X2, y2)")
    assert done.status == "ok"
    run = loaded.closed()[-1]
    assert ([model.name for model in run.models], run.parameters[parameter]) == (["model"], 3)
    assert run.contract is not None
    assert run.contract.performance is not None
    assert "unseeded-estimator" not in _codes(run)


def test_no_library_is_imported_to_know_its_models() -> None:
    before = set(sys.modules)
    assert trained.library_of(object()) is None
    assert trained.optimizer_parameters({"optimizer": object()}) == {}
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"xgboost", "lightgbm", "torch"}
