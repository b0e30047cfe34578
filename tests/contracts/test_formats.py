"""Every format of a model has the same shape: what is not of it is refused, and what is answers as a predictor."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from cellops.data.decoder import frame_columns
from cellops.errors import PackageError
from cellops.packaging.contract import build_contract
from cellops.packaging.conversion.onnx import to_onnx
from cellops.packaging.formats import FORMATS, Trust
from support.boosted import content_of

TRUST = Trust(pickle=True)
INPUTS = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0)[::-1] % 7})
TARGET = (INPUTS["a"] + INPUTS["b"] > 22).astype(int)


def kept(name: str):
    """A fitted model and its file."""
    if name in {"xgboost", "lightgbm"}:
        import lightgbm
        import xgboost

        made = {"xgboost": xgboost.XGBClassifier, "lightgbm": lightgbm.LGBMClassifier}[name]
        model = made(n_estimators=3).fit(INPUTS, TARGET)
        return model, content_of(model)[1]
    model = LogisticRegression().fit(INPUTS, TARGET)
    if name == "pickle":
        import pickle

        return model, pickle.dumps(model)
    if name == "skops":
        return model, skops.io.dumps(model)
    return model, to_onnx(model, build_contract(model, (INPUTS, TARGET)).schema)


@pytest.mark.parametrize("name", FORMATS)
def test_a_loaded_model_answers_as_the_one_that_was_written(name):
    model, content = kept(name)
    held, schema = FORMATS[name], build_contract(model, (INPUTS, TARGET)).schema
    assert held.name == name
    predictor = held.predictor(held.load(content, TRUST), schema)
    backwards = dict(reversed(frame_columns(schema, INPUTS).items()))
    answers = predictor.predict(backwards)
    assert answers.labels.tolist() == model.predict(INPUTS).tolist()
    assert answers.probabilities.dtype == np.float64
    np.testing.assert_allclose(answers.probabilities, model.predict_proba(INPUTS), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_file_needs_trust_for_is_known_without_loading_it(name):
    _, content = kept(name)
    assert bool(FORMATS[name].untrusted(content)) == (name == "pickle")


@pytest.mark.parametrize("name", FORMATS)
def test_the_files_of_the_others_are_refused(name):
    for other in set(FORMATS) - {name}:
        with pytest.raises(PackageError):
            FORMATS[name].load(kept(other)[1], TRUST)


def test_no_two_formats_share_a_file():
    assert len({held.file for held in FORMATS.values()}) == len(FORMATS)
