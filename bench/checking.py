"""Checking and loading a package of more than 100 MB, beside reading and hashing its files, and skops alone.

Run it as a script; it prints a Markdown table. The package holds a forest of a hundred trees on 10,000 rows, kept as
skops. Its files are in the system's memory, each side takes turns with its floor, and the fastest repetition counts.
"""

import argparse
import hashlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.ensemble import RandomForestRegressor

from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.load import load_package, read_contract
from cellops.packaging.manifest import verify
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from cellops.version import __version__
from timing import fastest

ROWS, TREES = 10_000, 100
CHUNK = 1 << 20


def package(folder: Path, trees: int) -> Path:
    """A package of a forest whose trees grow until each row has a leaf of its own."""
    import mlflow.sklearn

    values = np.random.default_rng(7).normal(size=(ROWS, 8))
    inputs = pd.DataFrame(values, columns=[f"c{place}" for place in range(8)])
    target = pd.Series(values.sum(axis=1) + np.random.default_rng(8).normal(size=ROWS), name="y")
    model = RandomForestRegressor(n_estimators=trees, bootstrap=False, max_features=2, random_state=0, n_jobs=2)
    model.fit(inputs, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = {"serialization_format": "skops", "skops_trusted_types": list(BUILT_IN_TRUSTED_TYPES)}
        mlflow.sklearn.save_model(model, folder / "model", pip_requirements=["scikit-learn"], **kept)
    few = inputs[:300], target[:300]
    environment = Environment(python="3.11.7", implementation="", platform="", machine="", cpu="", cores=2)
    provenance = Provenance(
        run="bench",
        mlflow_run_id=None,
        notebook=None,
        commit=None,
        dirty=False,
        seed=None,
        created="2013-01-01T00:00:00+00:00",
        cellops=__version__,
        model_type="sklearn.ensemble.RandomForestRegressor",
        model_format="skops",
    )
    contract = build_contract(model, few, few, suite=None)
    return build_package(folder / "model", contract, environment, provenance, folder / "forest", name="forest")


def read_and_hash(folder: Path) -> None:
    """The floor: each byte read once and digested."""
    for path in folder.rglob("*"):
        if path.is_file():
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)


def read_hash_and_load(folder: Path) -> None:
    """The same, and the model as skops alone loads it when it is told to trust its types."""
    read_and_hash(folder)
    skops.io.load(folder / "model.skops", trusted=["sklearn.tree._tree.Tree"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--trees", type=int, default=TREES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        forest = package(Path(made), given.trees)
        size = sum(path.stat().st_size for path in forest.rglob("*") if path.is_file())
        sides = {
            "checked": (lambda: verify(forest), read_and_hash),
            "checked, its contract read": (lambda: read_contract(forest), read_and_hash),
            "checked and loaded": (lambda: load_package(forest), read_hash_and_load),
        }
        print(f"| {size / 1e6:.0f} MB | seconds | floor | ratio |\n|---|---|---|---|")
        for title, (ours, floor) in sides.items():
            taken = [
                (fastest(ours, 1), fastest(lambda floor=floor: floor(forest), 1))  # type: ignore[misc]
                for _ in range(given.repetitions)
            ]
            best, least = min(t for t, _ in taken), min(f for _, f in taken)
            print(f"| {title} | {best:.3f} | {least:.3f} | {best / least:.2f} |")


if __name__ == "__main__":
    main()
