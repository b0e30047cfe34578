"""xgboost and lightgbm in their own formats: the same answers, and nothing believed that a file says of itself."""

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost

from cellops.data.decoder import frame_columns
from cellops.errors import IntegrityError, PackageError
from cellops.packaging.boosters import BoosterPredictor
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.formats import FORMATS, Trust
from cellops.packaging.load import load_package
from support.boosted import KINDS, Boosted, boosted, content_of


@pytest.fixture(scope="module")
def made() -> Callable[[str], Boosted]:
    kept: dict[str, Boosted] = {}

    def get(name: str) -> Boosted:
        if name not in kept:
            kept[name] = boosted(name)
        return kept[name]

    return get


@pytest.mark.parametrize("name", KINDS)
def test_a_booster_answers_as_its_estimator_did(made, name):
    held = made(name)
    chosen, content = content_of(held.model)
    schema = build_contract(held.model, (held.inputs, held.target)).schema
    predictor = FORMATS[chosen].predictor(FORMATS[chosen].load(content, Trust()), schema)
    assert FORMATS[chosen].untrusted(content) == []
    answers = predictor.predict(frame_columns(schema, held.inputs))
    np.testing.assert_array_equal(answers.labels, held.model.predict(held.inputs))
    if schema.probabilities:
        np.testing.assert_array_equal(answers.probabilities, held.model.predict_proba(held.inputs).astype(float))
    else:
        assert answers.probabilities is None


@pytest.mark.parametrize("name", ["xgboost classes categories", "lightgbm binary"])
def test_a_package_holds_the_library_s_own_format(made, name, recorded, tmp_path, monkeypatch):
    import mlflow

    from cellops.tracking.model import _flavor

    held = made(name)
    module, options, _ = _flavor(held.model, ())
    flavor = getattr(mlflow, module.removeprefix("mlflow."))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flavor.save_model(path=tmp_path / "model", pip_requirements=["numpy"], **options)
    environment, provenance = recorded
    contract = build_contract(held.model, (held.inputs, held.target))
    package = build_package(tmp_path / "model", contract, environment, provenance, tmp_path / "built", name="built")
    loaded = load_package(package)
    assert loaded.provenance.model_format == name.split()[0]
    assert isinstance(loaded.predictor, BoosterPredictor)
    again = build_package(tmp_path / "model", contract, environment, provenance, tmp_path / "again", name="built")
    assert (again / "manifest.json").read_bytes() == (package / "manifest.json").read_bytes()
    chances = np.asarray(mlflow.pyfunc.load_model(str(package)).predict(held.inputs))
    assert len(chances) == len(held.inputs)


@pytest.mark.parametrize("changed", [{"objective": lambda y, p: (p - y, np.ones(len(y)))}, {"missing": -1.0}])
def test_what_no_booster_holds_stays_with_scikit_learn(changed):
    from cellops.tracking.model import _flavor

    model = xgboost.XGBRegressor(n_estimators=1, **changed).fit(np.arange(8.0).reshape(-1, 1), np.arange(8.0))
    assert _flavor(model, ())[0] == "mlflow.sklearn"


@pytest.mark.parametrize(
    "name", ["xgboost binary", "xgboost classes linear", "xgboost numbers dart", "lightgbm binary"]
)
def test_a_model_of_other_columns_is_refused(made, name):
    held = made(name)
    chosen, content = content_of(held.model)
    schema = build_contract(held.model, (held.inputs, held.target)).schema
    with pytest.raises(IntegrityError, match="columns where the contract has"):
        FORMATS[chosen].predictor(FORMATS[chosen].load(content, Trust()), schema.replace(inputs=schema.inputs[1:]))


def _tree(document: dict[str, Any]) -> dict[str, Any]:
    return document["learner"]["gradient_booster"]["model"]["trees"][0]


XGBOOST = {
    "a feature beyond the row": lambda d: _tree(d)["split_indices"].__setitem__(0, 10_000),
    "a child beyond the tree": lambda d: _tree(d)["left_children"].__setitem__(0, 10_000),
    "a child that is its own parent": lambda d: _tree(d)["left_children"].__setitem__(0, 0),
    "one child only": lambda d: _tree(d)["left_children"].__setitem__(0, -1),
    "a short array": lambda d: _tree(d)["split_conditions"].pop(),
    "fewer trees than it says": lambda d: d["learner"]["gradient_booster"]["model"]["trees"].pop(),
    "a tree of a class that is not there": lambda d: d["learner"]["gradient_booster"]["model"]["tree_info"].__setitem__(
        0, 7
    ),
    "rounds beyond its trees": lambda d: d["learner"]["gradient_booster"]["model"]["iteration_indptr"].__setitem__(
        -1, 99
    ),
    "a best round beyond its own": lambda d: d["learner"]["attributes"].__setitem__("best_iteration", "9999"),
    "more columns than its trees": lambda d: d["learner"]["learner_model_param"].__setitem__("num_feature", "9"),
    "more classes than its trees": lambda d: d["learner"]["learner_model_param"].__setitem__("num_class", "9"),
    "an objective that is unknown": lambda d: d["learner"]["objective"].__setitem__("name", "rank:map"),
}


