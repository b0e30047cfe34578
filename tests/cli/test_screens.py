"""What the screens print when names, values and places are not what anybody hoped for."""

import sys

import pytest

from cellops import screens
from cellops.records.contract import Expectation
from cellops.records.execution import CellProgress, CellState
from cellops.records.expectation import ExpectationResult, SuiteResult
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunStatus, RunSummary
from cellops.records.run_comparison import Change, Difference, RunComparison, Side, SourceChange
from cellops.records.tokens import ServerToken
from cellops.screens.console import count, findings
from cellops.settings import load
from cellops.widgets.table import runs_table

NASTY = "[/bold][red]:warning: \x1b[2J\u202ename\\"
SHOWN = r"[/bold][red]:warning: \x1b[2J\u202ename" + "\\"
FINDING = Finding(code="nasty", severity=Severity.WARNING, where=NASTY, seen=NASTY, remedy=NASTY)
RUN = RunSummary(
    run="3f2a91c04d5e",
    name=NASTY,
    status=RunStatus.FINISHED,
    started=0.0,
    ended=1.0,
    notebook=NASTY,
    experiment=NASTY,
    parameters={NASTY: NASTY, "model.depth": 3},
    metrics={NASTY: 0.5},
    findings=(FINDING,),
    models={NASTY: ""},
)


def nothing_works(text: str) -> bool:
    """Whether every nasty name stands as it is, and nothing but lines and letters was printed."""
    return SHOWN in text and text.replace("\n", "").isprintable()


@pytest.mark.usefixtures("project")
def test_names_of_others_are_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    screens.run(RUN, load())
    assert capsys.readouterr().out.count(SHOWN) == 10
    screens.runs([RUN])
    assert nothing_works(capsys.readouterr().out)
    print(screens.run_line(RUN))
    assert nothing_works(capsys.readouterr().out)
    screens.progress(CellProgress(index=0, total=1, title=NASTY, seconds=1.0, state=CellState.FAILED))
    assert nothing_works(capsys.readouterr().out)


@pytest.mark.usefixtures("project")
def test_a_finding_names_its_subject_once(capsys: pytest.CaptureFixture[str]) -> None:
    findings([FINDING.replace(where="MLmodel", seen="MLmodel is missing", remedy="Copy it again")])
    assert capsys.readouterr().out == "warning MLmodel: is missing\n  Copy it again (nasty)\n"


def test_every_screen_counts_the_same_findings_and_has_one_word_for_a_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    note = FINDING.replace(severity=Severity.INFO)
    elsewhere, other = FINDING.replace(where="In [9]"), FINDING.replace(seen="something else")
    run = RUN.replace(name="x", status=RunStatus.KILLED, findings=(FINDING, note, elsewhere, other))
    screens.runs([run])
    listed = capsys.readouterr().out.splitlines()[-1]
    assert listed.endswith("2 warnings")
    assert "killed" in listed
    assert "run x killed in 1.0 s" in screens.run_line(run)
    assert "2 findings" in screens.run_line(run)
    assert runs_table([run]).splitlines()[-1].endswith("2")
    screens.runs([run.replace(findings=(FINDING, FINDING.replace(severity=Severity.ERROR)))])
    assert capsys.readouterr().out.splitlines()[-1].endswith("1 error, 1 warning")


def test_expectations_with_nasty_columns_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    expectation = Expectation(rule="expect_column_to_exist", columns=(NASTY,), reason=NASTY, severity=Severity.ERROR)
    results = (
        ExpectationResult(expectation=expectation, passed=False, checked=1, problem=NASTY),
        ExpectationResult(expectation=expectation, passed=False, checked=1, failed=1, share=1.0, unexpected=(NASTY,)),
    )
    screens.expectations(SuiteResult(suite=NASTY, rows=1, results=results, passed=False))
    out = capsys.readouterr().out
    assert out.count(SHOWN) == 7
    assert "0 of 2 expectations on" in out
    assert "in row" in out
    assert "(1 row)" in out


@pytest.mark.usefixtures("project")
def test_a_row_in_a_pipe_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screens.runs([RUN.replace(name="a very long name " * 20)])
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.usefixtures("project")
def test_parameters_of_the_estimator_are_folded(capsys: pytest.CaptureFixture[str]) -> None:
    found = RUN.replace(parameters={"model.depth": 3, "seed": 7, "model.rate": 0.1})
    screens.run(found, load())
    out = capsys.readouterr().out
    assert "seed  7" in out
    assert "depth" not in out
    assert "and 2 parameters of the estimator: cellops show 3f2a91c0 --all" in out
    screens.run(found, load(), everything=True)
    assert "model.depth  3" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_an_empty_value_is_seen_and_the_store_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    held = load()
    screens.run(RUN.replace(parameters={"later": ""}, mlflow_run_id="ab12"), held)
    out = capsys.readouterr().out
    assert 'later  ""' in out
    assert "MLflow     ab12\n" in out
    assert out.count("sqlite:") == 1


def test_counts_are_grammar() -> None:
    assert [count(number, "run") for number in (0, 1, 2, 1000)] == ["0 runs", "1 run", "2 runs", "1,000 runs"]


def test_differences_with_nasty_names_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    side = Side(run="3f2a91c04d5e", name=NASTY, status=RunStatus.FINISHED, started=0.0, notebook=NASTY)
    source = SourceChange(change=Change.EDITED, before=NASTY, after=NASTY, lines=(f"+{NASTY}", NASTY), note=NASTY)
    difference = Difference(kind="table", name=NASTY, before=NASTY, after=NASTY, parts=(NASTY,), note=NASTY)
    screens.comparison(RunComparison(before=side, after=side, sources=(source,), data=(difference,), notes=(NASTY,)))
    out = capsys.readouterr().out
    assert nothing_works(out)
    assert out.count(SHOWN) == 14


def test_a_rule_and_its_column_are_shown_in_full_in_a_notebook(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["cellops.screens.expectations"], "in_notebook", lambda: True)
    rule = "expect_column_pair_values_a_to_be_greater_than_b"
    expectation = Expectation(rule=rule, columns=("scheduled_arrival", "scheduled_departure"), reason="time goes on")
    failed = ExpectationResult(
        expectation=expectation, passed=False, checked=336_776, failed=3, failed_rows=(7, 8), unexpected=("x" * 40,) * 2
    )
    screens.expectations(SuiteResult(suite="trips", rows=336_776, results=(failed,), passed=False))
    out = capsys.readouterr().out
    assert "…" not in out
    assert "(< 0.1 %)" in out
    assert "time goes on" in out


def test_a_script_takes_a_new_token_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    made = ServerToken(name=NASTY, scopes=("predict",), created=0.0, is_valid=True, token="cellops_x")
    screens.token(made, replaced=24)
    said = capsys.readouterr()
    assert said.out == "cellops_x\n"
    assert "allows predict. It is shown this once" in said.err
    assert "taken for 24 h more" in said.err
    assert nothing_works(said.err)
