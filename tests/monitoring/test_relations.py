"""Relations between columns: a change of correlation alone drifts, in whole windows and in merged parts."""

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import profile
from cellops.monitoring.drift import compare
from cellops.monitoring.gravest import gravest
from cellops.monitoring.headline import headline
from cellops.monitoring.report import render
from cellops.monitoring.window_part import WindowPart
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Parity, Schema, Task
from cellops.records.drift import DriftReport, DriftVerdict


def table(rows: int, seed: int, correlation: float) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, 5))
    values[:, 1] = correlation * values[:, 0] + np.sqrt(1 - correlation**2) * values[:, 1]
    return pd.DataFrame(values, columns=list("abcde"))


@pytest.fixture(scope="module")
def contract() -> Contract:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1))
    return Contract(schema=schema, profile=profile(table(5000, 0, 0.9)), parity=Parity(inputs={}, labels=[]))


def window(rows: pd.DataFrame, label: str = "w") -> Window:
    return Window(label=label, start=None, end=None, frame=rows)


def told(contract: Contract, *windows: Window | WindowPart) -> DriftReport:
    return compare(contract, windows, package="p", digest="0" * 64, source="test")


def test_a_change_of_correlation_alone_drifts_and_names_the_columns(contract: Contract) -> None:
    same, broken = window(table(2000, 1, 0.9), "one"), window(table(2000, 2, 0.0), "two")
    made = told(contract, same, broken)
    assert [one.relations.verdict for one in made.windows] == [DriftVerdict.STABLE, DriftVerdict.MAJOR]
    assert {column.verdict for one in made.windows for column in one.columns} == {DriftVerdict.STABLE}
    assert [one.alarm.raised for one in made.windows] == [False, True]
    (line,) = gravest(made)
    assert line.column == "relations between columns"
    assert line.moved.startswith("columns no longer move together as in training, most of all ")
    assert set(line.moved.partition("most of all ")[2].split(", ")) == {"a", "b"}
    assert "none of 5 input columns drifted; columns no longer move together as in training; 1 alarm" in headline(made)
    page = render(made, contract)
    assert "relations between columns" in page
    assert DriftReport.from_json(made.to_json()) == made


def test_relations_that_have_become_closer_are_told_so(contract: Contract) -> None:
    (one,) = told(contract, window(table(2000, 1, 0.999))).windows
    assert one.relations.verdict.drifted
    assert one.relations.moved == "columns move together more closely than in training"


def test_merged_parts_show_what_the_whole_shows(contract: Contract) -> None:
    rows = table(3000, 3, 0.5)
    parts = [WindowPart.of(contract, window(part)) for part in (rows[:700], rows[700:])]
    whole, merged = told(contract, window(rows), WindowPart.merged(parts)).windows
    assert merged.relations.result("psi").value == pytest.approx(whole.relations.result("psi").value)
    assert merged.relations.moved == whole.relations.moved
    assert merged.relations.verdict is whole.relations.verdict is DriftVerdict.MAJOR


def test_without_one_of_the_columns_nothing_is_said_of_relations(contract: Contract) -> None:
    lacking = window(table(500, 1, 0.9).drop(columns="b"))
    (one,) = told(contract, lacking).windows
    assert one.relations is None
    assert WindowPart.merged([WindowPart.of(contract, lacking)]).relations is None


def test_a_window_of_few_rows_is_not_judged(contract: Contract) -> None:
    (one,) = told(contract, window(table(50, 1, 0.0))).windows
    assert one.relations.verdict is DriftVerdict.NOT_ENOUGH_DATA
