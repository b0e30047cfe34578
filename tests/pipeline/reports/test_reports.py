"""Reports are what their readers take: by a parser of JUnit XML, the rules of GitHub, the limits of its pages."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, JUnitXml, Skipped, TestSuite
from junitparser import Failure as Failed

from cellops.pipeline.reports.annotations import annotations
from cellops.pipeline.reports.junit import junit
from cellops.pipeline.reports.summary import LARGEST, escaped, summary
from cellops.records.execution import CellState
from cellops.records.gate import GateFigure, GateOutcome, GateResult, Group
from cellops.records.report import CellReport, ExecutionReport, Failure, Picture, RunReport
from cellops.records.run import RunStatus, RunSummary

JUDGED = (Failed, Error)
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
BROKEN = Failure(kind="ValueError", message="bad <rows> & 100%", traceback="line 1\n\nline 3, a::b")
REPORT = ExecutionReport(
    notebook="notebooks/train,1.ipynb",
    status=RunStatus.FAILED,
    started=1_700_000_000.0,
    seconds=12.5,
    total=4,
    parameters={"seed": 7, "note": "a|b"},
    cells=(
        CellReport(index=0, title="Load <the> flights", seconds=1.25, state=CellState.DONE),
        CellReport(index=None, title="seed = 7", seconds=0.01, state=CellState.DONE),
        CellReport(index=2, title="run --name delays", seconds=3.0, state=CellState.FAILED, failure=BROKEN),
        CellReport(index=3, title="last"),
    ),
    gates=(
        GateResult(gate="auc >= 0.72", outcome=GateOutcome.MISSED, said="0.704 >= 0.72 missed by 0.016", name="delays"),
        GateResult(gate="f1 > 0", outcome=GateOutcome.NOT_JUDGED, said="no run has the metric f1"),
        GateResult(gate="rows > 1", outcome=GateOutcome.PASSED, said="2 > 1", name="delays"),
    ),
)


def a_run(key: str, **changes: object) -> RunSummary:
    return RunSummary(run=key * 8, name="delays", status=RunStatus.FINISHED, started=1_700_000_000.0).replace(**changes)


def suites(report: ExecutionReport) -> list[ET.Element]:
    """The suites of a document that a reader of the format understands, and counts as it counts itself."""
    document = junit(report)
    SCHEMA.validate(document)
    read = JUnitXml.fromstring(document)
    counts = [_checked(held) for held in read]
    whole = [sum(of[place] for of in counts) for place in range(3)]
    assert [read.tests, read.failures, read.errors, read.time] == [*whole, report.seconds]
    return ET.fromstring(document).findall("testsuite")


def _checked(held: object) -> tuple[int, ...]:
    assert isinstance(held, TestSuite)
    cases = list(held)
    assert all(case.name and case.classname and case.time is not None for case in cases)
    results = [result for case in cases for result in case.result]
    assert all(result.type and result.message is not None for result in results if type(result) in JUDGED)
    counts = len(cases), *(sum(type(result) is kind for result in results) for kind in (*JUDGED, Skipped))
    assert counts == (held.tests, held.failures, held.errors, held.skipped)
    return counts


def suite(report: ExecutionReport) -> ET.Element:
    """The suite of a notebook's cells."""
    return suites(report)[0]


