"""The flights notebook, executed whole in a real kernel on the real data."""

import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from cellops.flows.verify import verify
from cellops.pipeline.engine import execute
from cellops.records.proof import Verdict
from support.kernel import Kernel

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "flight_delays.ipynb"


def asked_in_the_tutorial() -> list[str]:
    """The columns of the flight that docs/tutorial.md sends to the server."""
    bodies = re.findall(r"-d '(\{.*?\})'", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)
    return list(next(json.loads(body)["instances"][0] for body in bodies if "instances" in body))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CELLOPS_PROJECT", str(tmp_path))
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return tmp_path


def test_it_is_committed_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[0].source == "%load_ext cellops"


def test_it_runs_and_writes_the_later_flights(alone: Path) -> None:
    output, later = alone / "executed.ipynb", alone / "later.parquet"
    execute(NOTEBOOK, output, {"later": str(later)}, kernel="python3")
    cells = {cell.id: cell for cell in nbformat.read(output, as_version=4).cells}
    assert "AUC 0.7" in cells["train"].outputs[0].text
    assert any("image/png" in out.get("data", {}) for out in cells["calibration"].outputs)
    flights = pd.read_parquet(later)
    assert len(flights) == 249_435
    assert flights["time"].dt.month.unique().tolist() == list(range(4, 13))
    assert set(flights["late"]) == {0, 1}
    assert not {"dep_delay", "arr_delay", "air_time", "month"} & set(flights.columns)
    assert flights["wind_gust"].isna().any()
    assert asked_in_the_tutorial() == [name for name in flights.columns if name not in {"time", "late"}]
    assert not [out for cell in cells.values() for out in cell.get("outputs", []) if out.get("name") == "stderr"]


def test_the_same_seed_gives_the_same_model(alone: Path) -> None:
    small = {"train_months": [1], "max_iterations": 20}
    said = []
    for name in ("first.ipynb", "second.ipynb"):
        execute(NOTEBOOK, alone / name, small, kernel="python3")
        cells = json.loads((alone / name).read_text())["cells"]
        train = next(cell for cell in cells if cell["id"] == "train")
        said.append("".join(train["outputs"][0]["text"]).splitlines()[0])
    assert said[0] == said[1]
    assert said[0].startswith("AUC")


def test_a_run_of_cells_out_of_order_verifies(alone: Path) -> None:
    sources = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    fewer = sources["parameters"].replace("[1, 2, 3]", "[1]").replace("150", "20")
    kernel = Kernel(alone, {})
    try:
        kernel.run(sources["load-cellops"])
        assert kernel.run(sources["build-features"], "build-features").status == "error"
        for cell in ("load", "parameters", "build-features"):
            assert kernel.run(sources[cell], cell).status == "ok"
        assert kernel.run(fewer, "parameters").status == "ok"
        for cell in ("expectations", "build-features", "look", "train"):
            kernel.run(sources[cell], cell)
        assert [run.name for run in kernel.opened()] == ["flight-delays"]
        assert kernel.closed()[0].metrics["auc"] > 0.6
        proof = verify("flight-delays")
        differ = [(cell.order, one) for cell in proof.cells for one in cell.comparisons if one.verdict != "identical"]
        assert proof.verdict is Verdict.IDENTICAL, differ
        assert {one.name for one in proof.cells[-1].comparisons} >= {"model", "X_train", "auc", "answers"}
    finally:
        kernel.stop()
