"""What a terminal says of a drift: what drifted, and where nothing did, what to look at."""

from typing import Any

import pytest

from cellops.flows.drift import Drifted
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, RankedColumn, WindowDrift
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind
from cellops.screens.drift import drift

BY_DRIFT_ALONE = "the package does not say how important its columns are"


def line(name: str, verdict: DriftVerdict, importance: float | None) -> RankedColumn:
    return RankedColumn(
        column=name,
        verdict=verdict,
        window="may",
        effect="PSI 0.05",
        p_value="0.001",
        importance=importance,
        moved="LGA went from 10.0% to 14.0% of the rows",
    )


def made(verdict: DriftVerdict, importance: float | None, **said: Any) -> Drifted:
    column = ColumnDrift(
        column="origin", kind=ColumnKind.INTEGER, verdict=verdict, current=None, results=(), importance=importance
    )
    report = DriftReport(
        package="delays",
        digest="0",
        made="",
        source="may.csv",
        reference_rows=500,
        reference_performance=None,
        windows=(WindowDrift(label="may", start=None, end=None, rows=500, columns=(column,)),),
    )
    return Drifted(report=report, headline="So it is.", findings=(), page="drift.html", data="drift.json", **said)


def shown(done: Drifted, capsys: pytest.CaptureFixture[str]) -> str:
    drift(done)
    return capsys.readouterr().out


def test_relations_that_broke_do_not_deny_that_importance_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    broken = line("relations between columns", DriftVerdict.MAJOR, None)
    said = shown(made(DriftVerdict.STABLE, 0.5, ranked=(broken,)), capsys)
    assert "relations between columns" in said
    assert BY_DRIFT_ALONE not in said


def test_a_package_without_importance_says_that_drift_alone_ranks(capsys: pytest.CaptureFixture[str]) -> None:
    ranked = (line("origin", DriftVerdict.MAJOR, None),)
    assert BY_DRIFT_ALONE in shown(made(DriftVerdict.MAJOR, None, ranked=ranked), capsys)
    known = (line("origin", DriftVerdict.MAJOR, 0.5),)
    assert BY_DRIFT_ALONE not in shown(made(DriftVerdict.MAJOR, 0.5, ranked=known), capsys)


def test_where_performance_fell_without_drift_the_columns_that_lead_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    leading = (line("origin", DriftVerdict.STABLE, 0.5),)
    windows = ("april", "may", "june", "july")
    said = shown(made(DriftVerdict.STABLE, 0.5, unexplained=windows, leading=leading), capsys)
    assert "Worse than promised, though no input column drifted: april, may, june and 1 more" in said
    assert "PSI 0.05  50%         0.001       may  LGA went from 10.0% to 14.0% of the rows" in said
    assert "Look at these first" in said


def test_where_nothing_moved_the_labels_are_to_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(made(DriftVerdict.STABLE, 0.5, unexplained=("may",)), capsys)
    assert "No column moved by more than chance. Check the labels" in said
    assert "Worse than promised" not in shown(made(DriftVerdict.STABLE, 0.5), capsys)


def test_control_characters_of_names_and_values_are_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2J\nerror b"
    ranked = (line(hostile, DriftVerdict.MAJOR, 0.5).replace(moved=f"{hostile} went from 10.0% to 14.0%"),)
    finding = Finding(
        code="column-renamed",
        severity=Severity.WARNING,
        where=f"column {hostile}",
        seen=f"it is {hostile}",
        remedy=f"Call it {hostile}",
    )
    done = made(DriftVerdict.MAJOR, 0.5, ranked=ranked).replace(findings=(finding,), headline=f"{hostile} drifted.")
    said = shown(done, capsys)
    assert "\x1b" not in said
    assert said.count(r"a\x1b[2J\nerror b") == 6
    assert not any(part.startswith("error b") for part in said.splitlines())