@pytest.mark.parametrize("what", XGBOOST)
def test_a_hostile_file_of_xgboost_never_reaches_xgboost(made, what, monkeypatch):
    document = json.loads(content_of(made("xgboost binary").model)[1])
    XGBOOST[what](document)
    monkeypatch.setattr(xgboost.Booster, "load_model", lambda *_: pytest.fail("xgboost has seen it"))
    with pytest.raises(IntegrityError, match="leave their own arrays"):
        FORMATS["xgboost"].load(json.dumps(document).encode(), Trust())


ONE_LEAF = """\
num_leaves=1
num_cat=0
leaf_value=0
leaf_weight=1
is_linear=1
leaf_const=0
num_features=2
leaf_features=40 900000000
leaf_coeff=1 1
shrinkage=1
"""
LIGHTGBM = {
    "a feature beyond the row": (r"split_feature=\d+", "split_feature=999"),
    "a negative feature": (r"split_feature=\d+", "split_feature=-7"),
    "a child that is its own parent": (r"left_child=-?\d+", "left_child=0"),
    "a leaf that is not there": (r"right_child=-?\d+", "right_child=-99"),
    "fewer leaves than it says": (r"leaf_value=\S+ ", "leaf_value="),
    "more leaves than it has": (r"num_leaves=\d+", "num_leaves=9999"),
    "sets that are not there": (r"decision_type=\d+", "decision_type=1"),
    "more columns than names": (r"max_feature_idx=\d+", "max_feature_idx=500"),
    "more classes than trees": (r"num_tree_per_iteration=1", "num_tree_per_iteration=5"),
    "an objective that is unknown": (r"objective=binary", "objective=mine"),
    "a factor that is no number": (r"leaf_value=\S+", "leaf_value=1e999"),
    "a factor too small to be read": (r"leaf_value=\S+", "leaf_value=1e-320"),
    "a factor that only looks like zero": (r"leaf_value=\S+", "leaf_value=-0.001e-400"),
    "sums of columns beyond the row in a tree of one leaf": (r"Tree=0\n(?:.+\n)+", f"Tree=0\n{ONE_LEAF}"),
    "sums that are said by another number than one": (r"is_linear=0", "is_linear=2"),
}


@pytest.mark.parametrize("what", LIGHTGBM)
def test_a_hostile_file_of_lightgbm_never_reaches_lightgbm(made, what, monkeypatch):
    text = content_of(made("lightgbm binary").model)[1].decode()
    changed = re.sub(*LIGHTGBM[what], text, count=1)
    assert changed != text
    monkeypatch.setattr(lightgbm, "Booster", lambda **_: pytest.fail("lightgbm has seen it"))
    with pytest.raises(IntegrityError, match="leave their own arrays"):
        FORMATS["lightgbm"].load(changed.encode(), Trust())


@pytest.mark.parametrize(
    ("chosen", "content"),
    [
        ("xgboost", b'{"learner": {}}'),
        ("xgboost", b"[" * 100_000),
        ("xgboost", bytes(xgboost.train({}, xgboost.DMatrix(np.eye(3), [0, 1, 2]), 1).save_raw("ubj"))),
        ("lightgbm", b"tree\nversion=v4\n"),
        ("lightgbm", b"tree\nTree=0\nnum_leaves=1\nnum_leaves=2\n\nend of trees\n"),
        ("lightgbm", b"\xff\xfe"),
    ],
)
def test_what_is_no_such_file_is_refused(chosen, content):
    with pytest.raises(PackageError, match="cannot be read"):
        FORMATS[chosen].load(content, Trust())


def test_altered_files_are_refused_or_answer_but_never_end_the_process(tmp_path):
    """The whole search, with thousands of altered files: `python tests/support/boosted.py 2000`."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "support" / "boosted.py"), "20"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # threads that wait for each other take longer than tiny models
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(counts) == len(KINDS)
    assert all(count["refused"] for count in counts)
