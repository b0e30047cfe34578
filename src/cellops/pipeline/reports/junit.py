"""JUnit XML, as Jenkins, GitLab and the actions of GitHub read it: a suite of the cells, and one of the gates."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from xml.etree import ElementTree as ET

from cellops.records.execution import CellState
from cellops.records.gate import GateOutcome, GateResult
from cellops.records.report import CellReport, ExecutionReport, Failure
from cellops.records.run import RunStatus

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no document of XML 1.0 may hold, written as an escape or not."""
AS_IT_WAS = "as it was: its step was taken from what was kept"


def junit(report: ExecutionReport) -> bytes:
    """The report as a document of JUnit's format.

    A cell that failed is a failure with its traceback, one that took too long is an error, one that was not executed
    is skipped. A gate that was missed is a failure, and one that could not be judged an error. Where no cell says why
    the execution ended, a case of its own does.
    """
    name = PurePath(report.notebook).stem
    suites = ET.Element("testsuites", {"name": "cellops execute"})
    suites.append(_suite(report.notebook, report, report.seconds, _cases(report, name)))
    if report.gates:
        gates = (_of_gate(gate, name) for gate in report.gates)
        suites.append(_suite(f"{report.notebook}: gates", report, 0.0, gates))
    suites.attrib |= _counts(suites.findall("testsuite/testcase")) | {"time": _seconds(report.seconds)}
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(name: str, report: ExecutionReport, seconds: float, cases: Iterable[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite")
    suite.extend(cases)
    suite.attrib = {
        "name": _text(name),
        **_counts(suite.findall("testcase")),
        "time": _seconds(seconds),
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "timestamp": datetime.fromtimestamp(report.started, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    return suite


def _counts(cases: Sequence[ET.Element]) -> dict[str, str]:
    kinds = {"failures": "failure", "errors": "error"}
    found = {name: sum(case.find(tag) is not None for case in cases) for name, tag in kinds.items()}
    return {name: str(number) for name, number in {"tests": len(cases), **found}.items()}


def _cases(report: ExecutionReport, name: str) -> Iterator[ET.Element]:
    done = [place for place, cell in enumerate(report.cells) if cell.state is not None or cell.reused]
    last = len(report.cells) if report.status is RunStatus.FINISHED else max(done, default=-1)
    for place, cell in enumerate(report.cells):
        yield _of_cell(cell, name, "not executed" if place < last else "not reached")
    if report.failure is not None:
        case = _case(name, "execution", report.seconds)
        case.append(_said("error", report.failure))
        yield case


def _of_cell(cell: CellReport, notebook: str, left_out: str) -> ET.Element:
    called = "given parameters" if cell.index is None else f"cell {cell.index + 1}: {cell.title}"
    case = _case(notebook, called, cell.seconds)
    if cell.failure is not None:
        case.append(_said("error" if cell.failure.stopped else "failure", cell.failure))
    elif cell.state is not CellState.DONE:
        ET.SubElement(case, "skipped", {"message": AS_IT_WAS if cell.reused else left_out})
    return case


def _of_gate(gate: GateResult, notebook: str) -> ET.Element:
    case = _case(f"{notebook}.gates", f"{gate.gate}, run {gate.name}" if gate.name else gate.gate, 0.0)
    if not gate.passed:
        kind = "failure" if gate.outcome is GateOutcome.MISSED else "error"
        case.append(_said(kind, Failure(kind=f"gate {gate.outcome.value}", message=gate.said)))
    return case


def _case(classname: str, name: str, seconds: float) -> ET.Element:
    return ET.Element("testcase", {"classname": _text(classname), "name": _text(name), "time": _seconds(seconds)})


def _said(tag: str, failure: Failure) -> ET.Element:
    said = ET.Element(tag, {"type": _text(failure.kind), "message": _text(failure.message)})
    said.text = _text(failure.traceback or failure.message)
    return said


def _seconds(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"


def _text(text: str) -> str:
    return NOT_IN_XML.sub("\ufffd", text)
