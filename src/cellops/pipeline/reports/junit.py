"""JUnit XML, as Jenkins, GitLab and the actions of GitHub read it: a suite a notebook, a case a cell and a gate."""

import re
from collections.abc import Iterator
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

    A cell that failed is a failure with its traceback; one that was not executed is skipped. A gate that was missed is
    a failure, and one that could not be judged an error. Where no cell says why the execution ended, a case of its own
    does.
    """
    suite = ET.Element("testsuite")
    for case in _cases(report):
        suite.append(case)
    counts = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    numbers = {name: str(number) for name, number in counts.items()} | {"time": _seconds(report.seconds)}
    suite.attrib = {
        "name": _text(report.notebook),
        **numbers,
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "timestamp": datetime.fromtimestamp(report.started, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    suites = ET.Element("testsuites", {"name": "cellops execute", **numbers})
    suites.append(suite)
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _cases(report: ExecutionReport) -> Iterator[ET.Element]:
    name = PurePath(report.notebook).stem
    for cell in report.cells:
        yield _of_cell(cell, name, "not executed" if report.status is RunStatus.FINISHED else "not reached")
    if report.failure is not None:
        case = _case(name, "execution", report.seconds)
        case.append(_said("error", report.failure))
        yield case
    for gate in report.gates:
        yield _of_gate(gate, name)


def _of_cell(cell: CellReport, notebook: str, left_out: str) -> ET.Element:
    place = "parameters" if cell.index is None else f"cell {cell.index + 1}"
    case = _case(notebook, f"{place}: {cell.title}", cell.seconds)
    if cell.failure is not None:
        case.append(_said("failure", cell.failure))
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