def test_junit_has_a_case_for_each_cell_and_gate() -> None:
    found, gates = suites(REPORT)
    assert {
        name: found.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time", "timestamp")
    } == {
        "name": "notebooks/train,1.ipynb",
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "time": "12.500",
        "timestamp": "2023-11-14T22:13:20",
    }
    cases = [
        (case.get("classname"), case.get("name"), [part.tag for part in case]) for of in (found, gates) for case in of
    ]
    assert cases == [
        ("train,1", "cell 1: Load <the> flights", []),
        ("train,1", "given parameters", []),
        ("train,1", "cell 3: run --name delays", ["failure"]),
        ("train,1", "cell 4: last", ["skipped"]),
        ("train,1.gates", "auc >= 0.72, run delays", ["failure"]),
        ("train,1.gates", "f1 > 0", ["error"]),
        ("train,1.gates", "rows > 1, run delays", []),
    ]
    assert gates.get("name") == "notebooks/train,1.ipynb: gates"
    assert (gates.get("tests"), gates.get("failures"), gates.get("errors"), gates.get("skipped")) == (
        "3",
        "1",
        "1",
        "0",
    )
    failure = found.find("testcase/failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("ValueError", "bad <rows> & 100%")
    assert failure.text == "line 1\n\nline 3, a::b"


def test_a_cell_that_took_too_long_is_an_error_and_one_that_nothing_needed_is_not_unreached() -> None:
    slow = Failure(kind="TimeoutError", message="the cell took longer than 2 s", stopped=True)
    cells = (
        CellReport(index=0, title="used", state=CellState.DONE),
        CellReport(index=1, title="shared, and used by no step"),
        CellReport(index=2, title="slow", state=CellState.FAILED, failure=slow),
        CellReport(index=3, title="last"),
    )
    found = suite(REPORT.replace(cells=cells, gates=()))
    assert [[(part.tag, part.get("message")) for part in case] for case in found] == [
        [],
        [("skipped", "not executed")],
        [("error", "the cell took longer than 2 s")],
        [("skipped", "not reached")],
    ]


def test_cells_of_steps_that_were_kept_are_told_as_that() -> None:
    cells = tuple(cell.replace(reused=cell.state is None) for cell in REPORT.cells)
    report = REPORT.replace(cells=cells)
    (skipped,) = suite(report).iter("skipped")
    assert skipped.get("message") == "as it was: its step was taken from what was kept"
    assert "Failed after 3 of 4 code cells, 1 are as they were in 12.5 s." in summary(report)


def test_junit_says_why_an_execution_ended_where_no_cell_does() -> None:
    found = suite(REPORT.replace(cells=(), gates=(), failure=Failure(kind="NotebookError", message="no kernel")))
    assert [(case.get("name"), case[0].tag, case[0].text) for case in found] == [("execution", "error", "no kernel")]


@given(st.text(), st.text(), st.text())
def test_junit_stays_valid_whatever_text_is_in_it(title: str, message: str, traceback: str) -> None:
    failure = Failure(kind="E", message=message, traceback=traceback)
    suite(REPORT.replace(cells=(CellReport(index=0, title=title, state=CellState.FAILED, failure=failure),)))


def test_annotations_name_notebook_cell_and_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(annotations(REPORT, tmp_path)) == [
        (
            "::error file=notebooks/train%2C1.ipynb,title=train%2C1.ipynb%3A cell 3 of 4::"
            "ValueError: bad <rows> & 100%25%0Aline 1%0A%0Aline 3, a::b"
        ),
        (
            "::error file=notebooks/train%2C1.ipynb,title=train%2C1.ipynb%3A gate missed::"
            "auc >= 0.72 (run delays): 0.704 >= 0.72 missed by 0.016"
        ),
        (
            "::error file=notebooks/train%2C1.ipynb,title=train%2C1.ipynb%3A gate not judged::"
            "f1 > 0: no run has the metric f1"
        ),
    ]
    elsewhere = list(annotations(REPORT.replace(notebook="/other/n.ipynb"), tmp_path))
    assert elsewhere[0].startswith("::error file=/other/n.ipynb,")


UNESCAPE = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


@given(st.text(max_size=200))
def test_an_annotation_is_one_line_that_gives_back_its_text(text: str) -> None:
    failed = CellReport(index=0, title="t", state=CellState.FAILED, failure=Failure(kind="E", message=text))
    (line,) = annotations(REPORT.replace(cells=(failed,), gates=()))
    assert "\n" not in line
    assert "\r" not in line
    shown = line.split("::", 2)[2]
    assert re.sub("%(?:25|0D|0A)", lambda mark: UNESCAPE[mark[0]], shown) == f"E: {text}".strip()


def test_a_summary_has_gates_metrics_changes_and_failures() -> None:
    before = a_run(
        "a", metrics={"auc": 0.7, "kept": 5.0, "old": 1.0}, parameters={"depth": "3", "model.C": "1.0", "same": "1"}
    )
    now = a_run(
        "b", metrics={"auc": 0.704, "kept": 5.0, "new": 2.0}, parameters={"depth": "4", "model.C": "2.0", "same": "1"}
    )
    text = summary(REPORT.replace(runs=(RunReport(run=now, before=before),)))
    assert "## ❌ train,1.ipynb\n\nFailed after 3 of 4 code cells in 12.5 s. **2 of 3 gates were not passed.**" in text
    assert "| ❌ | auc &gt;= 0.72 | delays | 0.704 &gt;= 0.72 missed by 0.016 |" in text
    assert "| note | a\\|b |" in text
    assert "| auc | 0.7 | 0.704 | +0.004 |" in text
    assert "| kept | 5 | 5 | none |" in text
    assert "| new | (absent) | 2 |  |" in text
    assert "| old | 1 | (absent) |  |" in text
    assert "| depth | 3 | 4 |" in text
    assert "same" not in text
    assert "model.C" not in text
    assert text.index("### Failed in cell 3 of 4") < text.index("### Gates")
    assert "<pre>line 1\n&nbsp;\nline 3, a::b</pre>" in text


def test_a_summary_lists_the_groups_behind_a_gate() -> None:
    groups = (
        Group(name="H|A", rows=61, counted=40, value=0.41, low=0.3, high=0.52),
        Group(name=None, rows=3, reason="fewer than 30 rows"),
    )
    figures = (
        GateFigure(name="min_group(recall, carrier)", value=0.41, groups=groups),
        GateFigure(name="p95_latency_ms", value=2.0),
    )
    text = summary(REPORT.replace(runs=(RunReport(run=a_run("b"), figures=figures),)))
    assert "Groups of min\\_group(recall, carrier)" in text
    assert "| H\\|A | 61 | 40 | 0.41 | 0.3 to 0.52 |  |" in text
    assert "| (missing) | 3 | 0 |  |  | fewer than 30 rows |" in text
    assert "Groups of p95" not in text


def test_a_first_run_is_compared_with_nothing() -> None:
    text = summary(REPORT.replace(runs=(RunReport(run=a_run("b", metrics={"auc": 0.704})),)))
    assert "no good run before it" in text
    assert "| auc | 0.704 |" in text


def test_pictures_are_linked_or_counted() -> None:
    shown = REPORT.replace(pictures=(Picture(index=2, content=b"png"),))
    assert "![plot of cell 3](s_files/cell-3-1.png)" in summary(shown, ["s_files/cell-3-1.png"])
    assert "1, in the executed notebook" in summary(shown)


def test_a_summary_keeps_within_the_limit_of_the_platform() -> None:
    metrics = {f"metric {number} {'x' * 150}": float(number) for number in range(200)}
    runs = tuple(RunReport(run=a_run("b", metrics=metrics)) for _ in range(100))
    text = summary(REPORT.replace(runs=runs))
    assert LARGEST - 50_000 < len(text.encode()) <= LARGEST
    assert text.rstrip().endswith("it would not fit._")
    assert "and 100 more" in text
    assert len(summary(REPORT, largest=300).encode()) <= 300


@given(st.text())
def test_text_of_others_is_neither_markup_nor_html(text: str) -> None:
    line = escaped(text)
    assert "<" not in line
    assert len(line.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*]", line)
