"""Features from the cell that defines them to the server that computes them."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cellops.errors import IntegrityError, TrustError
from cellops.flows.execute import execute
from cellops.flows.package import package
from cellops.flows.verify import verify
from cellops.packaging.load import load_package
from cellops.packaging.manifest import write as write_manifest
from cellops.records.proof import Verdict
from cellops.settings import FEATURE_TYPE, load
from support.kernel import Kernel
from support.notebooks import LOAD, write
from support.served import running

SETUP = """import math
import numpy as np, pandas as pd
generator = np.random.default_rng(3)
RATES = {"EWR": 1.5, "JFK": 2.5}
trips_made = pd.DataFrame({
    "origin": generator.choice(["EWR", "JFK", "LGA"], size=300),
    "miles": generator.integers(1, 500, size=300),
    "hours": generator.random(300) + 0.5,
})
late = pd.Series((generator.random(300) > 0.5).astype(int), name="late")"""
HELPER = "def rate(origin):\n    return RATES.get(origin, 1.0)"
FEATURES = """%%mlops features trips
def speed(miles, hours):
    return miles / hours

def cost(row):
    return rate(row.origin) * math.log(row.miles)

def squares(frame):
    return pd.DataFrame({"miles_squared": frame.miles ** 2})"""
TRAIN = """%%mlops run trained
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X_train, X_test, y_train, y_test = trips_made[:200], trips_made[200:], late[:200], late[200:]
model = make_pipeline(trips.keeping("miles"), StandardScaler(), LogisticRegression())
model.fit(X_train, y_train)
accuracy = model.score(X_test, y_test)"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run whose model computes features, and its package."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / ".cellops").mkdir()
    notebook = write(folder / "train.ipynb", LOAD, SETUP, "unused = 1", HELPER, FEATURES, TRAIN)
    held = load(folder)
    execute(notebook, settings=held)
    with pytest.raises(TrustError, match="CELLOPS_ALLOW_CODE=true"):
        package("trained", output=folder / "model", settings=held)
    package("trained", output=folder / "model", settings=msgspec.structs.replace(held, allow_code=True))
    return folder


def test_the_code_stands_in_the_package_for_everybody_to_read(trained: Path) -> None:
    code = (trained / "model" / "features" / "trips.py").read_text()
    assert "def rate(origin):" in code
    assert "RATES = {'EWR': 1.5, 'JFK': 2.5}" in code
    assert "def squares(frame):" in code
    assert (trained / "model" / "model.skops").is_file()


def test_the_server_computes_them_where_its_operator_allows_that(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="Read the code in features/"):
        load_package(trained / "model")
    row = {"origin": "EWR", "miles": 120, "hours": 1.25}
    with running(trained / "model", tmp_path / "allowed", allow_code="true") as server:
        body = {"dataframe_records": [row]}
        answer = server.client.post("/invocations", json=body).json()
    loaded = load_package(trained / "model", trusted_types=[FEATURE_TYPE])
    right = loaded.predictor.predict({name: np.array([value]) for name, value in row.items()})
    assert answer["predictions"][0] in (right.labels.tolist()[0], [right.labels.tolist()[0]])


def test_code_that_is_not_shown_is_not_executed(trained: Path, tmp_path: Path) -> None:
    other = tmp_path / "model"
    shutil.copytree(trained / "model", other)
    (other / "features" / "trips.py").write_text("def speed(miles, hours):\n    return 0\n")
    with pytest.raises(IntegrityError, match="not the file that was packaged"):
        load_package(other, trusted_types=[FEATURE_TYPE])
    (other / "manifest.json").unlink()
    write_manifest(other, "model", None)
    with pytest.raises(IntegrityError, match="whose code stands in no file of features/"):
        load_package(other, trusted_types=[FEATURE_TYPE])


def test_a_run_on_features_is_proven(trained: Path) -> None:
    proof = verify("trained", settings=load(trained))
    assert proof.verdict is Verdict.IDENTICAL
    assert [cell.order for cell in proof.cells] == [1, 3, 4, 5]


def test_the_cell_stays_a_plain_cell(loaded: Kernel) -> None:
    loaded.run("data = __import__('pandas').DataFrame({'a': [1]})")
    done = loaded.run(
        "%%mlops features\ndef twice(a): return 2 * a\n\ndef _hidden(row): return 1\n\ndef bad(row): return data"
    )
    assert done.status == "ok"
    assert "FeatureWarning: feature bad: bad reads data, which is data of this notebook: a DataFrame" in done.streams
    assert loaded.run("features(data)['twice'].tolist(), twice(4)").results == ["([2], 8)"]
    failed = loaded.run("%%mlops features trips\ndef f(row): return row.a\n1 / 0")
    assert "ZeroDivisionError" in failed.traceback
    record = next(cell for cell in loaded.cells() if cell.verb is not None)
    assert (record.verb, record.writes) == ("features", ("twice", "_hidden", "bad", "features"))


def test_a_header_that_cannot_be_read_runs_nothing(loaded: Kernel) -> None:
    done = loaded.run("%%mlops features 1st\ndef f(row): return row.a")
    assert "'1st' is no name of Python" in done.traceback
    assert loaded.run("f").status == "error"
    assert "There is no feature in features" in loaded.run("%%mlops features\nx = 1").traceback
