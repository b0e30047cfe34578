"""Libraries of models read files that Python tells nothing of, wherever they may be given a table or a model."""

from pathlib import Path

import lightgbm as lgb
import pandas as pd
import pytest
import xgboost as xgb

from cellops.capture.dataflow.analysis import analyse
from cellops.capture.files.paths import named_paths
from cellops.capture.files.untold import untold_reads

NAMESPACE = {
    "xgb": xgb,
    "lgb": lgb,
    "Matrix": xgb.DMatrix,
    "X": pd.DataFrame({"a": [1.0]}),
    "Path": Path,
    "table": "t.libsvm?format=libsvm",
    "model": xgb.Booster(),
    "classifier": xgb.XGBClassifier(),
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("t.libsvm", "m.json", "m.txt"):
        Path(name).touch()


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("xgb.Booster(model_file='m.json')", "m.json"),
        ("xgb.Booster({}, (), Path('m.json'))", "m.json"),
        ("xgb.DMatrix('t.libsvm?format=libsvm').num_row()", "t.libsvm"),
        ("Matrix(table)", "t.libsvm"),
        ("lgb.Booster(model_file='m.txt')", "m.txt"),
        ("lgb.train({}, X, init_model='m.txt')", "m.txt"),
        ("classifier.fit(X, X.a, xgb_model='m.json')", "m.json"),
    ],
)
def test_a_file_that_a_library_of_models_is_given_is_read(cell: str, file: str) -> None:
    assert [(named.text, named.mode) for named in named_paths(analyse(cell), NAMESPACE)] == [(file, "read")]
    assert untold_reads(analyse(cell), NAMESPACE, set()) == ()


@pytest.mark.parametrize("cell", ["lgb.train({'metric': 'auc'}, X)", "model.attr('m.jsonl')", "xgb.DMatrix(X, X.a)"])
def test_other_texts_are_no_files(cell: str) -> None:
    assert named_paths(analyse(cell), NAMESPACE) == []


@pytest.mark.parametrize(
    ("cell", "reader"),
    [
        ("def get(path):\n    return xgb.Booster(model_file=path)", "Booster"),
        ("def get(path):\n    model.load_model(path)", "load_model"),
        ("for name in 'ab': xgb.DMatrix(f'{name}.libsvm?format=libsvm')", "DMatrix"),
        ("def get(folder):\n    return lgb.Dataset(folder + '/t.csv')", "Dataset"),
        ("for p in Path().iterdir(): lgb.train({}, X, init_model=p / 'm.txt')", "train"),
    ],
)
def test_a_file_of_which_nobody_knows_the_name_is_told(cell: str, reader: str) -> None:
    assert untold_reads(analyse(cell), NAMESPACE, set()) == (reader,)


@pytest.mark.parametrize(
    "cell",
    [
        "def fit(X, y):\n    return lgb.train({}, lgb.Dataset(X[['a']], y), init_model=model)",
        "for n in range(2): xgb.DMatrix(X[X.a > n], label=X.a)",
        "for n in range(2): xgb.plot_importance(model, title=f'{n}')",
    ],
)
def test_tables_and_models_are_no_files(cell: str) -> None:
    assert untold_reads(analyse(cell), NAMESPACE, set()) == ()
