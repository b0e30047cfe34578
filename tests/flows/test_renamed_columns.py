"""A column that stands under another name is said to, where kind, name and values let think so."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import profile
from cellops.flows.renamed_columns import renamed_columns
from cellops.records.contract import Contract, Field, Parity, Schema, Task
from cellops.records.finding import Finding
from cellops.records.profile import ColumnKind

KINDS = {
    "dep_delay": ColumnKind.NUMBER,
    "arr_delay": ColumnKind.NUMBER,
    "carrier": ColumnKind.TEXT,
    "hour": ColumnKind.INTEGER,
}


def table(seed: int = 0, rows: int = 2_000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "dep_delay": random.normal(10, 5, rows),
            "arr_delay": random.normal(-40, 9, rows),
            "carrier": random.choice(["UA", "AA", "B6"], rows),
            "hour": random.integers(5, 23, rows),
        }
    )


@pytest.fixture(scope="module")
def contract() -> Contract:
    fields = tuple(Field(name=name, kind=kind, dtype="object", nullable=False) for name, kind in KINDS.items())
    schema = Schema(inputs=fields, task=Task.REGRESSION, target="late")
    return Contract(schema=schema, profile=profile(table()), parity=Parity(inputs={}, labels=[]))


def to_csv(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_csv(folder / "later.csv", index=False)
    return folder / "later.csv"


def to_parquet(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_parquet(folder / "later.parquet", index=False)
    return folder / "later.parquet"


def to_folder(rows: pd.DataFrame, folder: Path) -> Path:
    """The second of two files has the other names."""
    (folder / "later").mkdir()
    table(1).to_parquet(folder / "later" / "0.parquet", index=False)
    rows.to_parquet(folder / "later" / "1.parquet", index=False)
    return folder / "later"


def found(findings: list[Finding]) -> dict[str, str]:
    assert {finding.code for finding in findings} <= {"column-renamed"}
    return {finding.where: finding.remedy.partition(":")[0] for finding in findings}


@pytest.mark.parametrize("write", [to_csv, to_parquet, to_folder])
def test_another_spelling_is_told(contract: Contract, tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(table(2).rename(columns={"dep_delay": "DepDelay", "carrier": "CARRIER", "hour": "Hour "}), tmp_path)
    assert found(renamed_columns(path, contract)) == {
        "column dep_delay": "Column dep_delay seems to be called DepDelay now",
        "column carrier": "Column carrier seems to be called CARRIER now",
        "column hour": "Column hour seems to be called Hour  now",
    }


def test_another_spelling_is_told_of_values_that_moved(contract: Contract, tmp_path: Path) -> None:
    moved = table(2).assign(dep_delay=lambda rows: rows["dep_delay"] + 20)
    path = to_parquet(moved.rename(columns={"dep_delay": "Dep Delay"}), tmp_path)
    (finding,) = renamed_columns(path, contract)
    assert "holds values of its kind: PSI 7.3 in" in finding.seen


def test_of_two_close_names_that_with_the_values_is_told(contract: Contract, tmp_path: Path) -> None:
    other = table(2).rename(columns={"dep_delay": "dep_delays"})
    path = to_parquet(other.assign(dep_delay_2=other["arr_delay"]), tmp_path)
    assert found(renamed_columns(path, contract)) == {
        "column dep_delay": "Column dep_delay seems to be called dep_delays now"
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows,
        lambda rows: rows.drop(columns="dep_delay"),
        lambda rows: rows.rename(columns={"dep_delay": "wind"}),
        lambda rows: rows.rename(columns={"dep_delay": "dep_delays"}).assign(dep_delays=300.0),
        lambda rows: rows.rename(columns={"dep_delay": "DEP_DELAY"}).assign(DEP_DELAY="late"),
        lambda rows: rows.rename(columns={"dep_delay": "DEP_DELAY"}).assign(DEP_DELAY=None),
        lambda rows: rows.assign(DEP_DELAY=rows["dep_delay"]),
    ],
    ids=["nothing", "gone", "another name", "other values", "other kind", "no values", "still there"],
)
@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_nothing_is_guessed(contract: Contract, tmp_path: Path, write: Callable[..., Path], change: Callable) -> None:
    assert renamed_columns(write(change(table(3)), tmp_path), contract) == []


def test_the_truth_and_the_time_are_no_candidates(contract: Contract, tmp_path: Path) -> None:
    path = to_parquet(table(2).rename(columns={"dep_delay": "Dep_Delay"}), tmp_path)
    assert renamed_columns(path, contract, known={"Dep_Delay"}) == []
