"""Models of every library are logged as MLflow's own flavor of it, and can be loaded back."""

import mlflow
import pytest

from cellops import settings
from cellops.flows import sync as flow
from cellops.flows.runs import show
from support.kernel import Kernel

TRAIN = {
    "xgboost": (
        "import numpy as np, xgboost\nX = np.arange(40.0).reshape(20, 2)\n"
        "model = xgboost.train({'max_depth': 2}, xgboost.DMatrix(X, X[:, 0] > 20), 3)"
    ),
    "lightgbm": (
        "import numpy as np, lightgbm\nX = np.arange(40.0).reshape(20, 2)\n"
        "model = lightgbm.train({'verbose': -1, 'min_data_in_leaf': 1}, lightgbm.Dataset(X, X[:, 0]), 3)"
    ),
    "pytorch": "import torch\nclass Net(torch.nn.Linear): pass\nmodel = Net(2, 1)",
}
DISTRIBUTIONS = {"xgboost": "xgboost-cpu", "lightgbm": "lightgbm", "pytorch": "torch"}


@pytest.mark.parametrize("library", TRAIN)
def test_a_model_of_another_library_is_logged_as_its_flavor(loaded: Kernel, library: str) -> None:
    if library == "pytorch":
        pytest.importorskip("torch", reason="torch is too large for the development group")
    assert loaded.run(f"%%mlops run --name trained\n{TRAIN[library]}").status == "ok"
    flow.sync()
    run = show("trained")
    assert [finding.seen for finding in run.findings if finding.severity == "error"] == []
    mlflow.set_tracking_uri(settings.load().tracking_uri)
    info = mlflow.models.get_model_info(run.models["model"])
    assert set(info.flavors) == {library, "python_function"}
    folder = mlflow.artifacts.download_artifacts(run.models["model"])
    needed = (loaded.project / folder / "requirements.txt").read_text()
    assert f"{DISTRIBUTIONS[library]}==" in needed
    assert getattr(mlflow, library).load_model(folder) is not None
