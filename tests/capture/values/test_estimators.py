"""Every estimator of scikit-learn, fitted in two processes from the same seed, is read as the same content."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, warnings
import numpy as np
from sklearn.base import clone
from sklearn.utils import all_estimators
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = np.abs(rng.normal(size=(40, 4)))
y = (X[:, 0] > 0.7).astype(int)
found = {}
for name, kind in all_estimators():
    try:
        estimator = kind()
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=0)
        if "n_estimators" in estimator.get_params():
            estimator.set_params(n_estimators=3)
        estimator.fit(X, y)
    except Exception:
        continue
    seen = look_at(name, estimator, Allowance(60))
    found[name] = [str(seen.covered), seen.digest, seen.parts, seen.reason]
print(json.dumps(found))
"""
NOT_WHOLE = {"Birch"}
"""Its leaves lead to each other in a circle."""


def test_they_are_read_whole_and_the_same_in_each_process() -> None:
    found = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(map(str, paths()))}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    one, other = found
    assert len(one) > 120
    assert {name for name in one if one[name] != other[name]} == set()
    assert {name for name, (covered, *_) in one.items() if covered != "full"} == NOT_WHOLE


def paths() -> list[Path]:
    import cellops

    return [Path(cellops.__file__).parents[1]]
